"""A segment is readable at every length; a sealed one tells from its table what walking tells."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, make_recorder, segments

from xomyen.recording.mp4 import build_header
from xomyen.recording.segment_file import SegmentFileError, read_samples, read_segment
from xomyen.recording.segment_note import NoteError, SegmentNote
from xomyen.terms.time import NS_PER_SECOND

S = NS_PER_SECOND


async def record(root: Path, checkpoints: int = 0) -> str:
    async with make_recorder(root) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage(b_frames=2))
        feeder.open()
        for number in range(25):
            feeder.feed(5, 1_800_000_000 * S + number * 5 * S // 25)
            if number < checkpoints:
                await recorder.checkpoint(CAMERA, MAIN)
    return segments(root)[0].path


@pytest.mark.parametrize("checkpoints", [0, 3])
async def test_the_table_of_a_sealed_segment_tells_what_walking_tells(tmp_path: Path, checkpoints: int) -> None:
    path = await record(tmp_path, checkpoints)
    table, walked = read_segment(path), read_segment(path, walk_all=True)
    assert table.seal == walked.seal
    assert table.fragments == walked.fragments
    assert sum(fragment.samples for fragment in table.fragments) == 125
    assert (walked.checkpoint is not None) == bool(checkpoints)


async def test_a_file_cut_anywhere_keeps_its_whole_fragments(tmp_path: Path) -> None:
    content = Path(await record(tmp_path, 2)).read_bytes()
    whole = read_segment(segments(tmp_path)[0].path, walk_all=True)
    cut = tmp_path / "cut.mp4"
    for length in range(len(whole.header_bytes), len(content), 997):
        cut.write_bytes(content[:length])
        found = read_segment(str(cut))
        kept = [fragment for fragment in whole.fragments if fragment.offset + fragment.size <= length]
        assert [fragment.offset for fragment in found.fragments] == [fragment.offset for fragment in kept]
        assert found.end <= length
        assert found.seal is None
    cut.write_bytes(content[: len(whole.header_bytes) - 1])
    with pytest.raises(SegmentFileError):
        read_segment(str(cut))


async def test_samples_are_the_bytes_that_were_given(tmp_path: Path) -> None:
    path = await record(tmp_path)
    content = Path(path).read_bytes()
    units: list[bytes] = []
    times: list[int] = []
    for fragment in read_segment(path).fragments:
        samples = read_samples(path, fragment)
        units += [content[at : at + size] for at, size in zip(samples.offsets, samples.sizes, strict=True)]
        times += samples.pts
        assert samples.dts[0] == fragment.first_dts
    given_units = footage(b_frames=2).units
    assert units == [given_units[number % 100] for number in range(125)]
    assert sorted(times) == [3600 + 3600 * number for number in range(125)]


@given(st.binary(max_size=2000), st.integers(0, 3000))
def test_any_bytes_behind_a_header_are_walked_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, upto: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.mp4"
    path.write_bytes(build_header(footage().config) + tail)
    for limit in (None, upto):
        found = read_segment(str(path), upto=limit)
        assert found.end <= path.stat().st_size
    path.write_bytes(tail)
    with pytest.raises(SegmentFileError):
        read_segment(str(path))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        SegmentNote.decode(data)


def test_a_note_is_read_back() -> None:
    note = SegmentNote(CAMERA, MAIN, CAMERA, CAMERA, 3, 5, 7, "avc1.640028")
    assert SegmentNote.decode(note.encode()) == note
