"""A backup as one file: a compressed tar of files, and a manifest with the hash of each."""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from nacl.public import PrivateKey, PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from xomyen.centre.operation.sealing import OpenedFile, SealingFile, is_sealed
from xomyen.terms.errors import AlreadyThere, InvalidConfiguration

_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 64 << 20
_AT_ONCE = 1 << 20


class KeptFile(BaseModel):
    """One file of the backup."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    path: str  # relative, with /
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds and what made it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version: int = 1
    program: str  # version of the program
    made: str  # ISO 8601, UTC
    node: str | None  # id of the node in the folder
    database: str  # "sqlite", "rows" or "none"
    migrations: tuple[str, ...] = ()  # of the database
    files: tuple[KeptFile, ...] = ()


class ArchiveWriter:
    """Takes files in; made by `writing`."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._files: list[KeptFile] = []

    def add(self, path: str, content: bytes) -> None:
        self._put(path, len(content), io.BytesIO(content))

    def add_file(self, path: str, source: Path) -> None:
        with source.open("rb") as file:
            status = os.fstat(file.fileno())
            self._put(path, status.st_size, file, int(status.st_mtime))

    def _put(self, path: str, size: int, file: BinaryIO, changed_s: int = 0) -> None:
        counted = _Hashing(file)
        self._tar.addfile(_member(path, size, changed_s), counted)
        self._files.append(KeptFile(path=path, bytes=size, sha256=counted.hash.hexdigest()))

    def finish(self, **about: Any) -> Manifest:
        """Writes the manifest, the last file."""
        manifest = Manifest(files=tuple(self._files), **about)
        content = manifest.model_dump_json(indent=1).encode()
        self._tar.addfile(_member(_MANIFEST, len(content)), io.BytesIO(content))
        return manifest


class _Hashing(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.hash.update(content)
        return content


def _member(path: str, size: int, changed_s: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.size, member.mode, member.mtime = size, 0o600, changed_s
    return member


@contextmanager
def writing(target: Path, replace: bool = False, public: PublicKey | None = None) -> Iterator[ArchiveWriter]:
    """A new backup, in place whole (mode 0600) when the block ends well; encrypted where a key is given.

    Raises AlreadyThere, InvalidConfiguration.
    """
    if os.path.lexists(target) and not replace:
        raise AlreadyThere(f"{target} is there already; choose another name or add --force.")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidConfiguration(f"{target} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            sealing = SealingFile(file, public) if public is not None else None
            with tarfile.open(fileobj=sealing or file, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
                yield ArchiveWriter(tar)
            if sealing is not None:
                sealing.finish()
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def unpack(source: Path, folder: Path, private: PrivateKey | None = None) -> Manifest:
    """Puts the files of a backup into an empty folder of this process's own, each checked against its hash.

    Raises InvalidConfiguration when the backup is no backup, is damaged, is for another key, or names a file outside
    the folder.
    """
    try:
        with source.open("rb") as file:
            opened = _opened(file, private, source)
            with tarfile.open(fileobj=io.BufferedReader(opened) if opened else file, mode="r:gz") as tar:
                found = {member.name: _unpack_member(tar, member, folder) for member in tar}
            if opened is not None:
                opened.require_end()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InvalidConfiguration(f"{source} is no backup of this program, or is damaged: {error}.") from error
    manifest = _read_manifest(source, folder)
    listed = {file.path: (file.bytes, file.sha256) for file in manifest.files}
    found.pop(_MANIFEST)
    if wrong := sorted(path for path in listed.keys() | found.keys() if listed.get(path) != found.get(path)):
        raise InvalidConfiguration(f"{source} is damaged: {wrong[0]} is not what its manifest says.")
    return manifest


def _opened(file: BinaryIO, private: PrivateKey | None, source: Path) -> OpenedFile | None:
    """The contents of an encrypted backup; None: it is not encrypted."""
    if not is_sealed(file):
        return None
    if private is None:
        raise InvalidConfiguration(f"{source} is encrypted: name the file of its private key with --key.", field="key")
    return OpenedFile(file, private, str(source))


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> tuple[int, str]:
    """Size and hash of what was written."""
    parts = PurePosixPath(member.name).parts
    content = tar.extractfile(member) if member.isreg() else None
    if content is None or member.name.startswith("/") or ".." in parts or not parts:
        raise tarfile.TarError(f"{member.name!r} is not a file that belongs into a backup")
    target = folder.joinpath(*parts)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := content.read(_AT_ONCE):
            digest.update(block)
            file.write(block)
    if member.mtime > 0:
        os.utime(target, (member.mtime, member.mtime))  # how old a key is stands there alone
    return member.size, digest.hexdigest()


def _read_manifest(source: Path, folder: Path) -> Manifest:
    path = folder / _MANIFEST
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("a manifest of that size is none")
        manifest = Manifest.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise InvalidConfiguration(
            f"{source} is no backup of this program, or is damaged: it has no manifest."
        ) from error
    path.unlink()
    if manifest.version != 1:
        raise InvalidConfiguration(f"{source} was made by a newer version of this program ({manifest.program}).")
    return manifest
