import Coordinator

await Orrery.start()
