import Commands

await Orrery.start()
