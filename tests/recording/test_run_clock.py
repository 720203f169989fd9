"""Media time is mapped to wall time by the earliest arrivals, whatever the camera's clock does."""

import random

import pytest

from xomyen.recording.run_clock import RunClock
from xomyen.terms.time import NS_PER_SECOND

START = 1_700_000_000 * NS_PER_SECOND


def play(speed: float, seconds: int, step_at: int = 0) -> tuple[RunClock, list[float]]:
    """Batches every 250 ms with up to 80 ms of network delay; the errors in seconds from the 40th second on."""
    chance = random.Random(3)
    clock = RunClock(0, START + 70_000_000)
    errors = []
    for number in range(1, seconds * 4):
        wall_ns = number * NS_PER_SECOND // 4
        ticks = int(wall_ns * speed * 9 / 100_000)
        clock.observe(ticks, START + wall_ns + int(chance.random() ** 2 * 80_000_000))
        if number > 160:
            errors.append((clock.wall_ns(ticks) - START - wall_ns) / NS_PER_SECOND)
    return clock, errors


@pytest.mark.parametrize("speed", [1.0, 1.01, 0.99, 1.0002])
def test_a_camera_that_runs_fast_or_slow_is_mapped_not_cut(speed: float) -> None:
    _, errors = play(speed, 600)
    assert max(map(abs, errors)) < 0.06
    assert sorted(map(abs, errors))[len(errors) // 2] < 0.02


def test_the_anchor_is_the_smallest_delay_of_the_first_seconds() -> None:
    clock = RunClock(0, START + 90_000_000)
    for number, delay_ms in enumerate((90, 40, 5, 70), 1):
        clock.observe(number * 9000, START + number * 100_000_000 + delay_ms * 1_000_000)
    assert clock.wall_ns(0) == START + 5_000_000


def test_a_step_of_the_nodes_clock_moves_the_line_by_the_step() -> None:
    clock, _ = play(1.0, 60)
    before = clock.wall_ns(9_000_000)
    clock.shift(-3600 * NS_PER_SECOND)
    assert clock.wall_ns(9_000_000) == before - 3600 * NS_PER_SECOND


def test_an_arrival_before_its_time_is_suspicious() -> None:
    clock, _ = play(1.0, 60)
    ticks = 61 * 90_000
    assert not clock.is_early(ticks, START + 61 * NS_PER_SECOND)
    assert clock.is_early(ticks, START + 60 * NS_PER_SECOND)


def test_footage_from_the_cameras_memory_keeps_its_own_time() -> None:
    clock = RunClock(0, START, fixed=True)
    clock.observe(90_000, START - 5 * NS_PER_SECOND)
    assert clock.wall_ns(90_000) == START + NS_PER_SECOND
