"""A timeline at any resolution: spans are merged, and no gap is lost in them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from xomyen.playback.timeline import Missing, Stretch, merge_gaps, merge_spans
from xomyen.terms.words import GapReason

NETWORK, DISK = GapReason.NETWORK, GapReason.DISK


def test_spans_nearer_than_the_resolution_are_one() -> None:
    rows = [(0, 10), (10, 20), (22, 30), (40, 50), (41, 45)]
    assert merge_spans(rows, 2) == [Stretch(0, 30), Stretch(40, 50)]
    assert merge_spans(rows, 0) == [Stretch(0, 20), Stretch(22, 30), Stretch(40, 50)]
    assert merge_spans([], 5) == []


def test_gaps_of_one_reason_are_joined_over_footage_shorter_than_the_resolution() -> None:
    rows = [(10, 20, "network", "a"), (21, 30, "network", "b"), (31, None, "disk", "full")]
    assert merge_gaps(rows, 2) == [Missing(10, 30, NETWORK, "b", 19), Missing(31, None, DISK, "full", None)]
    assert merge_gaps([(10, 20, "disk", "a"), (21, None, "disk", "b")], 2) == [Missing(10, None, DISK, "b", None)]


def test_a_gap_shorter_than_the_resolution_is_still_told() -> None:
    hour = [(0, 1800), (1802, 3600)]
    assert merge_spans(hour, 100) == [Stretch(0, 3600)]
    assert merge_gaps([(1800, 1802, "network", "cable")], 100) == [Missing(1800, 1802, NETWORK, "cable", 2)]


def test_short_gaps_within_one_resolution_are_one_with_the_reason_of_the_longest() -> None:
    rows = [(0, 10, "network", ""), (40, 60, "disk", "slow"), (90, 95, "network", ""), (120, 130, "network", "")]
    assert merge_gaps(rows, 100) == [Missing(0, 95, DISK, "slow", 35), Missing(120, 130, NETWORK, "", 10)]


def test_footage_between_short_gaps_is_not_swallowed_however_many_they_are() -> None:
    flapping = [(at, at + 2, "network", "") for at in range(0, 3600, 12)]
    told = merge_gaps(flapping, 60)
    assert max(gap.end_ns - gap.start_ns for gap in told if gap.end_ns is not None) <= 60
    assert sum(gap.missing_ns or 0 for gap in told) == 2 * len(flapping)


LENGTHS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), st.sampled_from(list(GapReason))), max_size=60)


@given(LENGTHS, st.booleans(), st.integers(0, 100))
def test_every_gap_lies_in_one_that_is_told_and_these_are_few(
    lengths: list[tuple[int, int, GapReason]], lasts: bool, merge_ns: int
) -> None:
    rows: list[tuple[int, int | None, str, str]] = []
    at = 0
    for footage, missing, reason in lengths:
        rows.append((at + footage, at + footage + missing, reason, ""))
        at += footage + missing
    if lasts:
        rows.append((at, None, "disk", ""))
    told = merge_gaps(rows, merge_ns)
    for start, end, _reason, _detail in rows:
        assert any(
            gap.start_ns <= start and (gap.end_ns is None or (end is not None and end <= gap.end_ns)) for gap in told
        )
    for one, next_one in pairwise(told):
        assert one.end_ns is not None
        assert one.end_ns <= next_one.start_ns
    assert merge_ns == 0 or len(told) <= 2 * (at // merge_ns + 1) + 1
    if not lasts:
        assert sum(gap.missing_ns or 0 for gap in told) == sum(missing for _footage, missing, _reason in lengths)
