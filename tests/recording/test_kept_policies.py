"""How long footage is kept does not depend on whether its camera is recorded at the moment."""

from pathlib import Path

import pytest
from tests.footage import CAMERA, OTHER, Feeder, footage
from tests.recorders import MAIN, make_recorder, play, segments, until

from xomyen.recording.policy import StreamPolicy
from xomyen.recording.recorder import Recorder
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import SegmentState

DAY = 86_400 * NS_PER_SECOND
LONG, SHORT = StreamPolicy(retention_days=60), StreamPolicy(retention_days=7)


def quiet(root: Path, clock: ManualClock) -> Recorder:
    return make_recorder(root, clock=clock, settings={"retention_seconds": 3600})


async def record(root: Path, clock: ManualClock, *, then: str = "") -> None:
    """Footage of a camera whose footage is kept long, and of one whose is not."""
    async with quiet(root, clock) as recorder:
        for camera, policy in ((CAMERA, LONG), (OTHER, SHORT)):
            feeder = Feeder(recorder.sink(camera, MAIN, policy), footage())
            feeder.open()
            play(feeder, clock, 4)
        if then:
            for camera in (CAMERA, OTHER):
                recorder.remove(camera, MAIN, disabled=then == "switched off")


async def left_after(days: int, root: Path, clock: ManualClock) -> tuple[int, int]:
    """How many segments of each are left when a node starts so much later, before it knows its cameras."""
    clock.advance(days * DAY)
    async with quiet(root, clock) as recorder:
        await recorder.run_retention()
        return len(segments(root)), len(segments(root, OTHER))


@pytest.mark.parametrize("then", ["", "switched off", "removed"])
async def test_footage_is_kept_its_own_days_whatever_became_of_the_camera(tmp_path: Path, then: str) -> None:
    clock = ManualClock()
    await record(tmp_path, clock, then=then)
    assert await left_after(6, tmp_path, clock) == (1, 1)
    assert await left_after(2, tmp_path, clock) == (1, 0)
    assert await left_after(50, tmp_path, clock) == (1, 0)
    assert await left_after(3, tmp_path, clock) == (0, 0)


async def test_days_that_were_changed_are_what_counts(tmp_path: Path) -> None:
    clock = ManualClock()
    await record(tmp_path, clock)
    async with quiet(tmp_path, clock) as recorder:
        recorder.sink(CAMERA, MAIN, SHORT)
        recorder.sink(OTHER, MAIN, LONG)
    assert await left_after(8, tmp_path, clock) == (0, 1)


async def test_a_camera_that_is_switched_off_keeps_its_footage_while_the_node_runs(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quiet(tmp_path, clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN, LONG), footage())
        feeder.open()
        play(feeder, clock, 4)
        recorder.remove(CAMERA, MAIN, disabled=True)
        await until(lambda: [row.state for row in segments(tmp_path)] == [SegmentState.SEALED])
        clock.advance(40 * DAY)
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 1
