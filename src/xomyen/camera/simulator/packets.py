"""Access units as RTP packets interleaved in RTSP, made once (RFC 6184, RFC 7798, RFC 2326 §10.12)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import VideoCodec

PAYLOAD_TYPE = 96
MAX_PAYLOAD = 1400  # bytes of RTP payload
_NTP_EPOCH_S = 2_208_988_800  # 1970 counted from 1900
_FRAGMENT = MAX_PAYLOAD - 3  # bytes of a NAL unit in one fragment
_FRAME_HEADER = 4  # $, channel, length
_HEADER = _FRAME_HEADER + 12


@dataclass(frozen=True, slots=True)
class PacketBlock:
    """The packets of some NAL units, contiguous, with sequence numbers and times still to be set."""

    data: bytes
    patch_at: NDArray[np.intp]  # (packets, 6): places of the sequence number and the timestamp
    channel_at: NDArray[np.intp]  # places of the interleaved channel's number

    @property
    def packets(self) -> int:
        return len(self.patch_at)


def packetise(
    nals: Sequence[bytes], codec: VideoCodec, ssrc: int, last: bool = True, counts: Sequence[int] = ()
) -> PacketBlock:
    """Packets of NAL units: single where they fit, else fragmented; `last` sets the marker on the last packet.

    `counts` asks for so many packets of each NAL unit, whatever its size.
    """
    payloads: list[bytes] = []
    for index, nal in enumerate(nals):
        payloads += _payloads(nal, codec, counts[index] if counts else packet_count(len(nal)))
    parts: list[bytes] = []
    starts: list[int] = []
    at = 0
    for index, payload in enumerate(payloads):
        marker = 0x80 if last and index == len(payloads) - 1 else 0
        parts.append(struct.pack(">BBHBBHII", 0x24, 0, 12 + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, ssrc))
        parts.append(payload)
        starts.append(at)
        at += _HEADER + len(payload)
    begin = np.array(starts, np.intp).reshape(-1, 1)
    return PacketBlock(b"".join(parts), begin + _FRAME_HEADER + np.arange(2, 8, dtype=np.intp), begin[:, 0] + 1)


def packet_count(size: int) -> int:
    """How many packets a NAL unit of so many bytes takes."""
    return 1 if size <= MAX_PAYLOAD else -(-(size - 1) // _FRAGMENT)


def _payloads(nal: bytes, codec: VideoCodec, count: int) -> list[bytes]:
    if count == 1:
        return [nal]
    if codec is VideoCodec.H264:
        # FU-A (RFC 6184 §5.8): indicator with type 28, header with start, end and the type.
        head, kind, header_size = bytes([nal[0] & 0xE0 | 28]), nal[0] & 31, 1
    else:
        # FU (RFC 7798 §4.4.3): the two header bytes with type 49, then start, end and the type.
        head, kind, header_size = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63, 2
    body = nal[header_size:]
    room = _FRAGMENT if packet_count(len(nal)) == count else -(-len(body) // count)
    pieces = [body[at : at + room] for at in range(0, len(body), room)]
    last = len(pieces) - 1
    return [
        head + bytes([kind | (0x80 if i == 0 else 0) | (0x40 if i == last else 0)]) + piece
        for i, piece in enumerate(pieces)
    ]


def stamp(block: PacketBlock, first_sequence: int, timestamp: int, channel: int = 0) -> bytes:
    """A copy of the packets with sequence numbers from `first_sequence` and one timestamp."""
    data = np.frombuffer(block.data, np.uint8).copy()
    values = np.empty((block.packets, 6), np.uint8)
    sequence = (first_sequence + np.arange(block.packets)) & 0xFFFF
    values[:, 0] = sequence >> 8
    values[:, 1] = sequence & 0xFF
    values[:, 2:] = np.frombuffer(struct.pack(">I", timestamp & 0xFFFFFFFF), np.uint8)
    data[block.patch_at] = values
    if channel:
        data[block.channel_at] = channel
    return data.tobytes()


def sender_report(channel: int, ssrc: int, ntp_ns: int, timestamp: int, packets: int, octets: int) -> bytes:
    """An RTCP sender report, interleaved (RFC 3550 §6.4.1); `ntp_ns` is UTC since the Unix epoch."""
    seconds, rest = divmod(ntp_ns, NS_PER_SECOND)
    ntp = (seconds + _NTP_EPOCH_S) << 32 | (rest << 32) // NS_PER_SECOND
    body = struct.pack(
        ">BBHIQIII", 0x80, 200, 6, ssrc, ntp & (1 << 64) - 1, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )
    return struct.pack(">BBH", 0x24, channel, len(body)) + body


def silence(channel: int, number: int) -> bytes:
    """The packet of 20 ms of silence in PCMA (RFC 3551 §4.5.14), interleaved."""
    body = b"\xd5" * 160
    return (
        struct.pack(">BBHBBHII", 0x24, channel, 172, 0x80, 8, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 0x58) + body
    )
