"""Every stretch that is missed is a gap with its reason."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import (
    MAIN,
    checked,
    gaps,
    make_recorder,
    outbox_kinds,
    play,
    segments,
    spans,
    until,
)

from xomyen.bus.messages import CameraEvent
from xomyen.recording.index import Index
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.rows import Gap
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import CameraState, GapReason

S = NS_PER_SECOND


async def test_a_session_that_follows_without_a_word_is_a_run_of_its_own_and_the_time_between_a_gap(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
        clock.advance(20 * S)
        again = Feeder(recorder.sink(CAMERA, MAIN), start_ticks=0)
        again.open()
        play(again, clock, 4)
    before, after = segments(tmp_path)
    assert before.run != after.run
    assert [row.frames for row in (before, after)] == [feeder.number, again.number]
    assert (after.first_dts, after.end_dts) == (0, again.number * 3600)
    assert after.start_ns - before.end_ns == pytest.approx(20 * S, abs=S)
    (gap,) = gaps(tmp_path)
    assert (gap.start_ns, gap.end_ns, gap.reason) == (before.end_ns, after.start_ns, GapReason.CAMERA_SILENT)
    assert checked(tmp_path).findings == []


async def test_a_stream_that_moves_to_another_volume_has_a_gap_from_its_last_picture_to_the_next(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, tmp_path / "one", tmp_path / "two", clock=clock) as recorder:
        one, two = (volume.id for volume in recorder.statistics.volumes)
        feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=one)))
        feeder.open()
        play(feeder, clock, 4)
        feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=two)))  # no row is committed yet
        clock.advance(3 * S)
        feeder.open()
        play(feeder, clock, 4)
    before, after = segments(tmp_path)
    assert (before.volume, after.volume) == (one, two)
    (gap,) = gaps(tmp_path)
    assert (gap.start_ns, gap.end_ns, gap.reason) == (before.end_ns, after.start_ns, GapReason.POLICY)


async def test_a_stream_switched_off_and_on_again_at_once_leaves_no_gap_open(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
        recorder.remove(CAMERA, MAIN, disabled=True)
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        clock.advance(3 * S)
        feeder.open()
        play(feeder, clock, 4)
    before, after = segments(tmp_path)
    (gap,) = gaps(tmp_path)
    assert gap.start_ns == pytest.approx(before.end_ns, abs=S)
    assert (gap.end_ns, gap.reason) == (after.start_ns, GapReason.POLICY)


async def test_a_lost_camera_is_a_gap_with_its_reasons(tmp_path: Path) -> None:
    clock = ManualClock()
    states: list[CameraEvent] = []
    async with make_recorder(tmp_path, clock=clock, on_state=states.append) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        play(feeder, clock, 4)
        clock.advance(5 * S)
        sink.closed(GapReason.CAMERA_SILENT, "nothing for 5 s")
        clock.advance(2 * S)
        sink.closed(GapReason.NETWORK, "no route to the camera")
        clock.advance(2 * S)
        sink.closed(GapReason.NETWORK, "no route to the camera")
        feeder.open()
        play(feeder, clock, 4)
    rows, missed = segments(tmp_path), gaps(tmp_path)
    assert [gap.reason for gap in missed] == [GapReason.CAMERA_SILENT, GapReason.NETWORK]
    assert missed[0].start_ns == rows[0].end_ns
    assert missed[0].end_ns == missed[1].start_ns
    assert missed[1].end_ns == rows[1].start_ns
    assert rows[0].run != rows[1].run
    assert [state.state for state in states] == [
        CameraState.RECORDING,
        CameraState.LOST,
        CameraState.LOST,
        CameraState.RECORDING,
    ]
    assert checked(tmp_path).findings == []


async def test_a_stop_of_the_node_is_a_gap(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(2):
        async with make_recorder(tmp_path, clock=clock) as recorder:
            feeder = Feeder(recorder.sink(CAMERA, MAIN))
            feeder.open()
            play(feeder, clock, 4)
        clock.advance(60 * S)
    rows, missed = segments(tmp_path), gaps(tmp_path)
    assert [(gap.reason, gap.start_ns, gap.end_ns) for gap in missed] == [
        (GapReason.NODE_STOPPED, rows[0].end_ns, rows[1].start_ns)
    ]
    assert rows[1].sequence == 2


async def test_footage_deleted_between_gaps_of_long_ago_is_no_stop_of_the_node(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        for _ in range(2):
            feeder.open()
            play(feeder, clock, 4)
            sink.closed(GapReason.NETWORK, "no route to the camera")
            clock.advance(5 * S)
    before = gaps(tmp_path)
    assert len(before) == 2
    index = Index(str(NodeFolder(tmp_path).index))
    index.open()
    with index.transaction():
        for row in segments(tmp_path):
            index.bury(row, row.path, None, clock.wall_ns(), "too old", "retention", done=True)
            Path(row.path).unlink()
    index.close()
    clock.advance(600 * S)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    (row,) = segments(tmp_path)
    assert gaps(tmp_path)[:2] == before
    assert [(gap.start_ns, gap.end_ns, gap.reason) for gap in gaps(tmp_path)[2:]] == [
        (before[-1].end_ns, row.start_ns, GapReason.NODE_STOPPED)
    ]


async def test_a_stop_is_a_gap_also_of_a_camera_that_was_never_reached(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(2):
        async with make_recorder(tmp_path, clock=clock) as recorder:
            recorder.sink(CAMERA, MAIN).closed(GapReason.NETWORK, "no route to the camera")
            clock.advance(5 * S)
        clock.advance(60 * S)
    first, stop, again = gaps(tmp_path)
    assert [gap.reason for gap in (first, stop, again)] == [
        GapReason.NETWORK,
        GapReason.NODE_STOPPED,
        GapReason.NETWORK,
    ]
    assert (first.end_ns, stop.end_ns) == (stop.start_ns, again.start_ns)


async def test_of_the_time_before_an_index_that_was_lost_no_reason_is_made_up(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink)
        feeder.open()
        play(feeder, clock, 4)
        sink.closed(GapReason.NETWORK, "no route to the camera")
        clock.advance(600 * S)
        feeder.open()
        play(feeder, clock, 4)
    for file in tmp_path.glob("index.sqlite*"):
        file.unlink()
    clock.advance(60 * S)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    _, before, after = segments(tmp_path)
    assert [(gap.start_ns, gap.end_ns) for gap in gaps(tmp_path)] == [(before.end_ns, after.start_ns)]


async def test_what_a_stalled_disk_never_kept_is_told_although_another_acknowledged_since(tmp_path: Path) -> None:
    clock = ManualClock()
    one, two = tmp_path / "one", tmp_path / "two"
    async with make_recorder(tmp_path, one, two, clock=clock) as recorder:
        ids = [volume.id for volume in recorder.statistics.volumes]
        for volume in ids:
            feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=volume)))
            feeder.open()
            play(feeder, clock, 4)
            clock.advance(20 * S)
    before, _ = segments(tmp_path)
    index = Index(str(NodeFolder(tmp_path).index))
    index.open()
    (gap,) = gaps(tmp_path)
    with index.transaction():  # as if the first disk had been given 10 s more, and had stalled
        index.put_gap(CAMERA, MAIN, replace(gap, start_ns=before.end_ns + 10 * S))
    index.close()
    async with make_recorder(tmp_path, one, two, clock=clock) as recorder:
        recorder.sink(CAMERA, MAIN)
        await until(lambda: len(gaps(tmp_path)) > 2)
    told = gaps(tmp_path)[0]
    assert (told.start_ns, told.end_ns, told.reason) == (
        before.end_ns,
        before.end_ns + 10 * S,
        GapReason.NODE_STOPPED,
    )


async def test_what_was_lost_between_the_newest_footage_and_a_gap_is_told_by_the_next_start(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    (before,) = segments(tmp_path)
    index = Index(str(NodeFolder(tmp_path).index))
    index.open()
    lost = Gap(new_id(), before.end_ns + 2 * S, None, GapReason.CAMERA_SILENT, "")
    with index.transaction():  # as if two seconds more had been handed over, and the power had failed then
        index.put_gap(CAMERA, MAIN, lost)
        index.set_meta("alive_ns", str(lost.start_ns + S))
    index.close()
    clock.advance(60 * S)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    after = segments(tmp_path)[-1]
    assert [(gap.start_ns, gap.end_ns, gap.reason) for gap in gaps(tmp_path)] == [
        (before.end_ns, lost.start_ns, GapReason.NODE_STOPPED),
        (lost.start_ns, lost.start_ns + S, GapReason.CAMERA_SILENT),
        (lost.start_ns + S, after.start_ns, GapReason.NODE_STOPPED),
    ]


async def test_a_camera_switched_off_is_a_gap_by_policy_until_it_is_on_again(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
        recorder.remove(CAMERA, MAIN, disabled=True)
    clock.advance(60 * S)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    missed = gaps(tmp_path)
    assert [gap.reason for gap in missed] == [GapReason.POLICY]
    assert missed[0].end_ns == segments(tmp_path)[1].start_ns


@pytest.mark.parametrize("lost", [0, 40])
@pytest.mark.parametrize("before_s", [12, 29])  # in the middle of a segment, and where the next one begins
async def test_pictures_that_are_missing_within_a_run_are_a_gap_and_not_covered(
    tmp_path: Path, lost: int, before_s: int
) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        play(feeder, clock, before_s, frames=25)
        clock.advance(5 * S)
        feeder.dts += 4 * 90_000  # the packets of four seconds never came
        feeder.feed(25, clock.wall_ns(), lost)
        await until(lambda: recorder.reader.gaps(CAMERA, MAIN, 0, 1 << 62))
        play(feeder, clock, 24, frames=25)
    rows = segments(tmp_path)
    assert len({row.run for row in rows}) == 1
    (gap,) = gaps(tmp_path)
    assert gap.end_ns is not None
    assert gap.end_ns - gap.start_ns == pytest.approx(4 * S, abs=S // 10)
    assert (gap.reason, gap.detail) == (
        (GapReason.NETWORK, "40 packets were lost") if lost else (GapReason.CAMERA_SILENT, "no pictures came")
    )
    before, after = spans(tmp_path)
    assert (before.start_ns, before.end_ns) == (rows[0].start_ns, gap.start_ns)
    assert (after.start_ns, after.end_ns) == (gap.end_ns, rows[-1].end_ns)
    assert outbox_kinds(tmp_path).count("gap") == 1
    assert checked(tmp_path).findings == []


async def test_a_short_pause_within_a_run_is_none(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        play(feeder, clock, 4, frames=25)
        clock.advance(S)
        feeder.dts += 90_000
        play(feeder, clock, 4, frames=25)
    assert gaps(tmp_path) == []
    assert len(spans(tmp_path)) == 1


async def test_a_camera_of_one_picture_in_five_seconds_misses_none(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage(), ticks=5 * 90_000)
        feeder.open()
        for _ in range(20):
            clock.advance(5 * S)
            feeder.feed(1, clock.wall_ns())
    assert gaps(tmp_path) == []
