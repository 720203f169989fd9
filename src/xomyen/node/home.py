"""A node's folder: made ready, identified, and locked by the one process that may work in it."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from xomyen.bus.address import write_private
from xomyen.terms.errors import AlreadyRunning, InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import is_id, new_id

_WAIT_FOR_COMMAND_S = 20.0
"""How long to wait for another command that holds the lock for a moment."""


def default_root() -> Path:
    """The platform's data folder for this product."""
    return Path(platformdirs.user_data_dir("xomyen", appauthor=False))


def prepare(folder: NodeFolder) -> str:
    """Makes the folder and the node's identity when missing; the node's id. Raises InvalidConfiguration."""
    try:
        for made in (folder.root, folder.signing_key.parent, folder.bus, folder.run):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not folder.identity.exists():
            write_private(folder.identity, json.dumps({"version": 1, "node": new_id()}) + "\n")
    except OSError as error:
        raise InvalidConfiguration(f"The folder {folder.root} cannot be used: {error.strerror}.") from error
    return read_identity(folder)


def read_identity(folder: NodeFolder) -> str:
    """The node's id. Raises InvalidConfiguration when the folder holds no node."""
    try:
        node = str(json.loads(folder.identity.read_text(encoding="utf-8"))["node"])
    except FileNotFoundError as error:
        raise InvalidConfiguration(
            f"{folder.root} holds no node yet; `xomyen serve` or `xomyen camera add` makes one."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidConfiguration(f"{folder.identity} cannot be read: {type(error).__name__}: {error}.") from error
    if not is_id(node):
        raise InvalidConfiguration(f"{folder.identity} holds no node id.")
    return node


class FolderLock:
    """The right to run the bus in a folder; children may inherit `descriptor` and so hold it on."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        os.close(self.descriptor)


@contextlib.contextmanager
def locked(folder: NodeFolder, holder: str) -> Iterator[FolderLock]:
    """Holds the folder for the length of a block; `holder` is "serve" or "command".

    Waits for a command, which is done in a moment. Raises AlreadyRunning when a node runs in the folder.
    """
    lock = _take(folder, holder)
    try:
        yield lock
    finally:
        lock.release()


def _take(folder: NodeFolder, holder: str) -> FolderLock:
    until = time.monotonic() + _WAIT_FOR_COMMAND_S
    while True:
        if lock := try_lock(folder, holder):
            return lock
        other, pid = holder_of(folder)
        if other != "command" or time.monotonic() >= until:
            raise AlreadyRunning(f"A node already runs in {folder.root} (process {pid}).", pid=pid)
        time.sleep(0.1)


def try_lock(folder: NodeFolder, holder: str) -> FolderLock | None:
    """The lock if nobody holds it."""
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"holder": holder, "pid": os.getpid()}).encode(), 0)
    return FolderLock(descriptor)


def holder_of(folder: NodeFolder) -> tuple[str, int]:
    """Who wrote into the lock last: its kind and process id."""
    try:
        found = json.loads(folder.lock.read_text(encoding="utf-8"))
        return str(found["holder"]), int(found["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        # Taken a moment ago and not yet written.
        return "command", 0
