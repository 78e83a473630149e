"""The state machines on the emulator, with the images that AWS would run."""
