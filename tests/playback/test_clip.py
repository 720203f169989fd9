"""A clip shows exactly the pictures of its range and holds the recorded fragments verbatim."""

import asyncio
import io
import os
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode, read_number

from xomyen.playback.clip import Clip, SeveralRuns, plan_clip, plan_clips
from xomyen.recording.mp4 import parse_header, walk
from xomyen.recording.segment_file import read_segment
from xomyen.terms.errors import InvalidRange, NoFootage
from xomyen.terms.words import VideoCodec


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


def decoded(clip: Clip) -> list[int]:
    """The numbers of the pictures that PyAV (libav, edit list honoured) shows."""
    with av.open(io.BytesIO(clip.read())) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


KINDS = {
    "h264": {"codec": VideoCodec.H264, "b_frames": 0},
    "h264 with B-frames": {"codec": VideoCodec.H264, "b_frames": 3},
    "h264 with open GOPs": {"codec": VideoCodec.H264, "b_frames": 3, "open_gop": True},
    "h265 with B-frames": {"codec": VideoCodec.H265, "b_frames": 3},
    "h265 with open GOPs": {"codec": VideoCodec.H265, "b_frames": 3, "open_gop": True},
}


@pytest.fixture(scope="module", params=KINDS, ids=str)
def footage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Footage:
    made = Footage(tmp_path_factory.mktemp("video"))
    made.record(*encode(200, **KINDS[request.param]), checkpoint_after=2)
    return made


@pytest.mark.parametrize(
    ("first", "end"), [(0, 200), (30, 31), (33, 77), (49, 51), (50, 100), (24, 26), (99.5, 101.5), (187, 300), (-9, 3)]
)
def test_exactly_the_pictures_of_the_range_are_shown(footage: Footage, first: float, end: float) -> None:
    clip = plan_clip(footage.segments, at(first), at(end))
    expected = [number for number in range(200) if first <= number < end]
    assert decoded(clip) == expected
    assert clip.frames == len(expected)
    assert clip.first_ns == at(expected[0])
    assert clip.last_ns == at(expected[-1])
    assert clip.end_ns == at(expected[-1] + 1)


def test_the_payload_is_the_recorded_fragments_and_nothing_else(footage: Footage) -> None:
    clip = plan_clip(footage.segments, at(30), at(120))
    data = clip.read()
    boxes = list(walk(data))
    assert [box.kind for box in boxes] == [b"ftyp", b"moov", b"mdat"]
    assert b"mvex" not in data[: boxes[1].end]
    recorded = b""
    for taken in clip.taken:
        file = Path(taken.source.segment.path).read_bytes()
        fragments = read_segment(taken.source.segment.path).fragments[taken.first : taken.end]
        assert len(recorded) == taken.offset
        recorded += b"".join(file[fragment.offset : fragment.offset + fragment.size] for fragment in fragments)
    assert data[boxes[2].payload :] == recorded
    inner = [box.kind for box in walk(recorded)]
    assert inner == [b"moof", b"mdat"] * (len(inner) // 2)


def test_the_sample_entry_is_that_of_the_recorded_header(footage: Footage) -> None:
    clip = plan_clip(footage.segments, at(30), at(40))
    entry = read_segment(footage.segments[0].path).header.sample_entry
    assert parse_header(clip.header[: clip.header.rindex(b"mdat") - 4]).sample_entry == entry


@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(st.data())
def test_any_byte_range_equals_that_of_the_whole(footage: Footage, data: st.DataObject) -> None:
    clip = plan_clip(footage.segments, at(30), at(120))
    whole = clip.read()
    assert len(whole) == clip.size
    start = data.draw(st.integers(0, clip.size))
    end = data.draw(st.integers(start, clip.size))
    assert clip.read(start, end) == whole[start:end]

    async def stream() -> bytes:
        return b"".join([piece async for piece in clip.chunks(start, end)])

    assert asyncio.run(stream()) == whole[start:end]
    with pytest.raises(InvalidRange):
        clip.read(start, clip.size + 1)


def test_the_etag_names_the_bytes(footage: Footage) -> None:
    clips = [plan_clip(footage.segments, at(30), at(end)) for end in (120, 120, 119)]
    assert clips[0].etag == clips[1].etag != clips[2].etag
    assert clips[0].etag.startswith('"')


def test_a_fast_camera_is_cut_by_wall_time(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(200), slope=Fraction(100, 101))
    clip = plan_clip(footage.segments, START_NS + 2 * 10**9, START_NS + 4 * 10**9)
    assert decoded(clip) == [n for n in range(200) if 2 * 10**9 <= round(n * FRAME_NS * 100 / 101) < 4 * 10**9]


def test_a_segment_being_written_gives_what_is_on_disk(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(130), checkpoint_after=1, leave_open=True)
    assert decoded(plan_clip(footage.segments, at(90), at(500))) == list(range(90, 130))
    with Path(footage.segments[-1].path).open("r+b") as file:
        file.truncate(os.path.getsize(file.name) - 1)  # the last fragment is only half there
    assert decoded(plan_clip(footage.segments, at(90), at(500))) == list(range(90, 125))
    sealed = plan_clips(footage.segments, at(90), at(500), sealed_only=True)
    assert decoded(sealed[0]) == list(range(90, 112))


def test_media_time_far_from_zero_makes_no_difference(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(100, b_frames=3), first_dts=90_000 * 100_000_000)
    assert decoded(plan_clip(footage.segments, at(30), at(40))) == list(range(30, 40))


def test_each_run_gives_a_clip_of_its_own(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(100))
    footage.record(*encode(100, b_frames=3), start_ns=at(150))
    with pytest.raises(SeveralRuns) as several:
        plan_clip(footage.segments, at(90), at(160))
    first, second = footage.segments[0].run, footage.segments[-1].run
    assert several.value.runs == (first, second)
    assert decoded(plan_clip(footage.segments, at(90), at(160), run=first)) == list(range(90, 100))
    assert decoded(plan_clip(footage.segments, at(90), at(160), run=second)) == list(range(10))
    with pytest.raises(NoFootage):
        plan_clip(footage.segments, at(110), at(140))


def test_a_lost_segment_leaves_the_last_picture_standing_for_its_time(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(150))
    clip = plan_clip([footage.segments[0], footage.segments[2]], at(40), at(110))
    assert decoded(clip) == [*range(40, 50), *range(100, 110)]
    with av.open(io.BytesIO(clip.read())) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times[10] - times[0] == pytest.approx(60 * 0.04)


def test_a_file_that_retention_took_is_reported_and_one_being_read_is_held(tmp_path: Path) -> None:
    import fcntl

    footage = Footage(tmp_path)
    footage.record(*encode(100))
    clip = plan_clip(footage.segments, at(0), at(100))
    path = Path(footage.segments[1].path)
    with clip.open_range() as pieces, path.open("rb") as file:
        next(pieces)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(FileNotFoundError):
            clip.read()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        clip.read()
