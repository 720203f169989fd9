"""`xomyen camera simulate`, as the command-line application registers it."""

import typer

from xomyen.camera.simulator.command import simulate

__all__ = ["register", "simulate"]


def register(_app: typer.Typer, camera: typer.Typer) -> None:
    """Adds the command."""
    camera.command("simulate")(simulate)
