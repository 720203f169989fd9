"""Nodes, sites and cameras: the register, the desired configuration, and what is in force on the nodes."""
