"""A depacketiser fed from memory the way a reader feeds it, and the words to say what it gets."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from tests.stream_sinks import RememberingSink

from xomyen.camera.depacketiser import Depacketiser
from xomyen.camera.nal_shape import nal_shape
from xomyen.camera.rtsp_message import Request, Response
from xomyen.camera.source import CodecConfig
from xomyen.terms.buffers import BufferPool, ReceiveBuffer
from xomyen.terms.words import VideoCodec

H264, H265 = VideoCodec.H264, VideoCodec.H265
SETS = {
    H264: (b"\x67\x64\x00\x28sps", b"\x68\xeepps"),
    H265: (b"\x40\x01vps", b"\x42\x01sps", b"\x44\x01pps"),
}
DELIMITER = {H264: b"\x09\xf0", H265: b"\x46\x01\x10"}
REPLY = b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: 4\r\n\r\nbody"


def configure(codec: VideoCodec, sets: Sequence[bytes], reorder: int = 0) -> CodecConfig:
    kinds = {unit[0] for unit in sets}
    if len(kinds) < len(SETS[codec]):
        raise ValueError("a parameter set is missing")
    latest = {unit[0]: unit for unit in sets}
    return CodecConfig(codec, tuple(latest.values()), 16, 16, b"".join(sorted(latest.values())), "x", reorder)


@dataclass
class Control:
    packets: list[bytes]
    messages: list[Request | Response]

    def rtcp(self, packet: bytes) -> None:
        self.packets.append(packet)

    def rtsp(self, message: Request | Response) -> None:
        self.messages.append(message)


class Feeder:
    """A depacketiser with its buffers, fed the way a reader feeds it."""

    def __init__(self, codec: VideoCodec, *, donl: bool = False, sets: Sequence[bytes] | None = None, reorder: int = 0):
        self.sink = RememberingSink()
        self.control = Control([], [])
        self.received = ReceiveBuffer(128 * 1024)
        self.pool = BufferPool(128 * 1024, 4)
        self.depacketiser = Depacketiser(
            nal_shape(codec, donl),
            0,
            96,
            self.sink,
            self.control,
            lambda found: configure(codec, found, reorder),
            SETS[codec] if sets is None else sets,
        )

    def feed(self, data: bytes, chunks: Sequence[int] = (60_000,)) -> "Feeder":
        at = turn = 0
        while at < len(data):
            size = chunks[turn % len(chunks)]
            turn += 1
            piece = data[at : at + size]
            at += size
            lease = self.pool.take()
            assert lease is not None
            tail = self.depacketiser.tail
            held = len(tail)
            received = self.received.view
            received[:held] = tail
            received[held : held + len(piece)] = piece
            try:
                self.depacketiser.feed(self.received, held + len(piece), lease, 10**18)
            finally:
                lease.release()
                received[:] = b"\xaa" * len(received)
                lease.view[:] = b"\x55" * len(lease.view)  # nothing may still point here
        return self

    def end(self) -> list[bytes]:
        self.depacketiser.end()
        assert self.pool.out == 0
        return [unit.data for unit in self.sink.units]


def sample(codec: VideoCodec, units: Sequence[bytes]) -> bytes:
    """What must come out: lengths before NAL units, without delimiters."""
    delimiter = 9 if codec is H264 else 35
    kinds = [unit[0] & 31 if codec is H264 else unit[0] >> 1 & 63 for unit in units]
    return b"".join(
        struct.pack(">I", len(unit)) + unit for unit, kind in zip(units, kinds, strict=True) if kind != delimiter
    )


def slice_unit(codec: VideoCodec, key: bool, body: bytes) -> bytes:
    if codec is H264:
        return (b"\x65" if key else b"\x41") + body
    return (b"\x26\x01" if key else b"\x02\x01") + body


def sei(codec: VideoCodec, body: bytes) -> bytes:
    return (b"\x06" if codec is H264 else b"\x4e\x01") + body
