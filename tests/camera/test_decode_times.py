"""Times that a recording can rely on, whatever a demuxer says."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.libav.decode_times import DecodeTimes

TICK = Fraction(1, 90_000)
# Decoding order of pictures with two B-frames between references, by place in presentation order.
ORDER = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]


def test_decoding_times_are_found_from_presentation_times() -> None:
    times = DecodeTimes(TICK, 2, 3600)
    found = [times.next(1_000_000 + 3600 * place, None) for place in ORDER]
    assert [dts for _, dts in found] == [3600 * index for index in range(len(ORDER))]
    assert [pts - 7200 for pts, _ in found] == [3600 * place for place in ORDER]


def test_times_of_a_container_are_kept() -> None:
    times = DecodeTimes(Fraction(1, 12_800), None, 3600)
    found = [times.next(512 * place, 512 * (index - 2)) for index, place in enumerate(ORDER)]
    assert [dts for _, dts in found] == [3600 * index for index in range(len(ORDER))]
    assert [pts - 7200 for pts, _ in found] == [3600 * place for place in ORDER]


def test_a_file_played_again_goes_on_where_it_ended() -> None:
    times = DecodeTimes(TICK, None, 3600)
    first = [times.next(3600 * place, 3600 * (index - 2)) for index, place in enumerate(ORDER)]
    times.join()
    second = [times.next(3600 * place, 3600 * (index - 2)) for index, place in enumerate(ORDER)]
    length = 3600 * len(ORDER)
    assert second == [(pts + length, dts + length) for pts, dts in first]


some_time = st.one_of(st.none(), st.integers(-(2**40), 2**40))


@given(st.one_of(st.none(), st.integers(0, 16)), st.lists(st.tuples(some_time, some_time), max_size=60))
def test_decoding_times_always_increase_and_never_pass_presentation(
    reorder: int | None, given_times: list[tuple[int | None, int | None]]
) -> None:
    times = DecodeTimes(TICK, reorder, 3600)
    found = [times.next(pts, dts) for pts, dts in given_times]
    assert all(pts >= dts for pts, dts in found)
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(found))
    assert not found or found[0][1] == 0
