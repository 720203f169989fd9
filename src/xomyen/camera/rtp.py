"""RTP and RTCP packets (RFC 3550): where the payload lies, sender reports in, receiver reports out."""

import struct
from dataclasses import dataclass

_NTP_EPOCH_S = 2_208_988_800  # seconds from 1900 to 1970 (RFC 3550 §4)
_SENDER_REPORT = struct.Struct(">IIII")
_RECEIVER_REPORT = struct.Struct(">BBHIIIIIII")

MAX_DROPOUT = 3000  # packets; a number farther ahead (§A.1): the sender began to count anew
SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
BYE = 203


def payload_bounds(buffer: bytes | bytearray, start: int, end: int) -> tuple[int, int]:
    """Where the payload of the RTP packet in ``buffer[start:end]`` begins and ends (RFC 3550 §5.1, §5.3.1).

    Contributing sources, header extension and padding are left out. An empty payload when it is not a whole RTP packet.
    """
    if end - start < 12 or buffer[start] >> 6 != 2:
        return end, end
    first = buffer[start]
    at = start + 12 + 4 * (first & 15)
    if first & 0x10:
        if at + 4 > end:
            return end, end
        at += 4 + 4 * (buffer[at + 2] << 8 | buffer[at + 3])
    stop = end
    if first & 0x20:
        if at >= end or not buffer[end - 1]:
            return end, end
        stop -= buffer[end - 1]
    return (at, stop) if at < stop else (end, end)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a camera says about its own clock (RFC 3550 §6.4.1)."""

    source: int  # SSRC
    wall_ns: int  # the camera's wall clock, UTC
    rtp_timestamp: int  # the same instant on the media clock
    ntp_middle: int  # middle 32 bits of the NTP time, for the answer


@dataclass(frozen=True, slots=True)
class ControlPacket:
    """What matters of one compound RTCP packet."""

    report: SenderReport | None
    bye: bool


def parse_rtcp(packet: bytes) -> ControlPacket:
    """Reads a compound RTCP packet as far as it is well-formed; the rest is ignored."""
    report: SenderReport | None = None
    bye = False
    at = 0
    while at + 4 <= len(packet) and packet[at] >> 6 == 2:
        kind = packet[at + 1]
        end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        if end > len(packet):
            break
        if kind == SENDER_REPORT and end - at >= 28:
            source, high, low, stamp = _SENDER_REPORT.unpack_from(packet, at + 4)
            wall_ns = (high - _NTP_EPOCH_S) * 1_000_000_000 + (low * 1_000_000_000 >> 32)
            if wall_ns > 0:  # cameras without a clock send zero
                report = SenderReport(source, wall_ns, stamp, (high & 0xFFFF) << 16 | low >> 16)
        bye = bye or kind == BYE
        at = end
    return ControlPacket(report, bye)


def receiver_report(own: int, report: SenderReport, highest_sequence: int, lost: int) -> bytes:
    """A receiver report with an empty source description (RFC 3550 §6.4.2, §6.5).

    `own` is our SSRC, `highest_sequence` the extended highest sequence number, `lost` all packets lost so far.
    """
    head = _RECEIVER_REPORT.pack(
        0x81,
        RECEIVER_REPORT,
        7,
        own,
        report.source,
        min(lost, 0x7FFFFF),
        highest_sequence & 0xFFFFFFFF,
        0,
        report.ntp_middle,
        0,
    )
    return head + struct.pack(">BBHIBB6sxx", 0x81, SOURCE_DESCRIPTION, 4, own, 1, 6, b"xomyen") + b"\0\0"
