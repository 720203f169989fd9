"""Exports: the clips of a time range with a signed manifest, as a folder or a ZIP, for `xomyen verify`."""

import contextlib
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from xomyen import __version__
from xomyen.playback.clip import Clip, plan_clips, segments_for_clip
from xomyen.playback.clip_cut import TakenFragments
from xomyen.proof import tree
from xomyen.proof.keys import SigningKey
from xomyen.proof.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    ClipRecord,
    GapRecord,
    Manifest,
    SealRecord,
    SegmentRecord,
    TakenRecord,
    key_record,
    sign_manifest,
)
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Gap
from xomyen.recording.segment_file import SegmentFileError
from xomyen.terms.errors import AlreadyThere, NoFootage, XomyenError
from xomyen.terms.time import format_utc
from xomyen.terms.words import StreamName

_CHUNK = 1 << 20
# The year MS-DOS time begins with: an export of the same bytes is the same archive.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are written."""


class DamagedFootage(XomyenError):
    """Footage of the range cannot be read any more: the disk or somebody changed the file."""

    code = "damaged_footage"
    exit_code = 10


class FootageGone(NoFootage):
    """A file that the index names is not there."""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What somebody asked for."""

    node: str
    camera: str
    camera_name: str
    stream: StreamName
    from_ns: int
    to_ns: int
    taken: TakenRecord | None = None  # by whom; None: nobody is to be named


@dataclass(frozen=True, slots=True)
class Export:
    """A planned export: nothing is written yet."""

    order: ExportOrder
    clips: tuple[Clip, ...]
    gaps: tuple[Gap, ...]

    @property
    def media_bytes(self) -> int:
        return sum(clip.size for clip in self.clips)

    def file_name(self, number: int) -> str:
        """Of the clip with this number, counted from 0: time and number, no names of cameras."""
        moment = format_utc(self.clips[number].first_ns).replace(":", "").replace("-", "")
        return f"{number + 1:03d}-{moment}.mp4"


def plan_export(index: IndexReader, order: ExportOrder, checkpoint: Callable[[], None] | None = None) -> Export:
    """Plans the clips of all runs in the range.

    When the newest segment is still being written, `checkpoint` is called first, to seal what there is of it; without
    it (the node does not run) only what is sealed already is exported.
    Raises InvalidRange, NoFootage, DamagedFootage.
    """
    segments = segments_for_clip(index, order.camera, order.stream, order.from_ns, order.to_ns)
    if checkpoint is not None and any(segment.seal_hash is None for segment in segments):
        checkpoint()
        segments = segments_for_clip(index, order.camera, order.stream, order.from_ns, order.to_ns)
    try:
        clips = plan_clips(segments, order.from_ns, order.to_ns, sealed_only=True)
    except FileNotFoundError as error:
        raise FootageGone(
            f"Part of this footage is not there any more: {error.filename}; run `xomyen check`."
        ) from error
    except SegmentFileError as error:
        raise DamagedFootage(f"{error} Run `xomyen check --hashes`; export the time before and after it.") from error
    return Export(order, tuple(clips), tuple(index.gaps(order.camera, order.stream, order.from_ns, order.to_ns)))


def make_manifest(export: Export, hashes: list[str], key: SigningKey, now_ns: int) -> Manifest:
    """The manifest for clips with these SHA-256 hashes."""
    order = export.order
    return Manifest(
        version=1 if order.taken is None else 2,
        taken=order.taken,
        software=f"xomyen {__version__}",
        created_ns=now_ns,
        node=order.node,
        camera=order.camera,
        camera_name=order.camera_name,
        stream=order.stream,
        asked_from_ns=order.from_ns,
        asked_to_ns=order.to_ns,
        key=key_record(key.public),
        gaps=tuple(
            GapRecord(from_ns=gap.start_ns, to_ns=gap.end_ns, reason=gap.reason, detail=gap.detail)
            for gap in export.gaps
        ),
        clips=tuple(_clip_record(export, number, digest) for number, digest in enumerate(hashes)),
    )


def _clip_record(export: Export, number: int, digest: str) -> ClipRecord:
    clip = export.clips[number]
    return ClipRecord(
        file=export.file_name(number),
        bytes=clip.size,
        sha256=digest,
        header_bytes=len(clip.header),
        header_sha256=hashlib.sha256(clip.header).hexdigest(),
        run=clip.run,
        frames=clip.frames,
        first_ns=clip.first_ns,
        last_ns=clip.last_ns,
        end_ns=clip.end_ns,
        segments=tuple(_segment_record(taken, len(clip.header)) for taken in clip.taken),
    )


def _segment_record(taken: TakenFragments, header_bytes: int) -> SegmentRecord:
    file = taken.source.file
    seal = file.seal or file.checkpoint
    if seal is None:
        raise NoFootage(f"The segment {taken.source.segment.id} is not sealed yet; ask again in a moment.")
    numbers = range(taken.first, taken.end)
    leaves = [tree.leaf_hash(file.header_bytes), *(row.leaf for row in seal.rows)]
    return SegmentRecord(
        seal=SealRecord(statement=seal.encoded.decode(), signature=seal.signature.hex()),
        header=file.header_bytes.hex(),
        first=taken.first,
        offset=header_bytes + taken.offset,
        sizes=tuple(file.fragments[number].size for number in numbers),
        leaves=tuple(leaves[number + 1].hex() for number in numbers),
        path=tuple(node.hex() for node in tree.audit_path(leaves, {0, *(number + 1 for number in numbers)})),
    )


def clip_chunks(clip: Clip) -> Iterator[bytes | memoryview]:
    """All bytes of a clip in pieces of at most 1 MiB, each valid until the next.

    Raises DamagedFootage, FileNotFoundError.
    """
    buffer = memoryview(bytearray(_CHUNK))
    with clip.open_range() as pieces:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            descriptor, offset, length = piece
            os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_SEQUENTIAL)
            end = offset + length
            while offset < end:
                got = os.preadv(descriptor, [buffer[: min(_CHUNK, end - offset)]], offset)
                if not got:
                    raise DamagedFootage(f"A segment file of camera {clip.camera} ends early; run `xomyen check`.")
                yield buffer[:got]
                offset += got


def write_clip(clip: Clip, path: Path, wrote: Callable[[int], None] = lambda _count: None) -> str:
    """Writes a clip to a new file; the answer is its SHA-256 (hex), made in the same pass."""
    digest = hashlib.sha256()
    with path.open("xb", buffering=0) as file:
        for chunk in clip_chunks(clip):
            digest.update(chunk)
            _write_all(file, chunk)
            wrote(len(chunk))
    return digest.hexdigest()


def _write_all(file: io.FileIO, chunk: bytes | memoryview) -> None:
    while chunk:
        chunk = chunk[file.write(chunk) :]


def write_export(
    export: Export,
    key: SigningKey,
    path: Path,
    now_ns: int,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Writes a folder, or a ZIP when the name ends in .zip. What fails half-way leaves nothing behind.

    Raises AlreadyThere, DamagedFootage, OSError.
    """
    if os.path.lexists(path) and not overwrite:
        raise AlreadyThere(f"{path} is there already; choose another name or add --force.")
    if path.is_dir() and not _is_export(path):
        raise AlreadyThere(f"{path} is a folder with other things than an export; it is not replaced.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    done = 0

    def wrote(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, export.media_bytes)

    try:
        if path.suffix.lower() == ".zip":
            with unfinished.open("xb") as file:
                for chunk in zip_chunks(export, key, now_ns, wrote):
                    file.write(chunk)
        else:
            _write_folder(export, key, unfinished, now_ns, wrote)
        if overwrite and os.path.lexists(path):
            _remove(path)
        unfinished.rename(path)
    except BaseException:  # whatever it was, also Ctrl-C: half an export must not pass for one
        with contextlib.suppress(FileNotFoundError):
            _remove(unfinished)
        raise


def _write_folder(export: Export, key: SigningKey, folder: Path, now_ns: int, wrote: Callable[[int], None]) -> None:
    folder.mkdir()
    hashes = [write_clip(clip, folder / export.file_name(number), wrote) for number, clip in enumerate(export.clips)]
    manifest, signature = sign_manifest(make_manifest(export, hashes, key, now_ns), key)
    (folder / MANIFEST_NAME).write_bytes(manifest)
    (folder / SIGNATURE_NAME).write_bytes(signature)


def _is_export(folder: Path) -> bool:
    """Whether the folder is empty, or holds a manifest and nothing else than what an export writes."""
    own = {MANIFEST_NAME, SIGNATURE_NAME}
    names = {entry.name: entry.is_file() for entry in os.scandir(folder)}
    plausible = all(file and (name in own or name.endswith(".mp4")) for name, file in names.items())
    return not names or (plausible and own <= names.keys())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


class _Outbox(io.RawIOBase):
    """What the archive is written to: bytes to be fetched by the one who streams."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self.parts)
        self.parts.clear()
        return taken


def zip_chunks(
    export: Export, key: SigningKey, now_ns: int, wrote: Callable[[int], None] = lambda _count: None
) -> Generator[bytes, None, None]:
    """The export as a ZIP, stored uncompressed, made while it is read; the manifest comes last. Blocks on the disk."""
    outbox = _Outbox()
    hashes = []
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for number, clip in enumerate(export.clips):
            digest = hashlib.sha256()
            with archive.open(_entry(export.file_name(number)), "w", force_zip64=True) as entry:
                for chunk in clip_chunks(clip):
                    digest.update(chunk)
                    entry.write(chunk)
                    wrote(len(chunk))
                    yield outbox.take()
            hashes.append(digest.hexdigest())
        manifest, signature = sign_manifest(make_manifest(export, hashes, key, now_ns), key)
        for name, content in ((MANIFEST_NAME, manifest), (SIGNATURE_NAME, signature)):
            with archive.open(_entry(name), "w") as entry:
                entry.write(content)
    yield outbox.take()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_DATE)
    entry.external_attr = 0o644 << 16
    return entry
