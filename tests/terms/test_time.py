"""Times typed by people, and the two units inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.terms.errors import InvalidTime
from xomyen.terms.time import NS_PER_SECOND, ManualClock, format_utc, ns_to_ticks, parse_time, ticks_to_ns

NOW = 1_763_708_400 * NS_PER_SECOND  # 2025-11-21T07:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("-10m", NOW - 600 * NS_PER_SECOND),
        ("-2.5h", NOW - 9000 * NS_PER_SECOND),
        ("+250ms", NOW + 250_000_000),
        ("2025-11-21T07:00:00Z", NOW),
        ("2025-11-21T14:00:00+07:00", NOW),
        ("2025-11-21T14:00:00.040001+07:00", NOW + 40_001_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_reads_what_people_type(text: str, expected: int) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2025-11-21T14:00:00", "10 m", "-10w", "9999-99-99T00:00:00Z"])
def test_refuses_what_it_would_have_to_guess(text: str) -> None:
    with pytest.raises(InvalidTime) as caught:
        parse_time(text, NOW)
    assert repr(text) in caught.value.message


@pytest.mark.parametrize("text", ["-99999999999d", "+999999d", "-" + "9" * 400 + "d", "9999-01-01T00:00:00Z"])
def test_refuses_times_that_no_recording_can_have(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_time(text, NOW)


@given(st.integers(0, 4_000_000_000_000))
def test_what_is_written_is_read_back_to_the_millisecond(wall_ms: int) -> None:
    assert parse_time(format_utc(wall_ms * 1_000_000), NOW) == wall_ms * 1_000_000


@given(st.integers(-(2**50), 2**50))
def test_ticks_survive_the_way_through_nanoseconds(ticks: int) -> None:
    assert ns_to_ticks(ticks_to_ns(ticks)) == ticks


def test_a_set_clock_moves_the_wall_and_not_the_monotonic_time() -> None:
    clock = ManualClock(NOW)
    clock.advance(5)
    clock.step_wall(-100)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (NOW - 95, 5)
