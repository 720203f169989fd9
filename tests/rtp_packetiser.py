"""A small RTP packetiser for H.264 and H.265, the other way round than the product's depacketiser."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from xomyen.terms.words import VideoCodec


@dataclass
class Packetiser:
    """Makes interleaved RTP packets (RFC 2326 §10.12, RFC 3550 §5.1, RFC 6184, RFC 7798)."""

    codec: VideoCodec
    channel: int = 0
    payload_type: int = 96
    mtu: int = 1400  # bytes of payload
    sequence: int = 0
    donl: bool = False
    sources: int = 0  # CSRC count
    extension: bytes | None = None  # a multiple of four bytes
    padding: int = 0
    aggregate: bool = False
    marker: bool = True
    order: int = field(default=0, init=False)

    def packets(self, units: Sequence[bytes], timestamp: int) -> list[bytes]:
        """One access unit's NAL units as packets; the last has the marker."""
        payloads: list[bytes] = []
        waiting: list[bytes] = []
        for unit in units:
            if self.aggregate and len(unit) + 20 < self.mtu:
                waiting.append(unit)
                continue
            payloads += self._flush(waiting)
            payloads += [self._single(unit)] if len(unit) <= self.mtu else self._fragments(unit)
        payloads += self._flush(waiting)
        last = len(payloads) - 1
        return [self.packet(p, timestamp, self.marker and i == last) for i, p in enumerate(payloads)]

    def packet(self, payload: bytes, timestamp: int, marker: bool) -> bytes:
        first = 0x80 | self.sources | (0x10 if self.extension is not None else 0) | (0x20 if self.padding else 0)
        head = struct.pack(
            ">BBHII", first, self.payload_type | marker << 7, self.sequence, timestamp & 0xFFFFFFFF, 0xC0FFEE
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        head += bytes(4 * self.sources)
        if self.extension is not None:
            head += struct.pack(">HH", 0xBEDE, len(self.extension) // 4) + self.extension
        tail = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        return interleaved(self.channel, head + payload + tail)

    def _decoding_order(self) -> bytes:
        self.order += 1
        return struct.pack(">H", self.order & 0xFFFF) if self.donl else b""

    def _single(self, unit: bytes) -> bytes:
        header = 1 if self.codec is VideoCodec.H264 else 2
        return unit[:header] + self._decoding_order() + unit[header:]

    def _flush(self, waiting: list[bytes]) -> list[bytes]:
        payloads = []
        while waiting:
            body, first = b"", True
            head = b"\x18" if self.codec is VideoCodec.H264 else b"\x60\x01"
            while waiting and (first or len(body) + len(waiting[0]) + 8 < self.mtu):
                unit = waiting.pop(0)
                if self.donl:
                    body += self._decoding_order() if first else b"\0"
                body += struct.pack(">H", len(unit)) + unit
                first = False
            payloads.append(head + body)
        return payloads

    def _fragments(self, unit: bytes) -> list[bytes]:
        if self.codec is VideoCodec.H264:
            indicator, kind, body = bytes([unit[0] & 0xE0 | 28]), unit[0] & 31, unit[1:]
        else:
            indicator, kind, body = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit[0] >> 1 & 63, unit[2:]
        size = self.mtu - len(indicator) - 1
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        if len(pieces) == 1:  # a fragmented unit has at least two fragments
            pieces = [body[:1], body[1:]]
        payloads = []
        for index, piece in enumerate(pieces):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            order = self._decoding_order() if index == 0 else b""
            payloads.append(indicator + bytes([flags | kind]) + order + piece)
        return payloads


def interleaved(channel: int, packet: bytes) -> bytes:
    """An RTP or RTCP packet as it stands in the RTSP connection."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


def sender_report(wall_ns: int, rtp_timestamp: int, source: int = 0xC0FFEE) -> bytes:
    """An RTCP sender report (RFC 3550 §6.4.1)."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    ntp = (seconds + 2_208_988_800, (rest << 32) // 1_000_000_000)
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, source, *ntp, rtp_timestamp & 0xFFFFFFFF, 7, 7000)
