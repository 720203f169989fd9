"""A recorder in a temporary folder, and ways to look at what it left."""

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from tests.footage import CAMERA, NODE, Feeder

from xomyen.proof.keys import SigningKey
from xomyen.recording.check import CheckReport, check
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.jobs import Committer
from xomyen.recording.policy import RecorderSettings, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.recording.rows import Gap, Segment, Span
from xomyen.recording.volume_writer import VolumeWriter
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import StreamName

MAIN = StreamName.MAIN
ALL = (0, 1 << 62)


def make_recorder(root: Path, *volumes: Path, settings: dict[str, Any] | None = None, **options: Any) -> Recorder:
    """With small segments nothing takes long; no floor, so that a full test machine does not matter."""
    folder = NodeFolder(root)
    root.mkdir(exist_ok=True)
    places = volumes or (folder.default_volume,)
    values: dict[str, Any] = {"volumes": tuple(VolumeSettings(str(path), 0) for path in places), "sync_seconds": 0.05}
    return Recorder(
        folder,
        NODE,
        SigningKey.load_or_create(folder.signing_key),
        settings=RecorderSettings(**{**values, **(settings or {})}),
        **{"synchronised": lambda: True, **options},
    )


def hold_syncs(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No volume syncs, and nothing is acknowledged, until the event is set."""
    may_sync = threading.Event()
    sync = VolumeWriter.sync

    def late(writer: VolumeWriter, descriptor: int, index: Committer) -> int:
        assert may_sync.wait(60)
        return sync(writer, descriptor, index)

    monkeypatch.setattr(VolumeWriter, "sync", late)
    return may_sync


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for the thing itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def settled(recorder: Recorder) -> None:
    """Waits until all that was handed over is written and promised: sizes change no more."""

    def so() -> bool:
        volumes = recorder.statistics.volumes
        promised = recorder.reader.query("SELECT sum(frames) FROM segment")[0][0]
        return not any(one.queued_bytes for one in volumes) and promised == sum(one.written_frames for one in volumes)

    await until(so)


def segments(root: Path, camera: str = CAMERA, stream: StreamName = MAIN) -> list[Segment]:
    with IndexReader(NodeFolder(root).index) as reader:
        return reader.all_segments(camera, stream)


def gaps(root: Path, camera: str = CAMERA, stream: StreamName = MAIN) -> list[Gap]:
    with IndexReader(NodeFolder(root).index) as reader:
        return reader.gaps(camera, stream, *ALL)


def spans(root: Path, camera: str = CAMERA, stream: StreamName = MAIN) -> list[Span]:
    with IndexReader(NodeFolder(root).index) as reader:
        return reader.spans(camera, stream, *ALL)


def checked(root: Path, *, running: bool = False) -> CheckReport:
    """Every hash, with the node's own key."""
    folder = NodeFolder(root)
    with IndexReader(folder.index) as reader:
        return check(reader, SigningKey.load(folder.signing_key).public, hashes=True, running=running)


def outbox_kinds(root: Path) -> list[str]:
    """What kinds of events wait, in order."""
    with IndexReader(NodeFolder(root).index) as reader:
        return [row[0] for row in reader.query("SELECT kind FROM outbox ORDER BY number")]


def play(feeder: Feeder, clock: ManualClock, seconds: float, frames: int = 6) -> None:
    """Batches of a quarter second, as from a camera at 25 pictures a second."""
    for _ in range(round(seconds * 25 / frames)):
        clock.advance(frames * NS_PER_SECOND // 25)
        feeder.feed(frames, clock.wall_ns())


def frames_by_ffprobe(path: str) -> int:
    """How many pictures ffprobe decodes; it must not complain."""
    told = subprocess.run(
        ["ffprobe", "-v", "warning", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    return int(told.stdout.strip().rstrip(","))


def frames_by_pyav(path: str) -> list[int]:
    """Presentation times of the pictures that PyAV decodes, as ticks."""
    with av.open(path) as opened:
        return [frame.pts for frame in opened.decode(video=0) if frame.pts is not None]
