"""What the recorder asks of a disk, so that tests can put one in its place that stalls, fills or loses power."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from xomyen.terms.buffers import Bytes


class Room(NamedTuple):
    """What a file system has room for."""

    free: int  # bytes, for a process without privileges
    total: int
    device: int  # which file system the path is on
    free_files: int = 0  # of `total_files`, for a process without privileges
    total_files: int = 0  # its inodes; 0 where it makes them as they are needed (FAT, btrfs)


class Disk(Protocol):
    """Every call that writes. All but `close` raise OSError; none retries."""

    def make_folder(self, path: str) -> None:
        """Makes a folder and those above it; quiet when it is there."""
        ...

    def create(self, path: str) -> int:
        """A new file for reading and writing; the answer is its descriptor. Fails when the path is taken."""
        ...

    def open(self, path: str) -> int:
        """An existing file for reading and writing."""
        ...

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        """Writes at most 1,024 parts at the descriptor's position; the answer may be fewer bytes than given."""
        ...

    def truncate(self, descriptor: int, size: int) -> None:
        """Cuts the file and puts the descriptor's position at its new end."""
        ...

    def sync_file(self, descriptor: int) -> None:
        """Returns when the file's bytes are on the disk (fdatasync)."""
        ...

    def sync_folder(self, path: str) -> None:
        """Returns when the folder's entries are on the disk (fsync of the folder)."""
        ...

    def open_volume(self, path: str) -> int:
        """A descriptor of the volume's root; errors of write-back from now on are reported to it."""
        ...

    def sync_volume(self, descriptor: int) -> None:
        """Returns when everything written to the file system so far, names too, is on the disk (syncfs)."""
        ...

    def close(self, descriptor: int) -> None:
        """Lets go of the file. Its errors are none of ours: what counts was synced before."""
        ...

    def remove(self, path: str) -> None: ...

    def room(self, path: str) -> Room: ...


class LocalDisk:
    """The machine's own file systems."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def make_folder(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)

    def create(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        return os.writev(descriptor, parts)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def sync_file(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def sync_folder(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open_volume(self, path: str) -> int:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def sync_volume(self, descriptor: int) -> None:
        # ctypes lets go of the interpreter lock meanwhile. Errors of write-back are reported since Linux 5.8.
        if self._libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def close(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):  # a network's file system may complain; Linux lets go all the same
            os.close(descriptor)

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def room(self, path: str) -> Room:
        found = os.statvfs(path)
        return Room(
            found.f_bavail * found.f_frsize,
            found.f_blocks * found.f_frsize,
            os.stat(path).st_dev,
            found.f_favail,
            found.f_files,
        )


def write_all(disk: Disk, descriptor: int, data: bytes, path: str) -> None:
    """Writes every byte, in pieces if it must be. Raises OSError; a disk that takes nothing is full."""
    while data:
        count = disk.writev(descriptor, [data])
        if count <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        data = data[count:]
