"""Messages between a node's process and its libav processes, behind a 4-byte length each.

A message is: length (32 bit, of what follows), kind (8 bit), number of the reader (32 bit), content.
Both ends are this program, so a message that does not fit is a bug or a torn stream: WireError.
"""

import json
import struct
from array import array
from dataclasses import asdict, dataclass
from enum import IntEnum

from xomyen.terms.words import VideoCodec

MAX_MESSAGE_BYTES = 64 << 20
HEADER = struct.Struct(">IBI")
_BATCH = struct.Struct(">IQI")  # access units, arrived_ns, lost packets


class WireError(ValueError):
    """A message that cannot be read."""


class Kind(IntEnum):
    # to the child
    START = 1
    STOP = 2
    WATCH = 3
    UNWATCH = 4
    # from the child
    OPENED = 16
    BATCH = 17
    CLOSED = 18


@dataclass(frozen=True, slots=True)
class Start:
    """What a reader needs. The only place where a password crosses between processes."""

    url: str
    user: str | None
    password: str | None
    silence_s: float  # how long a connected camera may say nothing
    open_s: float  # how long connecting may take

    def __repr__(self) -> str:
        return "Start(…)"


@dataclass(frozen=True, slots=True)
class Opened:
    codec: VideoCodec
    parameter_sets: tuple[bytes, ...]
    audio_offered: bool


@dataclass(frozen=True, slots=True)
class Closed:
    code: str  # of a CameraFault
    message: str


@dataclass(frozen=True, slots=True)
class Units:
    """Whole access units, one after another in `data`; none when it tells only of losses."""

    arrived_ns: int
    lost_packets: int  # RTP packets missing since the message before
    sizes: list[int]
    pts_ticks: list[int]
    dts_ticks: list[int]
    keys: list[bool]
    data: memoryview


def frame(kind: Kind, number: int, content: bytes = b"") -> bytes:
    """A whole message."""
    return HEADER.pack(5 + len(content), kind, number) + content


def encode_start(start: Start) -> bytes:
    return json.dumps(asdict(start)).encode()


def decode_start(content: bytes) -> Start:
    try:
        return Start(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise WireError("START") from error


def encode_closed(closed: Closed) -> bytes:
    return json.dumps(asdict(closed)).encode()


def decode_closed(content: bytes) -> Closed:
    try:
        return Closed(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise WireError("CLOSED") from error


def encode_opened(opened: Opened) -> bytes:
    sets = {
        "codec": opened.codec,
        "audio": opened.audio_offered,
        "parameter_sets": [nal.hex() for nal in opened.parameter_sets],
    }
    return json.dumps(sets).encode()


def decode_opened(content: bytes) -> Opened:
    try:
        found = json.loads(content)
        sets = tuple(bytes.fromhex(nal) for nal in found["parameter_sets"])
        return Opened(VideoCodec(found["codec"]), sets, bool(found["audio"]))
    except (ValueError, TypeError, KeyError) as error:
        raise WireError("OPENED") from error


def units_head(
    arrived_ns: int, lost_packets: int, sizes: list[int], pts: list[int], dts: list[int], keys: list[bool]
) -> bytes:
    """The content of a BATCH message up to the access units themselves."""
    return b"".join(
        (
            _BATCH.pack(len(sizes), arrived_ns, lost_packets),
            array("q", sizes).tobytes(),
            array("q", pts).tobytes(),
            array("q", dts).tobytes(),
            bytes(keys),
        )
    )


def decode_units(content: memoryview) -> Units:
    """Both ends run on one machine, so numbers are in its byte order."""
    if len(content) < _BATCH.size:
        raise WireError("BATCH")
    count, arrived_ns, lost_packets = _BATCH.unpack_from(content)
    at = _BATCH.size
    data_at = at + 25 * count
    if data_at > len(content):
        raise WireError("BATCH")
    columns = []
    for _ in range(3):
        column = array("q")
        column.frombytes(content[at : at + 8 * count])
        columns.append(column.tolist())
        at += 8 * count
    sizes, pts, dts = columns
    data = content[data_at:]
    if sum(sizes) != len(data):
        raise WireError("BATCH")
    return Units(arrived_ns, lost_packets, sizes, pts, dts, [flag == 1 for flag in content[at:data_at]], data)
