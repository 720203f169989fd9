"""Access units become fragments, segments and runs that any player opens."""

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import (
    MAIN,
    checked,
    frames_by_ffprobe,
    frames_by_pyav,
    gaps,
    make_recorder,
    outbox_kinds,
    play,
    segments,
    spans,
    until,
)

from xomyen.bus.messages import FragmentNotice
from xomyen.recording.segment_file import read_samples, read_segment
from xomyen.terms.buffers import BufferPool
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import GapReason, SegmentState

S = NS_PER_SECOND


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_every_picture_is_in_the_files_once(tmp_path: Path, b_frames: int) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        pool = BufferPool(1 << 20, 4000)
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage(b_frames=b_frames), pool=pool)
        feeder.open()
        play(feeder, clock, 96)
        await until(lambda: pool.out == 0)
    rows = segments(tmp_path)
    assert [row.state for row in rows] == [SegmentState.SEALED] * 4
    assert [row.sequence for row in rows] == [1, 2, 3, 4]
    assert sum(row.frames for row in rows) == 2400
    assert [frames_by_ffprobe(row.path) for row in rows] == [row.frames for row in rows]
    shown = [pts for row in rows for pts in frames_by_pyav(row.path)]
    start = 3600 if b_frames else 0
    assert shown == [start + 3600 * number for number in range(2400)]
    assert rows[0].first_dts == 0
    assert all(after.first_dts == before.end_dts for before, after in pairwise(rows))
    assert all(after.start_ns == before.end_ns for before, after in pairwise(rows))
    assert [(span.start_ns, span.end_ns) for span in spans(tmp_path)] == [(rows[0].start_ns, rows[-1].end_ns)]
    assert checked(tmp_path).findings == []


async def test_fragments_are_short_and_begin_with_keyframes(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage(gop=20))
        feeder.open()
        play(feeder, clock, 8, frames=50)
        play(feeder, clock, 8, frames=1)
        play(feeder, clock, 8, frames=7)
    file = read_segment(segments(tmp_path)[0].path)
    assert sum(fragment.samples for fragment in file.fragments) > 550
    for fragment in file.fragments:
        assert fragment.duration <= 45_000
        samples = read_samples(file.path, fragment)
        assert samples.keys[0] is fragment.key
        assert not any(samples.keys[1:])


async def test_while_watched_each_batch_is_a_fragment_that_is_told_of(tmp_path: Path) -> None:
    told: list[FragmentNotice] = []
    async with make_recorder(tmp_path, on_fragment=lambda camera, stream, notice: told.append(notice)) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        feeder.feed(1, 1_700_000_000 * S)
        recorder.watch(CAMERA, MAIN, True)
        for number in range(1, 30):
            feeder.feed(1, 1_700_000_000 * S + number * S // 25)
        await until(lambda: len(told) == 30)
        assert {notice.path for notice in told} == {recorder.open_path(CAMERA, MAIN)}
        for notice in told:
            file = read_segment(notice.path)
            assert any((f.offset, f.size, f.key) == (notice.offset, notice.size, notice.key) for f in file.fragments)
        recorder.watch(CAMERA, MAIN, False)
        before = len(told)
        feeder.feed(6, 1_700_000_002 * S)
        await recorder.checkpoint(CAMERA, MAIN)
        assert len(told) == before


async def test_new_parameter_sets_begin_a_run(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        play(feeder, clock, 7.84)
        other = Feeder(sink, footage(size="320x240"), start_ticks=feeder.dts)
        other.open()
        play(other, clock, 4)
    rows = segments(tmp_path)
    assert len({row.run for row in rows}) == 2
    assert [row.first_dts for row in rows] == [0, 0]
    assert gaps(tmp_path) == []


async def test_a_run_ends_behind_the_pictures_that_waited_for_more_of_their_kind(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        play(feeder, clock, 53 / 25, frames=1)
        assert sink.gathered_since_ns() is not None
    (row,) = segments(tmp_path)
    assert row.frames == 53
    assert row.end_dts == 53 * 3600
    assert row.end_ns - row.start_ns == 53 * S // 25


async def test_a_long_gop_prolongs_the_segment_and_gets_checkpoints(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage(gop=100))
        long = replace(feeder.source, keys=tuple(number == 0 for number in range(100)))
        feeder.source = long
        feeder.open()
        play(feeder, clock, 4)
        feeder.source = replace(long, keys=(False,) * 100)
        play(feeder, clock, 125)
        assert recorder.statistics.streams[0].long_gop
        await recorder.checkpoint(CAMERA, MAIN)
        rows = recorder.reader.query("SELECT fragments, bytes FROM checkpoint ORDER BY fragments")
        assert len(rows) == 3
        opened = recorder.reader.open_segments()[0]
        file = read_segment(opened.path, upto=opened.bytes)
        assert len(file.fragments) == opened.fragments
        assert file.checkpoint is not None
        assert file.checkpoint.statement.fragments == rows[-1][0]
        assert not file.checkpoint.statement.final
        assert checked(tmp_path, running=True).findings == []
        feeder.source = footage(gop=100)
        feeder.number = 0
        play(feeder, clock, 4)
    rows_after = segments(tmp_path)
    assert [row.state for row in rows_after] == [SegmentState.SEALED] * 2
    assert rows_after[0].end_dts - rows_after[0].first_dts > 120 * 90_000
    assert checked(tmp_path).findings == []


async def test_a_camera_one_percent_fast_is_mapped_not_cut(tmp_path: Path) -> None:
    clock = ManualClock()
    begin_ns = clock.wall_ns()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), ticks=3636)
        feeder.open()
        play(feeder, clock, 240)
    rows = segments(tmp_path)
    assert len({row.run for row in rows}) == 1
    assert gaps(tmp_path) == []
    assert rows[-1].end_dts == 6000 * 3636
    assert abs(rows[-1].end_ns - (begin_ns + 240 * S)) < S // 5
    for row in rows[2:]:
        assert (row.end_ns - row.start_ns) / ((row.end_dts - row.first_dts) * S / 90_000) == pytest.approx(
            1 / 1.01, abs=0.002
        )


async def test_a_jump_of_media_time_begins_a_run(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
        feeder.dts += 100 * 90_000
        feeder.number = 0
        play(feeder, clock, 4)
    rows = segments(tmp_path)
    assert [row.first_dts for row in rows] == [0, 0]
    assert [row.frames for row in rows] == [102, 102]
    assert checked(tmp_path).findings == []


async def test_lost_packets_and_the_cameras_clock_stand_in_row_and_seal(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        sink.camera_clock(-1_200_000)
        feeder.feed(25, 1_700_000_000 * S)
        feeder.feed(25, 1_700_000_001 * S, lost=7)
    row = segments(tmp_path)[0]
    assert (row.lost_packets, row.clock_offset_ns) == (7, -1_200_000)
    seal = read_segment(row.path).seal
    assert seal is not None
    assert (seal.statement.lost_packets, seal.statement.clock_offset_ns) == (7, -1_200_000)


async def test_before_the_first_keyframe_nothing_is_kept(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.number = 10
        feeder.open()
        feeder.feed(30, 1_700_000_000 * S)
    assert [row.frames for row in segments(tmp_path)] == [15]


async def test_late_footage_is_labelled_and_keeps_its_own_time(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        live = Feeder(recorder.sink(CAMERA, MAIN))
        live.open()
        play(live, clock, 4)
        begin_ns = clock.wall_ns() - 3600 * S
        late = recorder.sink(CAMERA, MAIN, late_from_ns=begin_ns)
        filled = Feeder(late)
        filled.open()
        filled.feed(100, clock.wall_ns())
        late.end_run()
        play(live, clock, 4)
    rows = sorted(segments(tmp_path), key=lambda row: row.start_ns)
    assert [row.late for row in rows] == [True, False]
    assert rows[0].start_ns == begin_ns
    assert rows[0].end_ns == begin_ns + 4 * S
    assert checked(tmp_path).findings == []


async def test_a_file_is_named_by_its_start_in_utc_wherever_the_node_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    try:
        clock = ManualClock(1_763_767_790 * S)  # 2025-11-21T23:29:50Z, the 22nd in Vietnam
        async with make_recorder(tmp_path, clock=clock) as recorder:
            feeder = Feeder(recorder.sink(CAMERA, MAIN))
            feeder.open()
            play(feeder, clock, 2)
        (row,) = segments(tmp_path)
        assert f"/{CAMERA}/main/2025-11-21/2329" in row.path
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_seal_that_was_synced_early_is_told_of_once(tmp_path: Path) -> None:
    clock = ManualClock()
    alarms: list[str] = []
    async with make_recorder(tmp_path, clock=clock, on_alarm=lambda code, text: alarms.append(text)) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        play(feeder, clock, 4)
        found = sink.checkpoint_segment()
        assert found is not None
        volume, segment = found
        sink.closed(GapReason.NETWORK, "gone")
        await until(lambda: recorder.reader.query("SELECT 1 FROM segment WHERE state = 'sealed'"))
        # What the writing thread does when the sync came between the seal and its last word.
        volume.writer._dirty[segment] = None
        await until(lambda: not volume.writer._dirty)
    assert alarms == []
    assert outbox_kinds(tmp_path).count("segment") == 1
