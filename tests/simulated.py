"""Small simulated cameras for tests, and what a decoder makes of their access units."""

from collections.abc import Sequence
from typing import Any

import av
from tests.picture import Mark, read_mark

from xomyen.camera.simulator import Picturing, Simulator, demo_clip
from xomyen.terms.words import VideoCodec

SMALL = Picturing(640, 360, 25, 600_000, gop_s=1.0, seconds=2)
SMALL_SUB = Picturing(640, 240, 15, 200_000, gop_s=1.0, seconds=2)


def small_simulator(count: int = 1, **arguments: Any) -> Simulator:
    """Cameras that are encoded within a second: 640×360, a keyframe every second."""
    return Simulator([demo_clip()], count, **{"main": SMALL, "sub": SMALL_SUB, "variants": 2, **arguments})


def decoded(units: Sequence[bytes], parameter_sets: Sequence[bytes], codec: VideoCodec) -> list[av.VideoFrame]:
    """Pictures, in the order of showing, of access units whose NAL units stand behind 4-byte lengths.

    Any error of the decoder fails the test.
    """
    context = av.CodecContext.create("h264" if codec is VideoCodec.H264 else "hevc", "r")
    context.options = {"err_detect": "explode"}
    frames = []
    head = b"".join(b"\0\0\0\1" + n for n in parameter_sets)
    for unit in units:
        frames += context.decode(av.Packet(head + _annex_b(unit)))
        head = b""
    return frames + context.decode(None)


def marks(frames: Sequence[av.VideoFrame]) -> list[Mark]:
    """The mark of each picture."""
    return [read_mark(frame.to_ndarray(format="gray")) for frame in frames]


def _annex_b(unit: bytes) -> bytes:
    parts = []
    at = 0
    while at < len(unit):
        size = int.from_bytes(unit[at : at + 4], "big")
        parts.append(b"\0\0\0\1" + unit[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(parts)
