"""`xomyen camera simulate`, as the command-line application registers it."""

from xomyen.camera.simulator.command import simulate

__all__ = ["simulate"]
