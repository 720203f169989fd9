"""Rows of the index as values; the schema's comments say what each column means."""

import builtins
from dataclasses import dataclass

from xomyen.terms.words import ClockState, GapReason, SegmentState, StreamName, VideoCodec


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    camera: str
    stream: StreamName
    started_ns: int
    codec: VideoCodec
    codec_string: str
    width: int
    height: int
    sample_entry: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    id: str
    camera: str
    stream: StreamName
    run: str
    sequence: int
    volume: str
    path: str  # absolute
    state: SegmentState
    start_ns: int
    end_ns: int
    first_dts: int
    end_dts: int
    bytes: int
    fragments: int
    frames: int
    lost_packets: int
    clock_state: ClockState
    clock_offset_ns: int | None
    late: bool
    seal_hash: builtins.bytes | None


@dataclass(frozen=True, slots=True)
class Span:
    start_ns: int
    end_ns: int
    run: str


@dataclass(frozen=True, slots=True)
class Gap:
    id: str
    start_ns: int
    end_ns: int | None
    reason: GapReason
    detail: str


@dataclass(frozen=True, slots=True)
class Hold:
    id: str
    camera: str
    start_ns: int
    end_ns: int
    reason: str
    who: str
    until_ns: int
