"""The lock of a centre's folder: one centre runs in it at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from xomyen.centre.configuration import CentreFolder
from xomyen.terms.errors import AlreadyRunning


@contextlib.contextmanager
def sole(folder: CentreFolder) -> Iterator[None]:
    """Holds the folder for the length of a block. Raises AlreadyRunning when a centre runs in it."""
    descriptor = _try(folder)
    if descriptor is None:
        raise AlreadyRunning(f"A centre already runs in {folder.root} (process {holder(folder)}).")
    try:
        yield
    finally:
        os.close(descriptor)


def is_running(folder: CentreFolder) -> bool:
    """Whether a centre holds the folder now."""
    if not folder.lock.exists():
        return False
    descriptor = _try(folder, write=False)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def holder(folder: CentreFolder) -> str:
    """The process id that was written into the lock last."""
    return folder.lock.read_text(encoding="ascii").strip()


def _try(folder: CentreFolder, write: bool = True) -> int | None:
    folder.own.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if write:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
