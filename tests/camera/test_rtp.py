"""RTP payload bounds and RTCP reports."""

import struct

from hypothesis import given
from hypothesis import strategies as st
from tests.rtp_packetiser import Packetiser, sender_report

from xomyen.camera.rtp import SenderReport, parse_rtcp, payload_bounds, receiver_report
from xomyen.terms.words import VideoCodec

MOMENTS = st.integers(1, 2_000_000_000).map(lambda s: s * 1_000_000_000)


@given(
    st.binary(min_size=1, max_size=50),
    st.integers(0, 15),
    st.one_of(st.none(), st.integers(0, 5).map(lambda n: bytes(4 * n))),
    st.integers(0, 255),
)
def test_sources_extension_and_padding_are_left_out(payload, sources, extension, padding):
    packetiser = Packetiser(VideoCodec.H264, sources=sources, extension=extension, padding=padding)
    packet = packetiser.packet(payload, 0, False)
    start, stop = payload_bounds(packet, 4, len(packet))
    assert packet[start:stop] == payload


@given(st.binary(max_size=60))
def test_bounds_of_garbage_lie_inside_it(data):
    start, stop = payload_bounds(data, 0, len(data))
    assert 0 <= start <= stop <= len(data)


@given(MOMENTS, st.integers(0, 999_999_999), st.integers(0, 2**32 - 1))
def test_sender_reports_are_read_back(moment, rest, stamp):
    report = parse_rtcp(sender_report(moment + rest, stamp)).report
    assert report is not None
    assert abs(report.wall_ns - moment - rest) <= 1
    assert (report.rtp_timestamp, report.source) == (stamp, 0xC0FFEE)


def test_a_camera_without_a_clock_says_nothing_about_it():
    assert parse_rtcp(struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, 0, 0, 5, 0, 0)).report is None


def test_goodbye_behind_a_report_is_seen():
    packet = sender_report(10**18, 1) + struct.pack(">BBHI", 0x81, 203, 1, 1)
    assert parse_rtcp(packet).bye
    assert parse_rtcp(packet).report is not None


@given(st.binary(max_size=200))
def test_garbage_is_read_as_nothing(data):
    parse_rtcp(data)


def test_receiver_reports_are_well_formed_and_name_the_report_they_answer():
    packet = receiver_report(7, SenderReport(9, 10**18, 5, 0xABCD1234), 70_000, 3)
    first, second = struct.unpack_from(">H", packet, 2)[0], 0
    assert packet[1] == 201
    second = 4 * (first + 1)
    assert packet[second + 1] == 202
    assert second + 4 * (struct.unpack_from(">H", packet, second + 2)[0] + 1) == len(packet)
    assert struct.unpack_from(">II", packet, 4) == (7, 9)
    assert struct.unpack_from(">I", packet, 16)[0] == 70_000
    assert struct.unpack_from(">I", packet, 24)[0] == 0xABCD1234
