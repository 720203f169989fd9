"""A disk in memory that can lose its power: what was not synced survives in part, in any order."""

import itertools
import os
import random
from collections.abc import Sequence
from pathlib import Path

from xomyen.recording.disk import Room
from xomyen.terms.buffers import Bytes

SECTOR = 512


class PowerCut(BaseException):
    """Nothing after this happens; not an Exception, so that no code under test can go on."""


class _File:
    def __init__(self) -> None:
        self.durable = b""
        self.content = bytearray()
        self.pending: list[tuple[int, bytes]] = []  # offset and bytes, or -size-1 and nothing for a cut


class ModelDisk:
    """As `Disk` says. `cut_at`: the power fails during that call, partly carried out."""

    def __init__(self, chance: random.Random, cut_at: int | None = None) -> None:
        self._chance = chance
        self._cut_at = cut_at
        self._calls = 0
        self._numbers = itertools.count(1000)
        self._open: dict[int, tuple[_File, int]] = {}
        self.files: dict[str, _File] = {}  # as a running machine sees them
        self.folders: set[str] = set()
        self._durable_files: dict[str, _File] = {}
        self._durable_folders: set[str] = set()
        self.dead = False

    def _call(self) -> bool:
        """Whether the power fails in this call."""
        if self.dead:
            raise PowerCut
        self._calls += 1
        return self._calls == self._cut_at

    def _die(self) -> None:
        self.dead = True
        raise PowerCut

    def make_folder(self, path: str) -> None:
        if self._call():
            self._die()
        while path not in self.folders and path not in ("/", ""):
            self.folders.add(path)
            path = os.path.dirname(path)

    def create(self, path: str) -> int:
        cut = self._call()
        if os.path.dirname(path) not in self.folders:
            if cut:
                self._die()
            raise FileNotFoundError(path)
        assert path not in self.files
        self.files[path] = _File()
        if cut:
            self._die()
        number = next(self._numbers)
        self._open[number] = (self.files[path], 0)
        return number

    def open(self, path: str) -> int:
        raise NotImplementedError

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        cut = self._call()
        data = b"".join(parts)
        if cut:
            data = data[: self._chance.randrange(len(data) + 1)]
        file, at = self._open[descriptor]
        file.content[at : at + len(data)] = data
        file.pending.append((at, data))
        self._open[descriptor] = (file, at + len(data))
        if cut:
            self._die()
        return len(data)

    def truncate(self, descriptor: int, size: int) -> None:
        if self._call():
            self._die()
        file, _ = self._open[descriptor]
        del file.content[size:]
        file.pending.append((-size - 1, b""))
        self._open[descriptor] = (file, size)

    def sync_file(self, descriptor: int) -> None:
        if self._call():
            self._die()
        self._settle(self._open[descriptor][0])

    def sync_folder(self, path: str) -> None:
        if self._call():
            self._die()
        self._settle_folder(path)

    def open_volume(self, path: str) -> int:
        return 1

    def sync_volume(self, descriptor: int) -> None:
        if self._call():
            # Some of it got through.
            for file in self.files.values():
                if self._chance.random() < 0.5:
                    self._settle(file)
            for folder in sorted(self.folders):
                if self._chance.random() < 0.5:
                    self._settle_folder(folder)
            self._die()
        for file in self.files.values():
            self._settle(file)
        self._durable_folders = set(self.folders)
        self._durable_files = dict(self.files)

    def close(self, descriptor: int) -> None:
        if self.dead:
            raise PowerCut
        del self._open[descriptor]

    def remove(self, path: str) -> None:
        if self._call():
            self._die()
        self.files.pop(path, None)

    def room(self, path: str) -> Room:
        return Room(1 << 40, 1 << 41, 1)

    def _settle(self, file: _File) -> None:
        file.durable = bytes(file.content)
        file.pending.clear()

    def _settle_folder(self, path: str) -> None:
        self._durable_folders.update(f for f in self.folders if os.path.dirname(f) == path)
        for name in [name for name in self._durable_files if os.path.dirname(name) == path]:
            if name not in self.files:
                del self._durable_files[name]
        self._durable_files.update((n, f) for n, f in self.files.items() if os.path.dirname(n) == path)

    def after_the_cut(self, root: Path) -> None:
        """Puts what survived into a real folder."""
        chance = self._chance
        folders = set(self._durable_folders)
        for folder in sorted(self.folders):
            if os.path.dirname(folder) in folders and chance.random() < 0.5:
                folders.add(folder)
        names = dict(self._durable_files)
        for name, file in self.files.items():
            if name not in names and chance.random() < 0.5:
                names[name] = file
        for name in [name for name in names if name not in self.files]:
            if chance.random() < 0.5:
                del names[name]
        for folder in sorted(folders):
            if folder.startswith(str(root)):
                os.makedirs(folder, exist_ok=True)
        for name, file in names.items():
            if os.path.dirname(name) in folders:
                Path(name).write_bytes(self._survivor(file))

    def _survivor(self, file: _File) -> bytes:
        """The durable bytes and any sectors of the later writes, holes filled with zeros."""
        chance = self._chance
        content = bytearray(file.durable)
        mode = chance.choice(("nothing", "everything", "some"))
        for at, data in file.pending:
            if at < 0:
                if mode != "nothing" and chance.random() < 0.5:
                    del content[-at - 1 :]
                continue
            for start in range(0, len(data), SECTOR):
                if mode == "nothing" or (mode == "some" and chance.random() < 0.5):
                    continue
                piece = data[start : start + SECTOR]
                where = at + start
                if where > len(content):
                    content.extend(bytes(where - len(content)))
                content[where : where + len(piece)] = piece
        return bytes(content)
