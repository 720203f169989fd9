"""``python -m xomyen.camera.simulator FILE... --count N --port P``."""

import typer

from xomyen.camera.simulator.command import simulate

if __name__ == "__main__":
    typer.run(simulate)
