"""What a camera's stream looks like to the recorder, whatever protocol it came by.

A *source* talks to one stream of one camera and calls a *sink* on the event loop:

    opened(config)  →  write(batch)*  →  opened(config) when parameter sets change  →  closed(reason)

A source reconnects by itself: `closed` says why footage stops, the next `opened` says that it goes on.
Sinks never block and never raise for bad pictures.
"""

from dataclasses import dataclass
from typing import Protocol

from xomyen.terms.buffers import Bytes, Lease
from xomyen.terms.words import GapReason, VideoCodec


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """What a decoder needs before the first access unit.

    `sample_entry` is the whole ``avc1`` or ``hvc1`` box (ISO/IEC 14496-12 §8.5.2, 14496-15 §5.4, §8.4)
    with the configuration record inside; two configs are the same stream exactly when these bytes are equal.
    """

    codec: VideoCodec
    parameter_sets: tuple[bytes, ...]  # NAL units without start codes: [VPS,] SPS, PPS …
    width: int  # pixels, after cropping
    height: int
    sample_entry: bytes
    codec_string: str  # RFC 6381, such as avc1.640028 or hvc1.1.6.L93.B0
    max_reorder: int  # pictures by which decoding order may run ahead of presentation; 0 = no B-frames


class Batch:
    """Whole access units of one stream, as they came in one read; no object per frame or packet.

    One without access units tells only that packets were lost.

    The access units are the concatenation of `parts`, the *i*-th `sizes[i]` bytes long, in the form of ISO/IEC
    14496-15 (each NAL unit behind its 4-byte length; no access-unit delimiters; parameter sets that came in band stay
    where they stood, and count in the CodecConfig too). The parts, few and long, are slices of leased buffers or bytes
    of their own; they need not end where access units do. Whoever keeps them after `write` returns retains each lease
    and releases it when the bytes are on disk.
    """

    __slots__ = (
        "arrived_ns",
        "dts_ticks",
        "keys",
        "leases",
        "lost_packets",
        "parts",
        "pts_ticks",
        "sizes",
    )

    def __init__(self) -> None:
        self.parts: list[Bytes] = []
        self.sizes: list[int] = []  # bytes
        self.pts_ticks: list[int] = []  # 90 kHz, 32-bit wrap undone, runs on for the whole session
        self.dts_ticks: list[int] = []  # ≤ pts, strictly increasing
        self.keys: list[bool] = []  # IDR (H.264) or IRAP (H.265)
        self.lost_packets = 0  # RTP packets missing or unusable since the batch before
        self.arrived_ns = 0  # node's wall clock when the last byte was read
        self.leases: list[Lease] = []


class StreamSink(Protocol):
    """Where a source delivers; the recording room has one per stream."""

    def opened(self, config: CodecConfig) -> None:
        """A session began, or its parameter sets changed in a way that matters: a new run."""
        ...

    def write(self, batch: Batch) -> None:
        """Takes whole access units. Never blocks."""
        ...

    def camera_clock(self, offset_ns: int) -> None:
        """The camera's own clock minus the node's, measured from an RTCP sender report (RFC 3550 §6.4.1)."""
        ...

    def closed(self, reason: GapReason, detail: str) -> None:
        """No pictures from now on, and why, in words without secrets.

        Also called while retrying, when the reason changes.
        """
        ...


class Source(Protocol):
    """One stream of one camera; started and stopped with `async with`."""

    async def __aenter__(self) -> "Source": ...

    async def __aexit__(self, *exception: object) -> None: ...

    def watch(self, watched: bool) -> None:
        """While watched, read at once instead of on the tick."""
        ...
