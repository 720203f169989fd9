"""Cutting what came in a few long parts where pictures begin and end."""

from hypothesis import given
from hypothesis import strategies as st

from xomyen.recording.fragment import cut


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(0, 70), st.integers(0, 70))
def test_a_cut_has_the_bytes_between_and_no_empty_parts(parts: list[bytes], begin: int, length: int) -> None:
    found = cut([bytearray(part) for part in parts], begin, begin + length)
    assert b"".join(found) == b"".join(parts)[begin : begin + length]
    assert all(len(part) for part in found)


def test_a_cut_copies_nothing() -> None:
    buffer = bytearray(b"0123456789")
    (piece,) = cut([memoryview(buffer)], 2, 4)
    buffer[2:4] = b"ab"
    assert bytes(piece) == b"ab"
