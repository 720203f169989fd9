"""Which volume a folder is: its identity file, and the refusal of a wrong, unmounted or read-only one."""

import errno
import json
import os

from xomyen.recording.disk import Disk
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.ids import is_id, new_id

IDENTITY_FILE = "xomyen-volume.json"
# What a freshly made file system may hold.
_EMPTY = frozenset({"lost+found"})


def read_identity(path: str) -> str | None:
    """The id in the folder's identity file; None when there is no such file. Raises VolumeRefused for a broken one."""
    file = os.path.join(path, IDENTITY_FILE)
    try:
        with open(file, encoding="utf-8") as opened:
            value = json.loads(opened.read(4096))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise VolumeRefused(f"The volume's identity {file} cannot be read: {error}.", path=path) from error
    volume = value.get("volume") if isinstance(value, dict) else None
    if not isinstance(volume, str) or not is_id(volume):
        raise VolumeRefused(f"The volume's identity {file} holds no id; restore it from the index.", path=path)
    if value.get("version") != 1:
        raise VolumeRefused(f"The volume at {path} was made by a newer version of the program.", path=path)
    return volume


def accept_volume(path: str, known: str | None, disk: Disk) -> str:
    """The id of the volume at this path, when it may be written to.

    `known` is the id that the index has for the path; a folder that is new to the index must be empty or carry
    an identity already. Raises VolumeRefused.
    """
    volume = read_identity(path)
    if known is not None and volume is None:
        raise VolumeRefused(
            f"The volume at {path} is not there (it should be {known}): is its disk mounted? Nothing is written to it.",
            path=path,
            volume=known,
        )
    if known is not None and volume != known:
        raise VolumeRefused(
            f"The volume at {path} is {volume}, not {known} as before: another disk is mounted there."
            " Nothing is written to it.",
            path=path,
            volume=known,
        )
    try:
        if volume is None:
            volume = _make_identity(path, disk)
        probe(path, disk)
    except OSError as error:
        if volume is not None and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return volume  # full is not wrong: retention makes room, and until then it pauses
        raise VolumeRefused(
            f"The volume at {path} cannot be written to: {error.strerror or error}.", path=path
        ) from error
    return volume


def _make_identity(path: str, disk: Disk) -> str:
    disk.make_folder(path)
    others = sorted(set(os.listdir(path)) - _EMPTY)
    if others:
        raise VolumeRefused(
            f"The folder {path} is not empty and no volume of this product (it holds {others[0]!r});"
            " give an empty folder.",
            path=path,
        )
    volume = new_id()
    _write(os.path.join(path, IDENTITY_FILE), json.dumps({"version": 1, "volume": volume}).encode(), disk)
    disk.sync_folder(path)
    disk.sync_folder(os.path.dirname(path) or "/")
    return volume


def probe(path: str, disk: Disk) -> None:
    """Writes and removes a small file. Raises OSError when the disk does not take it."""
    file = os.path.join(path, f".probe-{new_id()}")
    try:
        _write(file, bytes(4096), disk)
    finally:
        disk.remove(file)


def _write(path: str, data: bytes, disk: Disk) -> None:
    descriptor = disk.create(path)
    try:
        if disk.writev(descriptor, [data]) != len(data):
            raise OSError(errno.ENOSPC, "no space left on device", path)
        disk.sync_file(descriptor)
    finally:
        disk.close(descriptor)
