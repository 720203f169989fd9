"""`xomyen serve` and `xomyen signin`."""

import asyncio
import os
from typing import Annotated

import typer
import uvloop

from xomyen.access.store import AccessStore
from xomyen.access.tickets import Action, Grant
from xomyen.cli.common import Dir, node_folder, require_own, require_running
from xomyen.node.logs import configure_logs
from xomyen.node.supervisor import read_gateway, serve
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings, load_settings
from xomyen.terms.time import SystemClock

FIRST_USER = "operator"
LINK_LIFE_S = 3600

Listen = Annotated[
    str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where the web listens (default: 127.0.0.1:8460).")
]


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the commands."""
    app.command("serve")(serve_node)
    app.command("signin")(signin)


def with_listen(settings: Settings, listen: str | None) -> str:
    """HOST:PORT to listen on. Raises InvalidConfiguration."""
    text = listen or settings.listen
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise InvalidConfiguration(f"--listen is HOST:PORT with a port from 0 to 65535, not {text!r}.", field="listen")
    return text


def sign_in_link(folder: NodeFolder, url: str) -> str:
    """A link that opens the web with a session, once. Its code stands behind #, which browsers do not send."""
    grant = Grant(subject=FIRST_USER, actions=tuple(Action), purpose="sign-in link printed by the node")
    with AccessStore(folder.access, SystemClock()) as store:
        return f"{url}/signin#{store.new_sign_in_code(grant, LINK_LIFE_S)}"


def serve_node(directory: Dir = None, listen: Listen = None) -> None:
    """Run a node in the foreground until Ctrl-C: record, show and keep its cameras.

    Prints a link that signs the first user in, once, within an hour; `xomyen signin` prints another.

    Example: xomyen serve --dir /var/lib/xomyen --listen 0.0.0.0:8460
    """
    # What cameras see is for this user alone, on volumes outside the folder too.
    os.umask(0o077)
    folder = node_folder(directory)
    require_own(folder)
    settings = load_settings(folder)
    address = with_listen(settings, listen)
    configure_logs("supervisor", settings)

    async def ready(url: str) -> None:
        link = await asyncio.to_thread(sign_in_link, folder, url)
        print(f"Sign in (once, within an hour): {link}", flush=True)

    uvloop.run(serve(folder, settings, address, ready))


def signin(directory: Dir = None) -> None:
    """Print a new one-time sign-in link of the running node.

    Example: xomyen signin --dir /var/lib/xomyen
    """
    folder: NodeFolder = node_folder(directory)
    require_running(folder)
    print(sign_in_link(folder, read_gateway(folder)))
