"""A clock that is set is noticed, labelled and told of; the footage is kept."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.footage import CAMERA, OTHER, Feeder
from tests.recorders import (
    MAIN,
    gaps,
    make_recorder,
    play,
    segments,
    spans,
    until,
)

from xomyen.recording.recorder import Recorder
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import ClockState, SegmentState

S = NS_PER_SECOND
DAY = 86_400 * S


async def test_a_step_of_the_clock_is_labelled_and_overlapping_footage_kept(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 12)
        clock.step_wall(-10 * S)
        play(feeder, clock, 12)
    rows = segments(tmp_path)
    assert [row.clock_state for row in rows] == [ClockState.STEPPED, ClockState.SYNCHRONISED]
    assert rows[0].run == rows[1].run
    assert rows[1].start_ns < rows[0].end_ns - 8 * S
    assert sum(row.frames for row in rows) == 600
    assert len(spans(tmp_path)) == 2
    assert gaps(tmp_path) == []


async def recorded_and_held(recorder: Recorder, clock: ManualClock, root: Path) -> None:
    """Two sealed segments, the first of which is held."""

    def all_sealed(count: int) -> bool:
        return [row.state for row in segments(root)] == [SegmentState.SEALED] * count

    for count in (1, 2):
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 4)
        recorder.remove(CAMERA, MAIN)
        await until(partial(all_sealed, count))
    first = segments(root)[0]
    await recorder.add_hold(CAMERA, first.start_ns, first.end_ns, "case 7", "officer", clock.wall_ns() + 90 * DAY)


async def test_a_clock_that_leaps_years_ahead_costs_no_footage_and_is_told(tmp_path: Path) -> None:
    clock = ManualClock()
    alarms: list[str] = []
    options: dict[str, Any] = {
        "clock": clock,
        "settings": {"retention_seconds": 3600},
        "synchronised": lambda: False,
        "on_alarm": lambda code, text: alarms.append(text),
    }
    async with make_recorder(tmp_path, **options) as recorder:
        await recorded_and_held(recorder, clock, tmp_path)
        clock.step_wall(3650 * DAY)
        recorder.check_clock()
        assert "leapt days ahead" in alarms[-1]
        (volume,) = recorder.volumes.at_work.values()
        volume.floor = 1 << 60  # what is held goes for no floor either
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 1
        feeder = Feeder(recorder.sink(OTHER, MAIN))
        feeder.open()
        play(feeder, clock, 4)
    alarms.clear()
    async with make_recorder(tmp_path, **options) as recorder:
        assert "leapt days ahead" in alarms[-1], "a start and footage with the new time are no proof of it"
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 1


@pytest.mark.parametrize("settled", ["synchronised", "a day", "put right"])
async def test_a_start_with_a_clock_years_ahead_deletes_nothing_until_the_clock_is_settled(
    tmp_path: Path, settled: str
) -> None:
    clock = ManualClock()
    synchronised = [False]
    options: dict[str, Any] = {
        "clock": clock,
        "settings": {"retention_seconds": 3600},
        "synchronised": lambda: synchronised[0],
    }
    async with make_recorder(tmp_path, **options) as recorder:
        await recorded_and_held(recorder, clock, tmp_path)
    clock.step_wall(400 * DAY)
    async with make_recorder(tmp_path, **options) as recorder:
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 2
        if settled == "synchronised":
            synchronised[0] = True
            recorder._clock_watch.look_at_synchronisation()
        elif settled == "a day":
            clock.advance(DAY + S)
        else:
            clock.step_wall(-400 * DAY)
            recorder.check_clock()
        await recorder.run_retention()
        assert len(segments(tmp_path)) == (2 if settled == "put right" else 0)
