"""What commands share: the folder option, a connection to the node's bus, and plain output."""

import asyncio
import contextlib
import json
import os
import pwd
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from nats.aio.client import Client

from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected, prepare_streams
from xomyen.node.home import default_root, holder_of, locked, prepare, read_identity, try_lock
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import AlreadyRunning, AlreadyThere, InvalidConfiguration, NoFootage, NotRunning, UnknownCamera
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import is_id

Result = TypeVar("Result")

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help="The node's folder (default: the platform's data folder).", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_RUNNING_WAIT_S = 20.0


def node_folder(root: Path | None) -> NodeFolder:
    """The folder that --dir names, or the platform's. Raises InvalidConfiguration when it is another user's."""
    folder = NodeFolder((root if root is not None else default_root()).expanduser().absolute())
    if folder.root.is_dir() and not os.access(folder.root, os.R_OK | os.W_OK | os.X_OK):
        require_own(folder)
    return folder


def require_own(folder: NodeFolder) -> None:
    """Files that another user, root too, makes in a node's folder would be closed to the node afterwards.

    Raises InvalidConfiguration when the folder is another user's.
    """
    try:
        owner = folder.root.stat().st_uid
    except OSError:  # not there yet, or not to be had: whoever needs it says so
        return
    if owner != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        text = f"{folder.root} belongs to user {name}; run the command as that user: runuser -u {name} -- xomyen …"
        raise InvalidConfiguration(text, field="dir")


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a command's work to its end."""
    return asyncio.run(work)


def print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()


@dataclass(frozen=True, slots=True)
class NodeBus:
    """A command's connection to the node's bus."""

    client: Client
    node: str
    serving: bool  # False: the command started the bus itself, no camera is recorded now
    configuration: Configuration


@contextlib.asynccontextmanager
async def node_bus(folder: NodeFolder, create: bool = False) -> AsyncIterator[NodeBus]:
    """The bus of the running node; when none runs, a bus of the command's own under the folder's lock.

    With `create` a folder without a node becomes one; else InvalidConfiguration says that there is none.
    """
    if not folder.lock.exists():  # the lock would be this user's as well
        require_own(folder)
    node = prepare(folder) if create else read_identity(folder)
    while True:
        free = try_lock(folder, "command")
        if free is not None:
            free.release()
        elif holder_of(folder)[0] == "serve":
            async with connected(folder, "command", _RUNNING_WAIT_S) as client:
                yield NodeBus(client, node, True, Configuration(client, node))
            return
        require_own(folder)
        try:
            with locked(folder, "command") as lock:
                async with _own_bus(folder, node, lock.descriptor) as bus:
                    yield bus
            return
        except AlreadyRunning:
            # A node began to serve between the two looks.
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _own_bus(folder: NodeFolder, node: str, lock: int) -> AsyncIterator[NodeBus]:
    # A command that talks to a running node starts faster without these.
    from xomyen.bus.server import BusServer
    from xomyen.bus.server_config import BusLimits
    from xomyen.node.config_service import ConfigService
    from xomyen.node.secrets import Secrets
    from xomyen.terms.settings import load_settings

    settings = load_settings(folder)
    limits = BusLimits(store_bytes=settings.bus_store_bytes)
    async with (
        BusServer(folder, node, limits, keep=(lock,)),
        connected(folder, "command") as client,
    ):
        await prepare_streams(client, node, settings.event_bytes, settings.event_days)
        secrets = Secrets.load_or_create(folder.secrets_key)
        async with ConfigService(client, node, secrets, settings.cameras):
            yield NodeBus(client, node, False, Configuration(client, node))


def is_serving(folder: NodeFolder) -> bool:
    """Whether somebody holds the node's folder now."""
    free = try_lock(folder, "command")
    if free is not None:
        free.release()
    return free is None


def require_running(folder: NodeFolder) -> str:
    """The id of the node that serves in the folder. Raises NotRunning when none does."""
    node = read_identity(folder)
    if not is_serving(folder):
        raise NotRunning(f"The node in {folder.root} is not running; start it with `xomyen serve`.")
    return node


@contextlib.asynccontextmanager
async def running_bus(folder: NodeFolder) -> AsyncIterator[NodeBus]:
    """The bus of the running node. Raises NotRunning when none runs."""
    node = require_running(folder)
    async with connected(folder, "command") as client:
        yield NodeBus(client, node, True, Configuration(client, node))


async def recorded_camera(folder: NodeFolder, name: str) -> tuple[str, str]:
    """Id and name of the camera whose footage is meant, also of one that was removed. Raises UnknownCamera.

    A camera that only the index knows, from a volume that was taken over, has no name.
    """
    async with node_bus(folder) as bus:
        try:
            config = (await bus.configuration.camera(name, removed=True)).config
        except UnknownCamera:
            if is_id(name) and name in _cameras_of_index(folder):
                return name, ""
            raise
        return config.id, config.name


def _cameras_of_index(folder: NodeFolder) -> set[str]:
    try:
        with IndexReader(folder.index) as index:
            return {camera for camera, _stream in index.streams()}
    except NoFootage:
        return set()


def counted(number: int, thing: str) -> str:
    """1 camera, 2 cameras."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def write_new(path: Path, content: bytes, force: bool) -> None:
    """Puts a file in place whole. Raises AlreadyThere unless it may be replaced, InvalidConfiguration."""
    if os.path.lexists(path) and not force:
        raise AlreadyThere(f"{path} is there already; choose another name or add --force.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise InvalidConfiguration(f"{path} cannot be written: {error.strerror}.") from error
