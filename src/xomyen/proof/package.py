"""Opens what somebody calls an export: a folder, a ZIP, or a clip beside its manifest. Trusts nothing in it."""

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from xomyen.proof.manifest import MANIFEST_NAME, SIGNATURE_NAME
from xomyen.terms.errors import XomyenError

_MOST_FILES = 10_000
_LOCAL_HEAD = struct.Struct("<4s22xHH")  # signature, length of name, length of extra field (APPNOTE 4.3.7)


class NotAnExport(XomyenError):
    """Nothing that `xomyen export` writes; its exit code is the command's."""

    code = "not_an_export"
    exit_code = 13


@dataclass(frozen=True, slots=True)
class PackedFile:
    """Bytes of one file of the export."""

    source: BinaryIO
    offset: int
    size: int

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start` on; fewer where the file ends."""
        self.source.seek(self.offset + start)
        return self.source.read(max(0, min(length, self.size - start)))

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """The same in pieces of at most 1 MiB."""
        while length > 0 and (piece := self.read(start, min(length, 1 << 20))):
            yield piece
            start += len(piece)
            length -= len(piece)


class Package:
    """The files of an export. `only` is the one clip that was asked about, if it was one."""

    def __init__(self, path: Path) -> None:
        """Raises NotAnExport."""
        self.path = path
        self.only: str | None = None
        self.files: dict[str, PackedFile] = {}
        self.names: set[str] = set()  # of everything in the folder or ZIP
        self._stack = ExitStack()
        try:
            self._open(path)
        except OSError as error:
            self._stack.close()
            raise NotAnExport(f"{path} cannot be read: {error.strerror or error}.") from error
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self, path: Path) -> None:
        if path.is_dir():
            self._open_folder(path)
        elif path.is_file():
            source = self._stack.enter_context(path.open("rb"))
            if source.read(4) in (b"PK\3\4", b"PK\5\6"):
                self._open_zip(source, path)
            else:
                self.only = path.name
                self._open_folder(path.parent)
        else:
            raise NotAnExport(f"{path} is neither a folder nor a file.")
        if MANIFEST_NAME not in self.files or SIGNATURE_NAME not in self.files:
            missing = MANIFEST_NAME if MANIFEST_NAME not in self.files else SIGNATURE_NAME
            raise NotAnExport(f"{path} is no export of this product: it has no {missing} beside the clips.")

    def _open_folder(self, folder: Path) -> None:
        entries = list(os.scandir(folder))
        self.names.update(entry.name for entry in entries)
        names = [entry.name for entry in entries if entry.is_file() and _plausible(entry.name)]
        for name in names[:_MOST_FILES]:
            source = self._stack.enter_context((folder / name).open("rb"))
            self.files[name] = PackedFile(source, 0, os.fstat(source.fileno()).st_size)

    def _open_zip(self, source: BinaryIO, path: Path) -> None:
        try:
            entries = zipfile.ZipFile(source).infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
            raise NotAnExport(f"{path} is a damaged ZIP: {error}.") from error
        if len(entries) > _MOST_FILES:
            raise NotAnExport(f"{path} holds too many files to be an export.")
        self.names.update(entry.filename for entry in entries)
        whole = os.fstat(source.fileno()).st_size
        for entry in entries:
            if entry.filename in self.files:
                raise NotAnExport(f"{path} holds {entry.filename!r} twice; no export does.")
            if entry.filename != os.path.basename(entry.filename) or entry.filename in ("", ".", ".."):
                raise NotAnExport(f"{path} holds {entry.filename!r}, which is no file name of an export.")
            # Only stored entries: nothing is unpacked, so that nothing can swell.
            if (
                entry.compress_type != zipfile.ZIP_STORED
                or entry.compress_size != entry.file_size
                or entry.flag_bits & 1
            ):
                raise NotAnExport(f"{path} is compressed or encrypted; an export is stored as it is.")
            offset = _data_offset(source, entry.header_offset)
            if offset is None or offset + entry.file_size > whole:
                raise NotAnExport(f"{path} is a damaged ZIP: {entry.filename} lies outside it.")
            self.files[entry.filename] = PackedFile(source, offset, entry.file_size)


def _plausible(name: str) -> bool:
    return name in (MANIFEST_NAME, SIGNATURE_NAME) or name.endswith(".mp4")


def _data_offset(source: BinaryIO, header_offset: int) -> int | None:
    """Where a ZIP entry's bytes begin."""
    if header_offset < 0:
        return None
    source.seek(header_offset)
    head = source.read(_LOCAL_HEAD.size)
    if len(head) < _LOCAL_HEAD.size or head[:4] != b"PK\3\4":
        return None
    _signature, name, extra = _LOCAL_HEAD.unpack(head)
    return int(header_offset + _LOCAL_HEAD.size + name + extra)
