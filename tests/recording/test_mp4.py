"""Boxes built here are read back, by us and by ffprobe; hostile bytes are refused and nothing else."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.footage import footage

from xomyen.recording.mp4 import (
    DELTA_FLAGS,
    KEY_FLAGS,
    BoxError,
    build_header,
    build_moof,
    parse_header,
    parse_moof,
    walk,
)


def test_a_header_tells_what_it_was_built_from() -> None:
    config = footage().config
    header = parse_header(build_header(config, b"note"))
    assert (header.width, header.height, header.timescale) == (160, 120, 90_000)
    assert header.sample_entry == config.sample_entry
    assert header.note == b"note"
    assert header.size == len(build_header(config, b"note"))


_samples = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**20), st.booleans(), st.integers(-(2**31), 2**31 - 1)),
    min_size=1,
    max_size=60,
)


@given(st.integers(0, 2**62 - 1), _samples, st.booleans())
def test_a_moof_tells_what_it_was_built_from(
    base: int, samples: list[tuple[int, int, bool, int]], reordered: bool
) -> None:
    rows: list[int] = []
    for duration, size, key, offset in samples:
        rows += [duration, size, KEY_FLAGS if key else DELTA_FLAGS]
        if reordered:
            rows.append(offset)
    total = sum(size for _, size, _, _ in samples)
    built = build_moof(5, base, rows, len(samples), total, reordered)
    found = parse_moof(built)
    assert (found.sequence, found.base_dts) == (5, base)
    assert found.durations == [row[0] for row in samples]
    assert found.sizes == [row[1] for row in samples]
    assert found.keys == [row[2] for row in samples]
    assert found.offsets == [row[3] if reordered else 0 for row in samples]
    assert found.data_offset == len(built)


@given(st.data())
def test_a_changed_header_is_read_or_refused(data: st.DataObject) -> None:
    header = bytearray(build_header(footage().config, b"note"))
    for _ in range(data.draw(st.integers(1, 8))):
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(header[: data.draw(st.integers(0, len(header)))])
    for hostile in (bytes(header), cut):
        try:
            parse_header(hostile)
        except BoxError:
            continue


@given(st.data())
def test_a_changed_moof_is_read_or_refused(data: st.DataObject) -> None:
    moof = bytearray(build_moof(1, 0, [3600, 100, KEY_FLAGS] * 4, 4, 400, False))
    for _ in range(data.draw(st.integers(1, 8))):
        moof[data.draw(st.integers(0, len(moof) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(moof[: data.draw(st.integers(0, len(moof)))])
    for hostile in (bytes(moof), cut):
        try:
            parse_moof(hostile)
        except BoxError:
            continue


@given(st.binary(max_size=300))
def test_any_bytes_are_walked_or_refused(data: bytes) -> None:
    try:
        assert all(0 <= box.start < box.end <= len(data) for box in walk(data))
    except BoxError:
        return


def test_a_box_larger_than_its_room_is_refused() -> None:
    with pytest.raises(BoxError):
        list(walk(b"\0\0\0\x20moof" + bytes(8)))


def test_ffprobe_reads_times_of_reordered_pictures(tmp_path: Path) -> None:
    source = footage(b_frames=2)
    rows: list[int] = []
    for unit, key, shown in zip(source.units, source.keys, source.shown_after, strict=True):
        rows += [3600, len(unit), KEY_FLAGS if key else DELTA_FLAGS, shown * 3600]
    data = b"".join(source.units)
    path = tmp_path / "a.mp4"
    path.write_bytes(build_header(source.config) + build_moof(1, 0, rows, len(source.units), len(data), True) + data)
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "frame=pts", "-of", "json", path], capture_output=True, check=True
    )
    assert told.stderr == b""
    shown = [frame["pts"] for frame in json.loads(told.stdout)["frames"]]
    assert shown == [3600 + 3600 * number for number in range(100)]
