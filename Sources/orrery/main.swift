await Orrery.start()
