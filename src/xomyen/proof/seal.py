"""Seals: the signed statement about a segment, and the box in which it lies in the segment's file."""

import hashlib
import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xomyen.proof.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from xomyen.proof.tree import HASH_BYTES
from xomyen.terms.ids import is_id
from xomyen.terms.time import ticks_to_ns
from xomyen.terms.words import ClockState, SegmentState, StreamName

SEAL_UUID = UUID("8f2b1c64-7d0e-4a55-9b1f-78796d7365a1").bytes
SIGNED_PREFIX = b"xomyen-seal-v1\n"
VERSION = 1
LARGEST_STATEMENT = 65_536  # bytes

_BOX_HEAD = struct.Struct(">I4s16sBBHI")  # size, type, user type, version, flags, reserved, statement length
_COUNT = struct.Struct(">I")
_ROW = struct.Struct(f">III{HASH_BYTES}s")
_FINAL = 1
_KEY = 1
_HEX = re.compile(r"[0-9a-f]{64}")
_LARGEST_INTEGER = 2**63 - 1


class InvalidSeal(ValueError):
    """Bytes that are no seal in the form of docs/recording.md."""


@dataclass(frozen=True, slots=True)
class FragmentRow:
    """One fragment in a seal's table, so that readers need not walk the file."""

    size: int  # bytes of moof + mdat
    duration: int  # ticks
    key: bool  # starts with a keyframe
    samples: int
    leaf: bytes  # its leaf hash


@dataclass(frozen=True, slots=True)
class Statement:
    """What a seal says about a segment; docs/recording.md describes the fields."""

    node: str
    camera: str
    stream: StreamName
    run: str
    segment: str
    sequence: int
    state: SegmentState
    final: bool
    size: int  # header and fragments, in bytes; called `bytes` in the JSON
    fragments: int
    frames: int
    first_dts: int  # ticks of the run's media time
    end_dts: int
    lost_packets: int
    start_ns: int  # presentation time `start_ticks` was shown at `start_ns`, `end_ticks` at `end_ns`
    start_ticks: int
    end_ns: int
    end_ticks: int
    clock_state: ClockState
    clock_offset_ns: int | None
    root: str  # hex
    previous: str  # hex SHA-256 of the previous final seal's statement, or empty
    key: str  # fingerprint of the signing key

    def encode(self) -> bytes:
        """The canonical JSON that is hashed and signed."""
        value: dict[str, object] = {name: getattr(self, name) for name in _PLAIN_FIELDS}
        value["bytes"] = self.size
        value["clock"] = {"offset_ns": self.clock_offset_ns, "state": self.clock_state}
        value["time"] = {name: getattr(self, name) for name in _TIME_FIELDS}
        value["version"] = VERSION
        return canonical_json(value)

    def hash(self) -> bytes:
        """SHA-256 of the encoded statement: how the next seal names this one."""
        return hashlib.sha256(self.encode()).digest()

    def wall_ns(self, ticks: int) -> int:
        """When a presentation time of the run was shown, by this segment's linear mapping."""
        span = self.end_ticks - self.start_ticks
        if span <= 0:
            return self.start_ns + ticks_to_ns(ticks - self.start_ticks)
        return self.start_ns + (ticks - self.start_ticks) * (self.end_ns - self.start_ns) // span

    @classmethod
    def decode(cls, encoded: bytes) -> "Statement":
        """Reads a statement. Raises InvalidSeal for anything that `encode` would not have written."""
        if len(encoded) > LARGEST_STATEMENT:
            raise InvalidSeal("the statement is too long")
        try:
            value = json.loads(encoded)
            statement = _statement(value)
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
            raise InvalidSeal("the statement cannot be read") from error
        if statement.encode() != encoded:
            raise InvalidSeal("the statement is not in its canonical form")
        return statement


_TIME_FIELDS = ("end_ns", "end_ticks", "start_ns", "start_ticks")
_PLAIN_FIELDS = tuple(
    name
    for name in Statement.__dataclass_fields__
    if name not in _TIME_FIELDS and name not in ("size", "clock_state", "clock_offset_ns")
)
_ID_FIELDS = ("node", "camera", "run", "segment")
_INTEGER_FIELDS = ("sequence", "fragments", "frames", "first_dts", "end_dts", "lost_packets")


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, without spaces, in UTF-8: the only form that is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _statement(value: dict[str, Any]) -> Statement:
    if value["version"] != VERSION:
        raise InvalidSeal("the statement's version is not known")
    plain = {name: value[name] for name in _PLAIN_FIELDS}
    times = {name: value["time"][name] for name in _TIME_FIELDS}
    offset_ns = value["clock"]["offset_ns"]
    size = value["bytes"]
    integers = [
        size,
        *(plain[name] for name in _INTEGER_FIELDS),
        *times.values(),
        *([] if offset_ns is None else [offset_ns]),
    ]
    if any(type(number) is not int or abs(number) > _LARGEST_INTEGER for number in integers):
        raise InvalidSeal("a number of the statement is none")
    if min(size, plain["sequence"], plain["fragments"], plain["frames"], plain["lost_packets"]) < 0:
        raise InvalidSeal("a count of the statement is negative")
    if not all(is_id(plain[name]) for name in _ID_FIELDS):
        raise InvalidSeal("an id of the statement is none")
    if not all(_HEX.fullmatch(plain[name]) for name in ("root", "key")):
        raise InvalidSeal("a hash of the statement is none")
    if plain["previous"] and not _HEX.fullmatch(plain["previous"]):
        raise InvalidSeal("the previous seal's hash is none")
    if type(plain["final"]) is not bool:
        raise InvalidSeal("the statement does not say whether it is final")
    plain["stream"] = StreamName(plain["stream"])
    plain["state"] = SegmentState(plain["state"])
    return Statement(
        **plain, **times, size=size, clock_offset_ns=offset_ns, clock_state=ClockState(value["clock"]["state"])
    )


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it stands in a file; its signature is not checked yet."""

    statement: Statement
    encoded: bytes  # the statement's bytes
    signature: bytes
    rows: tuple[FragmentRow, ...]

    def signed_by(self, key: PublicKey) -> bool:
        """Whether this key signed the statement, and the statement names this key."""
        return self.statement.key == key.fingerprint and key.verify(SIGNED_PREFIX + self.encoded, self.signature)


def seal_box(statement: Statement, key: SigningKey, rows: Sequence[FragmentRow]) -> bytes:
    """The signed `uuid` box (docs/recording.md) with a row for each fragment of the segment.

    Whether it is final is the statement's word. Raises ValueError when statement, key and rows do not fit.
    """
    if statement.key != key.fingerprint:
        raise ValueError("the statement names another key")
    if statement.fragments != len(rows):
        raise ValueError("the statement counts other fragments than there are rows")
    encoded = statement.encode()
    size = _BOX_HEAD.size + len(encoded) + SIGNATURE_BYTES + _COUNT.size + _ROW.size * len(rows) + _COUNT.size
    flags = _FINAL if statement.final else 0
    parts = [
        _BOX_HEAD.pack(size, b"uuid", SEAL_UUID, VERSION, flags, 0, len(encoded)),
        encoded,
        key.sign(SIGNED_PREFIX + encoded),
        _COUNT.pack(len(rows)),
        *(_ROW.pack(row.size, row.duration, row.samples << 8 | (_KEY if row.key else 0), row.leaf) for row in rows),
        _COUNT.pack(size),
    ]
    return b"".join(parts)


def is_seal_box(start: bytes | memoryview) -> bool:
    """Whether a box that starts with these (at least 24) bytes is a seal."""
    return bytes(start[4:24]) == b"uuid" + SEAL_UUID


def parse_seal_box(box: bytes | memoryview) -> Seal:
    """Reads a whole seal box; the signature is left to `Seal.signed_by`. Raises InvalidSeal."""
    box = bytes(box)
    if len(box) < _BOX_HEAD.size:
        raise InvalidSeal("the seal box is cut off")
    size, kind, user_type, version, flags, _reserved, length = _BOX_HEAD.unpack_from(box)
    if kind != b"uuid" or user_type != SEAL_UUID:
        raise InvalidSeal("the box is no seal")
    if version != VERSION:
        raise InvalidSeal(f"the seal's version {version} is not known")
    at = _BOX_HEAD.size + length + SIGNATURE_BYTES
    if size != len(box) or at + 2 * _COUNT.size > size:
        raise InvalidSeal("the seal box is cut off")
    encoded = box[_BOX_HEAD.size : _BOX_HEAD.size + length]
    statement = Statement.decode(encoded)
    (count,) = _COUNT.unpack_from(box, at)
    at += _COUNT.size
    if at + count * _ROW.size + _COUNT.size != size or _COUNT.unpack_from(box, size - _COUNT.size)[0] != size:
        raise InvalidSeal("the seal's table does not fit its box")
    if count != statement.fragments or bool(flags & _FINAL) != statement.final:
        raise InvalidSeal("the seal's table does not fit its statement")
    table = box[at : size - _COUNT.size]
    rows = tuple(
        FragmentRow(fragment_size, duration, bool(bits & _KEY), bits >> 8, leaf)
        for fragment_size, duration, bits, leaf in _ROW.iter_unpack(table)
    )
    signature = box[_BOX_HEAD.size + length : _BOX_HEAD.size + length + SIGNATURE_BYTES]
    return Seal(statement, encoded, signature, rows)
