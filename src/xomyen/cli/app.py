"""Puts the commands together, and turns every failure into one line and an exit code."""

import importlib
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from xomyen import __version__
from xomyen.terms.errors import XomyenError

INTERRUPTED = 130
USAGE = 2
INTERNAL = 70

app = typer.Typer(
    name="xomyen",
    help="Xóm Yên: the cameras of a commune on one box.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
camera = typer.Typer(name="camera", help="The cameras of a node, and simulated ones.", rich_markup_mode=None)

_ROOMS = {
    "serve": ("serve", "signin"),
    "cameras": ("camera add", "camera list", "camera edit", "camera remove"),
    "masks": ("camera masks",),
    "probe": ("camera probe",),
    "simulate": ("camera simulate",),
    "timeline": ("timeline",),
    "evidence": ("export", "verify", "trust", "key"),
    "heads": ("heads",),
    "check": ("check",),
    "ticket": ("ticket",),
    "demo": ("demo",),
    "centre": ("centre",),
    "backup": ("backup", "backup-key", "restore"),
    "doctor": ("doctor",),
    "audit": ("audit",),
}
"""Modules beside this one with their commands; each offers `register(app, camera)`."""


def _rooms_for(arguments: list[str]) -> list[str]:
    """The modules to load: that of the command, so that it starts fast; all of them for help and mistakes."""
    typed = " ".join(arguments[:2])
    return [
        room for room, commands in _ROOMS.items() if any(f"{typed} ".startswith(f"{name} ") for name in commands)
    ] or list(_ROOMS)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"xomyen {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Xóm Yên: the cameras of a commune on one box."""


def build(arguments: list[str]) -> typer.Typer:
    """The command line, with what is needed for these arguments."""
    if not app.registered_groups:
        for room in _rooms_for(arguments):
            importlib.import_module(f"xomyen.cli.{room}").register(app, camera)
        app.add_typer(camera, name="camera")
    return app


def run(arguments: list[str] | None = None) -> None:
    """Runs one command. Ends the process: 0 only when what was asked is done."""
    sys.exit(_outcome(sys.argv[1:] if arguments is None else arguments))


def _outcome(arguments: list[str]) -> int:
    incomplete = arguments in ([], [camera.info.name])
    try:
        # A group without a command shows what there is; done is nothing.
        result = build(arguments)(args=[*arguments, "--help"] if incomplete else arguments, standalone_mode=False)
        sys.stdout.flush()
    except XomyenError as error:
        return _failed(error.message, error.exit_code)
    except TyperException as error:
        return _failed(error.format_message(), USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _failed("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.", 1)
    except Exception as error:  # a fault of ours: one line for the person, the rest on request
        if os.environ.get("XOMYEN_TRACEBACK"):
            raise
        return _failed(f"{type(error).__name__}: {error} (XOMYEN_TRACEBACK=1 shows where).", INTERNAL)
    if incomplete:
        return USAGE
    return result if isinstance(result, int) else 0


def _failed(message: str, exit_code: int) -> int:
    if message:
        print(f"xomyen: {' '.join(message.split())}", file=sys.stderr)
    return exit_code
