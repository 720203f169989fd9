"""Seals: written, read back, and refused when a bit differs."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.proof import tree
from xomyen.proof.keys import InvalidKey, PublicKey, SigningKey
from xomyen.proof.seal import FragmentRow, InvalidSeal, Statement, parse_seal_box, seal_box
from xomyen.terms.ids import new_id
from xomyen.terms.words import ClockState, SegmentState, StreamName

KEY = SigningKey.generate()


def make_statement(rows: int = 3, **changes: object) -> Statement:
    statement = Statement(
        node=new_id(), camera=new_id(), stream=StreamName.MAIN, run=new_id(), segment=new_id(), sequence=17,
        state=SegmentState.SEALED, final=True, size=15_000_123, fragments=rows, frames=750, first_dts=0,
        end_dts=2_700_000, lost_packets=0, start_ns=1_763_708_400_000_000_000, start_ticks=0,
        end_ns=1_763_708_430_000_000_000, end_ticks=2_700_000, clock_state=ClockState.SYNCHRONISED,
        clock_offset_ns=-1_200_000, root="ab" * 32, previous="", key=KEY.fingerprint,
    )  # fmt: skip
    return dataclasses.replace(statement, **changes)  # type: ignore[arg-type]


ROWS = [FragmentRow(1000 + i, 45_000, i % 2 == 0, 12, bytes([i]) * 32) for i in range(3)]


def test_a_seal_reads_back_as_it_was_written() -> None:
    statement = make_statement()
    seal = parse_seal_box(seal_box(statement, KEY, ROWS))
    assert seal.statement == statement
    assert list(seal.rows) == ROWS
    assert seal.signed_by(KEY.public)
    assert not seal.signed_by(SigningKey.generate().public)


def test_the_statement_is_the_canonical_json_of_the_document() -> None:
    encoded = make_statement(clock_offset_ns=None).encode()
    assert encoded.startswith(b'{"bytes":15000123,"camera":"')
    assert b'"clock":{"offset_ns":null,"state":"synchronised"},"end_dts":2700000,"final":true' in encoded
    assert b" " not in encoded


@given(st.data())
def test_no_changed_bit_of_a_seal_passes(data: st.DataObject) -> None:
    box = bytearray(seal_box(make_statement(), KEY, ROWS))
    signed_end = 32 + int.from_bytes(box[28:32], "big") + 64
    at = data.draw(st.integers(0, signed_end - 1))
    box[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        seal = parse_seal_box(bytes(box))
    except InvalidSeal:
        return
    # Bytes outside statement and signature that no reader relies on: the reserved field and unused flags.
    assert not seal.signed_by(KEY.public) or at in (25, 26, 27)


@given(st.binary(max_size=600))
def test_garbage_is_refused_as_a_seal(garbage: bytes) -> None:
    with pytest.raises(InvalidSeal):
        parse_seal_box(garbage)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b'"sequence":17', b'"sequence":17.0'),
        lambda text: text.replace(b'"sequence":17', b'"sequence":true'),
        lambda text: text.replace(b'"sequence":17', b'"sequence": 17'),
        lambda text: text.replace(b'"sequence":17', b'"sequence":-1'),
        lambda text: text.replace(b'"final":true', b'"final":1'),
        lambda text: text.replace(b'"version":1', b'"version":2'),
        lambda text: text.replace(b'"stream":"main"', b'"stream":"../x"'),
        lambda text: text.replace(b'{"bytes"', b'{"a":1,"bytes"'),
        lambda text: b"[" * 5000,
        lambda text: b"null",
        lambda text: text[:-1],
    ],
)
def test_a_statement_in_any_other_form_is_refused(change: object) -> None:
    encoded = make_statement().encode()
    changed = change(encoded)  # type: ignore[operator]
    assert changed != encoded
    with pytest.raises(InvalidSeal):
        Statement.decode(changed)


def test_wall_time_follows_the_segments_linear_mapping() -> None:
    statement = make_statement(end_ns=1_763_708_430_300_000_000)  # a camera that runs 1 % slow
    assert statement.wall_ns(0) == statement.start_ns
    assert statement.wall_ns(1_350_000) == statement.start_ns + 15_150_000_000


def test_a_key_file_is_made_once_private_and_read_back(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "keys" / "node.pem"
    key = SigningKey.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load_or_create(path).fingerprint == key.fingerprint
    assert PublicKey.from_pem(key.public.pem) == key.public
    assert [entry.name for entry in path.parent.iterdir()] == ["node.pem"]
    path.chmod(0o644)
    with pytest.raises(InvalidKey, match="chmod 600"):
        SigningKey.load(path)


def test_leaf_hash_of_parts_is_that_of_the_joined_bytes() -> None:
    assert tree.leaf_hash(b"ab", memoryview(b"c")) == tree.leaf_hash(b"abc")
