"""Interleaved RTP becomes exactly the access units that were packetised, however the bytes arrive."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rtp_packetiser import Packetiser, interleaved, sender_report
from tests.stream_feeder import DELIMITER, H264, H265, REPLY, SETS, Feeder, sample, sei, slice_unit

from xomyen.camera.errors import CameraFault, MalformedStream
from xomyen.terms.words import VideoCodec

BODIES = st.one_of(
    st.binary(min_size=2, max_size=60),
    st.tuples(st.integers(200, 9_000), st.integers(0, 255)).map(
        lambda t: bytes((t[1] + i * 7) & 255 for i in range(t[0]))
    ),
)


@st.composite
def pictures(draw: st.DrawFn, codec: VideoCodec) -> list[list[bytes]]:
    """Access units in decoding order, the first a keyframe."""
    count = draw(st.integers(1, 6))
    found = []
    for index in range(count):
        key = index == 0 or draw(st.booleans())
        units = []
        if draw(st.booleans()):
            units.append(DELIMITER[codec])
        if key and draw(st.booleans()):
            units += SETS[codec]
        if draw(st.booleans()):
            units.append(sei(codec, draw(st.binary(min_size=2, max_size=300))))
        units += [slice_unit(codec, key, draw(BODIES)) for _ in range(draw(st.integers(1, 3)))]
        found.append(units)
    return found


@st.composite
def streams(draw: st.DrawFn) -> tuple[VideoCodec, bool, list[list[bytes]], bytes, list[int]]:
    codec = draw(st.sampled_from([H264, H265]))
    donl = codec is H265 and draw(st.booleans())
    packetiser = Packetiser(
        codec,
        mtu=draw(st.sampled_from([60, 99, 400, 1400])),
        sequence=draw(st.sampled_from([0, 65_530, 65_000, 250])),
        donl=donl,
        sources=draw(st.sampled_from([0, 0, 2])),
        extension=draw(st.sampled_from([None, None, b"", b"12345678"])),
        padding=draw(st.sampled_from([0, 0, 4])),
        aggregate=draw(st.booleans()),
        marker=draw(st.booleans()),
    )
    shown = draw(pictures(codec))
    data = b""
    stamp = draw(st.sampled_from([0, 2**32 - 4000]))
    between = st.sampled_from(
        [b"", b"", interleaved(1, sender_report(10**18, 5)), REPLY, interleaved(5, b"other track")]
    )
    for units in [*shown, [slice_unit(codec, False, b"the one after")]]:
        for packet in packetiser.packets(units, stamp):
            data += packet + draw(between)
        stamp += 3600
    chunks = draw(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
    if max(chunks) < 50:
        chunks.append(2000)
    return codec, donl, shown, data, chunks


@given(streams())
@settings(max_examples=150, deadline=None)
def test_every_packetisation_and_every_chunking_gives_the_access_units_back(stream):
    codec, donl, shown, data, chunks = stream
    feeder = Feeder(codec, donl=donl).feed(data, chunks)
    found = feeder.end()
    for at, units in enumerate(shown):
        assert found[at] == sample(codec, units)
    assert feeder.sink.lost_packets == 0
    assert len(feeder.sink.configs) == 1
    times = [unit.dts for unit in feeder.sink.units]
    assert times == [times[0] + 3600 * index for index in range(len(times))]
    assert all(unit.pts == unit.dts for unit in feeder.sink.units)


@pytest.mark.parametrize("codec", [H264, H265])
@pytest.mark.parametrize("chunk", [33, 400, 60_000])
def test_parameter_sets_in_fragments_make_the_configuration_however_they_arrive(codec, chunk):
    sets = tuple(unit + bytes(range(1, 250)) for unit in SETS[codec])
    shown = [sei(codec, bytes(300)), *sets, slice_unit(codec, True, bytes(200))]
    packetiser = Packetiser(codec, mtu=60)
    data = b"".join(packetiser.packets(shown, 0) + packetiser.packets([slice_unit(codec, False, b"next")], 3600))
    feeder = Feeder(codec, sets=()).feed(data, [chunk])
    assert feeder.end()[0] == sample(codec, shown)
    assert [config.parameter_sets for config in feeder.sink.configs] == [sets]


@pytest.mark.parametrize("codec", [H264, H265])
def test_keys_are_idr_and_irap_pictures(codec):
    packetiser = Packetiser(codec)
    data = b""
    for index in range(12):
        data += b"".join(packetiser.packets([slice_unit(codec, index % 4 == 0, bytes(5000))], index * 3600))
    feeder = Feeder(codec).feed(data)
    feeder.end()
    assert [unit.key for unit in feeder.sink.units] == [index % 4 == 0 for index in range(12)]


@pytest.mark.parametrize("codec", [H264, H265])
def test_pictures_before_the_first_keyframe_are_left_out(codec):
    packetiser = Packetiser(codec)
    data = b"".join(
        packet
        for index in range(6)
        for packet in packetiser.packets([slice_unit(codec, index == 3, b"%d" % index)], index * 3600)
    )
    feeder = Feeder(codec).feed(data)
    assert feeder.end() == [sample(codec, [slice_unit(codec, i == 3, b"%d" % i)]) for i in (3, 4, 5)]
    assert feeder.sink.units[0].key


@pytest.mark.parametrize("codec", [H264, H265])
@pytest.mark.parametrize("dropped", [1, 2, 5])
def test_missing_packets_are_counted_and_only_their_nal_unit_is_lost(codec, dropped):
    packetiser = Packetiser(codec, mtu=100)
    key = packetiser.packets([slice_unit(codec, True, bytes(3000))], 0)
    damaged = packetiser.packets(
        [slice_unit(codec, False, b"whole slice"), slice_unit(codec, False, bytes(3000))], 3600
    )
    after = packetiser.packets([slice_unit(codec, False, b"after")], 7200)
    del damaged[8 : 8 + dropped]
    feeder = Feeder(codec).feed(b"".join(key + damaged + after))
    assert feeder.end() == [
        sample(codec, [slice_unit(codec, True, bytes(3000))]),
        sample(codec, [slice_unit(codec, False, b"whole slice")]),
        sample(codec, [slice_unit(codec, False, b"after")]),
    ]
    assert feeder.sink.lost_packets == dropped


@given(
    st.sampled_from([H264, H265]),
    st.lists(st.integers(0, 400), max_size=30),
    st.lists(st.integers(200, 9000), min_size=1, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_lost_what_comes_out_was_sent(codec, holes, chunks):
    packetiser = Packetiser(codec, mtu=120, sequence=65_400)
    packets, sent = [], set()
    for index in range(20):
        units = [slice_unit(codec, index % 5 == 0, bytes((index + i) & 255 for i in range(1000 + 100 * index)))]
        sent.add(sample(codec, units))
        packets += packetiser.packets(units, 3600 * index)
    left = [packet for index, packet in enumerate(packets) if index not in holes]
    feeder = Feeder(codec).feed(b"".join(left), chunks)
    assert set(feeder.end()) <= sent
    assert feeder.depacketiser.lost_packets >= len({hole for hole in holes if 0 < hole < len(packets) - 1}) - 20


@pytest.mark.parametrize("length", range(96, 103))
def test_a_last_fragment_of_any_length_is_kept_with_decoding_order_numbers(length):
    packetiser = Packetiser(H265, mtu=51, donl=True)
    shown = [slice_unit(H265, True, bytes(length)), slice_unit(H265, False, b"next")]
    data = b"".join(packet for i, unit in enumerate(shown) for packet in packetiser.packets([unit], 3600 * i))
    assert Feeder(H265, donl=True).feed(data).end() == [sample(H265, [unit]) for unit in shown]


def test_late_and_repeated_packets_are_left_out():
    packetiser = Packetiser(H264)
    packets = [packetiser.packets([slice_unit(H264, i == 0, b"%d" % i)], 3600 * i)[0] for i in range(5)]
    feeder = Feeder(H264).feed(b"".join([*packets[:3], packets[1], packets[2], *packets[3:]]))
    assert feeder.end() == [sample(H264, [slice_unit(H264, i == 0, b"%d" % i)]) for i in range(5)]
    assert feeder.sink.lost_packets == 0


def test_a_sequence_that_begins_anew_counts_as_one_loss():
    packetiser = Packetiser(H264, sequence=100)
    data = b"".join(packetiser.packets([slice_unit(H264, True, b"one")], 0))
    packetiser.sequence = 40_000
    data += b"".join(packetiser.packets([slice_unit(H264, False, b"two")], 3600))
    feeder = Feeder(H264).feed(data)
    assert len(feeder.end()) == 2
    assert feeder.depacketiser.lost_packets == 1


def test_a_camera_that_sets_the_marker_on_every_slice_still_gives_whole_pictures():
    packetiser = Packetiser(H264)
    data, shown = b"", []
    for index in range(20):
        units = [slice_unit(H264, index == 0, b"%d %d" % (index, part)) for part in range(3)]
        shown.append(sample(H264, units))
        data += b"".join(b"".join(packetiser.packets([unit], 3600 * index)) for unit in units)
    feeder = Feeder(H264).feed(data, [50])
    assert feeder.end() == shown


def test_after_some_pictures_the_marker_ends_a_picture_without_waiting_for_the_next():
    packetiser = Packetiser(H264)
    feeder = Feeder(H264)
    for index in range(12):
        feeder.feed(b"".join(packetiser.packets([slice_unit(H264, index == 0, b"%d" % index)], 3600 * index)))
    assert len(feeder.sink.units) == 12


def test_media_signing_sei_is_kept_byte_for_byte_in_its_place():
    uuid = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")
    before, behind = sei(H264, b"\x05\x20" + uuid + b"signed"), slice_unit(H264, False, b"slice")
    packetiser = Packetiser(H264)
    data = b"".join(packetiser.packets([slice_unit(H264, True, b"key")], 0))
    data += b"".join(packetiser.packets([before, behind, sei(H264, b"suffix")], 3600))
    data += b"".join(packetiser.packets([slice_unit(H264, False, b"next")], 7200))
    assert Feeder(H264).feed(data, [23]).end()[1] == sample(H264, [before, behind, sei(H264, b"suffix")])


def test_a_jump_of_media_time_opens_a_new_run_at_the_next_keyframe_and_loses_nothing():
    packetiser = Packetiser(H264)
    data = b""
    for index in range(9):
        jump = 5_000_000 if index >= 3 else 0
        units = [slice_unit(H264, index in (0, 5), b"%d" % index)]
        data += b"".join(packetiser.packets(units, 3600 * index + jump))
    feeder = Feeder(H264).feed(data)
    assert len(feeder.end()) == 9
    assert [unit.run for unit in feeder.sink.units] == [1] * 5 + [2] * 4
    assert [unit.dts for unit in feeder.sink.units] == [3600 * index for index in range(9)]


def test_what_stands_between_the_pictures_reaches_the_session():
    packetiser = Packetiser(H264)
    report = sender_report(10**18, 0)
    data = interleaved(1, report) + REPLY + b"".join(packetiser.packets([slice_unit(H264, True, b"x")], 0))
    feeder = Feeder(H264).feed(data, [3])
    assert feeder.control.packets == [report]
    assert [message.body for message in feeder.control.messages] == [b"body"]


def test_a_short_control_packet_does_not_wait_for_more():
    goodbye = struct.pack(">BBHI", 0x81, 203, 1, 1)
    assert Feeder(H264).feed(interleaved(1, goodbye) * 2).control.packets == [goodbye] * 2


def test_bytes_outside_the_framing_end_the_session():
    packetiser = Packetiser(H264)
    data = b"".join(packetiser.packets([slice_unit(H264, True, b"x")], 0))
    with pytest.raises(MalformedStream):
        Feeder(H264).feed(data + bytes(100))


@pytest.mark.parametrize(("count", "whole"), [(5, 4), (30, 30)])  # later on the marker tells that the last is whole
def test_pictures_that_were_whole_before_a_session_fails_are_delivered_and_nothing_else(count, whole):
    packetiser = Packetiser(H264, mtu=100)
    shown = [[slice_unit(H264, index == 0, b"%d" % index * 300)] for index in range(count)]
    packets = [b"".join(packetiser.packets(units, 3600 * index)) for index, units in enumerate(shown)]
    feeder = Feeder(H264)
    feeder.feed(packets[0] + packets[1][:500])
    with pytest.raises(MalformedStream):
        feeder.feed(b"".join([packets[1][500:], *packets[2:], bytes(100)]))
    assert feeder.end() == [sample(H264, units) for units in shown[:whole]]


def test_a_picture_without_end_ends_the_session(monkeypatch):
    monkeypatch.setattr("xomyen.camera.depacketiser.MAX_ACCESS_UNIT_BYTES", 1_000_000)
    feeder = Feeder(H264)
    packetiser = Packetiser(H264, mtu=60_000)
    with pytest.raises(MalformedStream):
        feeder.feed(b"".join(packetiser.packets([slice_unit(H264, True, bytes(2_000_000))], 0)))


def test_more_small_units_than_there_is_room_for_end_the_session_and_fewer_do_not():
    def packets(count: int) -> bytes:
        unit = struct.pack(">HB", 1, 0x06)  # a NAL unit of one byte, which needs five
        return b"".join(
            interleaved(0, struct.pack(">BBHII", 0x80, 96, number, 0, 1) + b"\x78" + unit * 20_000)
            for number in range(1, count + 1)
        )

    chunk = 127 * 1024  # nearly all of the leased buffer
    slices = b"".join(Packetiser(H264).packets([slice_unit(H264, True, b"x")], 0))
    assert Feeder(H264).feed(packets(1), [chunk]).depacketiser.lost_packets == 0
    with pytest.raises(MalformedStream, match="small NAL units"):
        Feeder(H264).feed(slices + packets(2), [chunk])


def test_small_units_take_the_room_that_fragments_leave():
    packetiser = Packetiser(H264, mtu=60, aggregate=True)
    units = [slice_unit(H264, True, bytes(75_000)), *[sei(H264, b"x")] * 6_000]
    packets = packetiser.packets(units[:1], 0)
    packetiser.mtu = 1400
    packets += packetiser.packets(units[1:], 0)
    data = b"".join(packets)
    feeder = Feeder(H264)
    feeder.feed(data, [127 * 1024])
    feeder.feed(b"".join(packetiser.packets([slice_unit(H264, False, b"next")], 3600)))
    assert feeder.end()[0] == sample(H264, units)


@given(st.sampled_from([H264, H265]), st.binary(max_size=3000), st.lists(st.integers(1, 500), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_garbage_raises_nothing_but_camera_faults(codec, garbage, chunks):
    with contextlib.suppress(CameraFault):
        Feeder(codec).feed(garbage, chunks).end()


@given(
    st.sampled_from([H264, H265]),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=90)), max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_garbage_inside_rtp_packets_never_breaks_the_batch(codec, donl, payloads):
    packetiser = Packetiser(codec, donl=donl)
    data = b"".join(packetiser.packets([slice_unit(codec, True, b"key")], 0))
    for index, (seed, payload) in enumerate(payloads):
        packetiser.sources, packetiser.padding = seed & 3, seed >> 4 & 3
        first = bytes([(28, 24, 0x62, 0x60, 0x41, 0x26)[seed % 6]])
        data += packetiser.packet(first + payload, 3600 * (1 + index // 3), bool(seed & 8))
    feeder = Feeder(codec, donl=donl).feed(data, [1000, 33])
    feeder.end()
    times = [unit.dts for unit in feeder.sink.units]
    assert times == sorted(set(times))
