"""The centre's end of the bus: one connection per process, over which every node is reached."""
