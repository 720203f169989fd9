"""The lock of a centre's folder: one centre runs in it at a time."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from xomyen.centre.configuration import CentreFolder
from xomyen.terms.errors import AlreadyRunning


@contextlib.contextmanager
def sole(folder: CentreFolder, url: str = "") -> Iterator[None]:
    """Holds the folder for the length of a block; `url` is where the pages will be on this machine.

    Raises AlreadyRunning when a centre runs in it.
    """
    descriptor = _try(folder)
    if descriptor is None:
        raise AlreadyRunning(f"A centre already runs in {folder.root} (process {holder(folder).pid}).")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
    try:
        yield
    finally:
        os.close(descriptor)


def is_running(folder: CentreFolder) -> bool:
    """Whether a centre holds the folder now."""
    if not folder.lock.exists():
        return False
    descriptor = _try(folder)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


class Holder(NamedTuple):
    """Who runs the centre."""

    pid: int
    url: str


def holder(folder: CentreFolder) -> Holder:
    """Who wrote into the lock last."""
    try:
        found = json.loads(folder.lock.read_text(encoding="utf-8"))
        return Holder(int(found["pid"]), str(found["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Taken a moment ago and not yet written.
        return Holder(0, "")


def _try(folder: CentreFolder) -> int | None:
    folder.own.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
