"""A clock that is set is noticed, labelled and told of; the footage is kept."""

from pathlib import Path

from tests.footage import CAMERA, Feeder
from tests.recorders import (
    MAIN,
    gaps,
    make_recorder,
    play,
    segments,
    spans,
)

from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import ClockState

S = NS_PER_SECOND


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
