"""Files through libav processes: every picture with its own times, at the file's own speed, or why there are none."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from tests.collecting_sink import CollectingSink
from tests.sample_video import decode_all, expected_times

from xomyen.camera.errors import CodecNotSupported, StreamNotFound
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.words import GapReason, VideoCodec

FFMPEG_NAME = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
PLAYED = ("h264.mp4", "h264.ts", "plain.flv", "h265.mp4", "h265.mkv", "motion.avi")


@pytest.fixture(scope="module")
def played(video: Callable[[str], Path]) -> Mapping[str, CollectingSink]:
    """What came of each file, played once; all at the same time."""

    async def play(path: Path, pool: LibavPool) -> CollectingSink:
        sink = CollectingSink()
        async with LibavSource(f"file://{path}#once", None, None, sink, pool):
            await sink.until(lambda s: bool(s.closings))
        return sink

    async def play_all() -> list[CollectingSink]:
        pool = LibavPool()
        return await asyncio.gather(*(play(video(name), pool) for name in PLAYED))

    for name in PLAYED:
        video(name)
    return dict(zip(PLAYED, asyncio.run(play_all()), strict=True))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mp4", VideoCodec.H264),
        ("h264.ts", VideoCodec.H264),
        ("plain.flv", VideoCodec.H264),
        ("h265.mp4", VideoCodec.H265),
        ("h265.mkv", VideoCodec.H265),
    ],
)
def test_every_picture_of_a_file_comes_with_its_own_times(
    played: Mapping[str, CollectingSink],
    video: Callable[[str], Path],
    tmp_path: Path,
    name: str,
    codec: VideoCodec,
) -> None:
    path, sink = video(name), played[name]
    expected = expected_times(path)
    assert sink.configs[0].codec is codec
    assert (sink.configs[0].width, sink.configs[0].height) == (320, 180)
    assert len(sink.units) == len(expected)
    assert sink.keys == [key for _, _, key in expected]
    assert sum(sink.keys) > 1
    first = sink.pts[0]
    for pts, dts, row in zip(sink.pts, sink.dts, expected, strict=True):
        # Matroska rounds to milliseconds, and has no decoding times.
        assert abs(pts - first - row[0]) <= 90
        assert row[1] is None or path.suffix == ".mkv" or dts - first == row[1]
    assert sink.pts != sink.dts
    sink.check_times()
    assert decode_all(sink.configs[0].parameter_sets, sink.units, FFMPEG_NAME[codec], tmp_path) == len(expected)
    assert sink.closings[0][0] is GapReason.NETWORK


def test_a_file_is_played_at_its_own_speed(played: Mapping[str, CollectingSink]) -> None:
    # A batch ends when its last picture is due, so wall time between batches is media time between them, at least.
    arrived = played["h264.mp4"].arrived_ns
    assert arrived[-1] - arrived[0] >= 1_200_000_000


def test_motion_jpeg_becomes_h264(played: Mapping[str, CollectingSink], tmp_path: Path) -> None:
    sink = played["motion.avi"]
    assert sink.configs[0].codec is VideoCodec.H264
    assert sink.configs[0].max_reorder == 0
    assert len(sink.units) == 55
    assert sink.pts == sink.dts == [3600 * index for index in range(55)]
    assert [index for index, key in enumerate(sink.keys) if key] == [0, 50]
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == 55


async def test_a_file_begins_again_without_a_break_in_time(video: Callable[[str], Path]) -> None:
    path = video("h264.mp4")
    frames = len(expected_times(path))
    sink = CollectingSink()
    async with LibavSource(f"file://{path}", None, None, sink, LibavPool()):
        await sink.until(lambda s: len(s.units) > frames + 30)
    assert len(sink.configs) == 1
    assert sink.closings == []
    sink.check_times()
    assert {b - a for a, b in zip(sink.dts, sink.dts[1:], strict=False)} == {3600}
    # The last few may lack pictures that are shown before them and come after them.
    assert sorted(sink.pts)[:-4] == list(range(7200, 7200 + 3600 * (len(sink.pts) - 4), 3600))
    assert sink.units[frames : frames + 20] == sink.units[:20]


async def test_while_watched_each_picture_comes_at_once(video: Callable[[str], Path]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{video('h264.mp4')}", None, None, sink, LibavPool()) as source:
        for _ in range(2):
            source.watch(False)
            begin = len(sink.batches)
            await sink.until(lambda s, begin=begin: sum(count > 2 for count in s.batches[begin:]) > 1)
            source.watch(True)  # which the process that reads hears a moment later
            begin = len(sink.batches)
            await sink.until(lambda s, begin=begin: s.batches[begin:][-15:] == [1] * 15)


async def test_new_parameter_sets_in_mid_stream_are_announced(tmp_path: Path) -> None:
    small, large = tmp_path / "a.ts", tmp_path / "b.ts"
    for path, size in ((small, (320, 192)), (large, (640, 352))):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for index in range(20):
                picture = np.full((size[1], size[0], 3), index * 9, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    sink = CollectingSink()
    async with LibavSource(f"file://{joined}#once", None, None, sink, LibavPool()):
        await sink.until(lambda s: bool(s.closings))
    assert [(config.width, config.height) for config in sink.configs] == [(320, 192), (640, 352)]
    assert sink.config_at == [0, 20]
    assert len(sink.units) == 40
    sink.check_times()


async def test_video_that_cannot_be_recorded_is_refused_by_name(video: Callable[[str], Path]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{video('vp8.webm')}", None, None, sink, LibavPool()) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, CodecNotSupported)
    assert sink.closings[0][0] is GapReason.REFUSED
    assert "vp8" in sink.closings[0][1]


async def test_files_that_are_missing_or_no_video_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("nothing to see here\n" * 1000)
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/text.mp4\n")
    for name in ("none.mp4", "text.mp4", "list.m3u8"):
        sink = CollectingSink()
        async with LibavSource(f"file://{tmp_path}/{name}", None, None, sink, LibavPool()) as source:
            await sink.until(lambda s: bool(s.closings))
        assert isinstance(source.fault, StreamNotFound) == (name == "none.mp4")


@pytest.mark.parametrize(
    "url", ["file://relative.mp4", "gopher://camera/1", "http:///no-host", "concat:a|b", "", "rtsp://c/1"]
)
def test_addresses_of_other_kinds_are_refused(url: str) -> None:
    with pytest.raises(InvalidConfiguration):
        LibavSource(url, None, None, CollectingSink(), LibavPool())
