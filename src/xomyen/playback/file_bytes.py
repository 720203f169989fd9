"""Bytes of a file for people: never blocking the event loop, never deleted while being read."""

import errno
import fcntl
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from dataclasses import dataclass

from xomyen.playback.lane import in_thread

_CHUNK = 256 * 1024
_DISK_CHUNK = 1024 * 1024


def open_shared(path: str) -> int:
    """Opens for reading under a shared lock, which keeps retention from deleting the file meanwhile.

    Raises FileNotFoundError when it is gone, or is on its way out: the exclusive lock is then held by the deleter.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, "being deleted", path) from error
    return fd


def read_cached(fd: int, length: int, offset: int) -> bytes | None:
    """The bytes if the page cache has them all, else None; never waits for a disk (Linux RWF_NOWAIT)."""
    buffer = bytearray(length)
    try:
        got = os.preadv(fd, [buffer], offset, os.RWF_NOWAIT)
    except OSError as error:
        # EOPNOTSUPP: a file system that cannot tell; a thread then reads.
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.ENOSYS):
            return None
        raise
    return bytes(buffer) if got == length else None


def read_all(fd: int, length: int, offset: int) -> bytes:
    """Exactly `length` bytes from the file; waits for the disk. Raises EOFError when the file is shorter."""
    pieces = []
    while length:
        piece = os.pread(fd, length, offset)
        if not piece:
            raise EOFError(f"the file ends at byte {offset}, {length} bytes early")
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def read_at(fd: int, length: int, offset: int, threads: Executor | None = None) -> bytes:
    """Exactly these bytes: from the page cache at once, from the disk in a thread."""
    data = read_cached(fd, length, offset)
    if data is None:
        data = await in_thread(threads, read_all, fd, length, offset)
    return data


@dataclass(frozen=True, slots=True)
class FileBytes:
    """The first `size` bytes of a file as a body to serve; what is written behind them is not seen."""

    path: str
    size: int
    etag: str  # with its quotes
    threads: Executor | None = None

    async def chunks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes of [start, end); the file is held against deletion as long as this runs."""
        held: list[int] = []
        try:
            await in_thread(self.threads, lambda: held.append(open_shared(self.path)))
            fd = held[0]
            while start < end:
                length = min(_CHUNK, end - start)
                data = read_cached(fd, length, start)
                if data is None:
                    length = min(_DISK_CHUNK, end - start)
                    data = await in_thread(self.threads, read_all, fd, length, start)
                yield data
                start += len(data)
        finally:
            for fd in held:
                os.close(fd)
