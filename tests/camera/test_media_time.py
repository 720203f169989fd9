"""Presentation and decoding times from 32-bit timestamps."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.media_time import ArrivalAnchor, MediaTime

WRAP = 2**32


def times(stamps: list[int], depth: int) -> list[tuple[int, int]]:
    media = MediaTime()
    media.reorder(depth)
    found = []
    for stamp in stamps:
        media.step(stamp % WRAP)
        found.append(media.times())
    return found


def decoding_order(groups: list[int]) -> list[int]:
    """Display numbers in decoding order for groups of a reference picture and that many B-frames before it."""
    order, shown = [0], 1
    for count in groups:
        order += [shown + count, *range(shown, shown + count)]
        shown += count + 1
    return order


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, WRAP - 1), st.integers(1, 4), st.integers(300, 9000))
def test_decoding_times_rise_and_stay_at_or_before_presentation(groups, first, depth, frame):
    order = decoding_order(groups)
    found = times([first + frame * number for number in order], depth)
    zero = found[0][0]
    assert [pts - zero for pts, _ in found] == [frame * number for number in order]
    dts = [decode for _, decode in found]
    assert all(a < b for a, b in pairwise(dts))
    assert all(decode <= pts for pts, decode in found)


def test_with_b_frames_decoding_times_are_evenly_spaced():
    found = times([3600 * number for number in decoding_order([2] * 6)], 1)
    dts = [decode for _, decode in found]
    assert dts == [dts[0] + 3600 * index for index in range(len(dts))]


@given(st.lists(st.integers(-200_000, 1_000_000), max_size=60), st.integers(0, 3))
def test_any_timestamps_give_rising_decoding_times(steps, depth):
    stamps, stamp = [0], 0
    for step in steps:
        stamp += step
        stamps.append(stamp)
    found = times(stamps, depth)
    dts = [decode for _, decode in found]
    assert all(a < b for a, b in pairwise(dts))
    assert all(decode <= pts for pts, decode in found)


def test_a_stream_that_reorders_without_saying_so_is_understood_after_the_first_group():
    order = decoding_order([2] * 20)
    found = times([3600 * number for number in order], 0)
    assert [pts for pts, _ in found[6:]] == [3600 * number for number in order[6:]]


def test_the_timestamp_wraps_without_a_trace():
    found = times([WRAP - 7200, WRAP - 3600, WRAP, WRAP + 3600], 0)
    assert [pts for pts, _ in found] == [0, 3600, 7200, 10800]


def test_a_jump_is_told_and_replaced_by_one_frame():
    media = MediaTime()
    jumps = [media.step(stamp) for stamp in (0, 3600, 5_000_000, 5_003_600, 0)]
    assert jumps == [False, False, True, False, True]
    assert media.times()[0] == 4 * 3600


def test_the_anchor_is_the_promptest_arrival_of_the_last_seconds():
    anchor = ArrivalAnchor()
    assert anchor.wall_ns(0) is None
    zero = 10**18
    for index, late_ms in enumerate([250, 130, 5, 240, 100]):
        anchor.seen(zero + index * 40_000_000 + late_ms * 1_000_000, 3600 * index)
    assert anchor.wall_ns(0) == zero + 5_000_000
    assert anchor.wall_ns(90_000) == zero + 1_005_000_000


def test_the_anchor_forgets_what_is_long_ago_so_that_a_fast_camera_is_followed():
    anchor = ArrivalAnchor()
    for index in range(60 * 25):
        anchor.seen(10**18 + index * 40_000_000, 3636 * index)
    real = 10**18 + 1499 * 40_000_000
    assert abs(anchor.wall_ns(3636 * 1499) - real) < 250_000_000
