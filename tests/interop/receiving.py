"""Takes pictures from a server nobody here wrote, counts and decodes every one of them."""

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from tests.collecting_sink import CollectingSink
from tests.sample_video import decode_all

from xomyen.camera import rtsp_session, rtsp_source
from xomyen.camera.ingest import Ingest
from xomyen.camera.libav import LibavPool
from xomyen.camera.open import open_source
from xomyen.camera.source import Batch, CodecConfig, StreamSink
from xomyen.proof.keys import SigningKey
from xomyen.recording.check import check
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.recorder import Recorder
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.words import GapReason, StreamName, VideoCodec

PICTURES = 125  # of every stream; one every FRAME_TICKS
FRAME_TICKS = 3600
FFMPEG_NAME = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}


async def collect(url: str, pictures: int, user: str | None = None, password: str | None = None) -> CollectingSink:
    sink = CollectingSink()
    async with Ingest() as ingest, open_source(url, user, password, sink, ingest, LibavPool()):
        await sink.until(lambda s: len(s.units) >= pictures or bool(s.closings))
    return sink


@dataclass(frozen=True)
class Received:
    """What came of several streams that were received at the same time."""

    collected: dict[str, CollectingSink]
    recorded: dict[str, list[Path]]


def receive(collected: dict[str, int], recorded: Sequence[str], folder: Path) -> Received:
    """Collects so many pictures of each of the URLs, and records from others, all of them at once."""

    async def all_of_them() -> Received:
        sinks = asyncio.gather(*(collect(url, pictures) for url, pictures in collected.items()))
        files = asyncio.gather(*(record(url, NodeFolder(folder / str(at))) for at, url in enumerate(recorded)))
        return Received(dict(zip(collected, await sinks, strict=True)), dict(zip(recorded, await files, strict=True)))

    # Servers that encode several streams at the same time are slow to begin on a busy machine.
    with patch.object(rtsp_session, "REQUEST_S", 60.0), patch.object(rtsp_source, "SILENCE_S", 60.0):
        return asyncio.run(all_of_them())


def steps(ticks: list[int]) -> set[int]:
    return {later - earlier for earlier, later in pairwise(ticks)}


def assert_whole(
    sink: CollectingSink, codec: VideoCodec, b_frames: bool, folder: Path, pictures: int = PICTURES
) -> None:
    """All pictures from the first on, in an order a decoder and a player can use, and every one decodes."""
    config = sink.configs[0]
    assert config.codec is codec
    assert (config.width, config.height) == (320, 192)
    assert len(sink.configs) == 1
    assert len(sink.units) >= pictures, sink.closings
    assert sink.lost_packets == 0
    assert sink.keys[0]
    assert sum(sink.keys) >= pictures // 25
    sink.check_times()
    assert (sink.pts != sorted(sink.pts)) == b_frames
    assert (config.max_reorder > 0) == b_frames
    # Before the end of the stream, the last ones may lack pictures that are shown before them and come after them.
    lacking = config.max_reorder if len(sink.units) < PICTURES else 0
    assert steps(sorted(sink.pts)[: len(sink.pts) - lacking]) == {FRAME_TICKS}
    assert steps(sink.dts) == {FRAME_TICKS}
    assert decode_all(config.parameter_sets, sink.units, FFMPEG_NAME[codec], folder) == len(sink.units) <= PICTURES


class _Counting:
    """Passes everything on to a recorder's sink and counts pictures."""

    def __init__(self, sink: StreamSink) -> None:
        self._sink = sink
        self.pictures = 0
        self.changed = asyncio.Event()

    def opened(self, config: CodecConfig) -> None:
        self._sink.opened(config)

    def write(self, batch: Batch) -> None:
        self._sink.write(batch)
        self.pictures += len(batch.sizes)
        self.changed.set()

    def camera_clock(self, offset_ns: int) -> None:
        self._sink.camera_clock(offset_ns)

    def closed(self, reason: GapReason, detail: str) -> None:
        self._sink.closed(reason, detail)


async def record(url: str, folder: NodeFolder) -> list[Path]:
    """Records until PICTURES pictures came, and checks every seal and byte; the files in the order of time."""
    camera, node, key = new_id(), new_id(), SigningKey.generate()
    async with Recorder(folder, node, key) as recorder, Ingest() as ingest:
        sink = _Counting(recorder.sink(camera, StreamName.MAIN))
        async with open_source(url, None, None, sink, ingest, LibavPool()):
            async with asyncio.timeout(100):
                while sink.pictures < PICTURES:
                    sink.changed.clear()
                    await sink.changed.wait()
    with IndexReader(folder.index) as index:
        report = check(index, key.public, hashes=True)
    assert report.clean, report
    return sorted(folder.default_volume.rglob("*.mp4"))


def assert_recorded(files: list[Path], b_frames: bool) -> None:
    """Every picture is there, decodes without a complaint, and has its time; and nothing but pictures is there."""
    assert files
    assert sum(count_pictures(file) for file in files) == PICTURES
    times = [time for file in files for time in packet_times(file)]
    assert len(times) == PICTURES
    assert all(dts <= pts for pts, dts in times)
    assert [dts for _, dts in times] == sorted({dts for _, dts in times})
    assert ([pts for pts, _ in times] != sorted(pts for pts, _ in times)) == b_frames
    assert stream_kinds(files[0]) == ["video"]


def count_pictures(file: Path) -> int:
    """Decodes a whole file with FFmpeg, which must not complain."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", str(file), "-fps_mode", "passthrough",
         "-vf", "scale=16:16", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b"", done.stderr.decode()
    return len(done.stdout) // 256


def packet_times(file: Path) -> list[tuple[int, int]]:
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,dts", "-of", "csv=p=0",
         str(file)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = (line.split(",") for line in shown.stdout.split())
    return [(int(row[0]), int(row[1])) for row in rows]


def stream_kinds(file: Path) -> list[str]:
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", str(file)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return shown.stdout.split()
