"""One function per parser: takes any bytes, and raises only what the parser declares is caught."""

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tests import onvif_answers
from tests.collecting_sink import CollectingSink
from tests.fuzz import corpus

from xomyen.camera.address import Credentials, parse_address, redact, split_credentials
from xomyen.camera.bits import BitstreamError
from xomyen.camera.codec_config import codec_config, length_size_of_record, parameter_sets_from_record, split_annex_b
from xomyen.camera.depacketiser import Depacketiser
from xomyen.camera.errors import CameraFault
from xomyen.camera.libav.access_units import AccessUnitFormer
from xomyen.camera.libav.wire import WireError, decode_closed, decode_opened, decode_units, units_head
from xomyen.camera.nal_shape import nal_shape
from xomyen.camera.onvif.answers import (
    read_capabilities,
    read_presets,
    read_profiles,
    read_services,
    read_time,
)
from xomyen.camera.onvif.discovery import read_matches
from xomyen.camera.onvif.networks import Endpoint
from xomyen.camera.onvif.soap import read_answer
from xomyen.camera.rtp import parse_rtcp
from xomyen.camera.rtsp_auth import Authenticator, parse_challenges
from xomyen.camera.rtsp_message import parse_message
from xomyen.camera.sdp import control_url, offers_audio, parse_sdp
from xomyen.camera.source import CodecConfig
from xomyen.proof.seal import InvalidSeal, parse_seal_box
from xomyen.recording.mp4 import BoxError, parse_header, parse_moof, walk
from xomyen.recording.segment_file import SegmentFileError, read_samples, read_segment
from xomyen.terms.buffers import BufferPool, ReceiveBuffer
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.words import VideoCodec

H264, H265 = VideoCodec.H264, VideoCodec.H265
_JOIN = b"\x00\x00\x00\x01"


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def rtsp_message(data: bytes) -> None:
    with suppress(CameraFault):
        found = parse_message(data)
        if found is not None:
            message, used = found
            assert 0 < used <= len(data)
            message.get("session")
            _ = message.sequence


def rtsp_challenge(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    authenticator = Authenticator(Credentials("lan", "secret"))
    with suppress(CameraFault):
        challenges = parse_challenges([text])
        if authenticator.accept(challenges):
            assert "secret" not in (authenticator.header("DESCRIBE", "rtsp://host/1") or "")


def onvif(data: bytes) -> None:
    """Any answer, read as an answer to each question, and as one to a multicast."""
    here = Endpoint("http", "192.168.1.9", 80, "/")
    for action, read in (
        ("GetProfiles", read_profiles),
        ("GetCapabilities", read_capabilities),
        ("GetServices", read_services),
        ("GetPresets", read_presets),
        ("GetSystemDateAndTime", read_time),
    ):
        with suppress(CameraFault):
            read(read_answer(data, action, "host"))
    for announcement in read_matches(data, "192.168.1.9", ["urn:uuid:1"]):
        assert announcement.endpoint.host == "192.168.1.9"
    beside = here.beside(data.decode("utf-8", "replace"))
    assert beside is None or beside.host == here.host


def sdp(data: bytes) -> None:
    with suppress(CameraFault):
        offers_audio(data)
        track = parse_sdp(data)
        control_url("rtsp://host/1", track.control)
        with suppress(BitstreamError):
            codec_config(track.codec, track.parameter_sets)


def address(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    redact(text)
    split_credentials(text)
    with suppress(InvalidConfiguration):
        parse_address(text)


def rtcp(data: bytes) -> None:
    with suppress(CameraFault):
        parse_rtcp(data)


class _Control:
    def rtcp(self, packet: bytes) -> None:
        parse_rtcp(packet)

    def rtsp(self, message: object) -> None:
        pass


def depacketised(codec: VideoCodec, data: bytes) -> CollectingSink:
    """Interleaved packets through the depacketiser in uneven reads."""
    sink = CollectingSink()
    pool, received = BufferPool(1 << 17, 2), ReceiveBuffer(1 << 17)

    def configure(sets: Sequence[bytes]) -> CodecConfig:
        return codec_config(codec, sets)

    depacketiser = Depacketiser(nal_shape(codec, False), 0, 96, sink, _Control(), configure, ())
    at = 0
    with suppress(CameraFault):
        for size in (7, 1000, 3, 60_000, 500, len(data)):
            piece = data[at : at + size]
            at += len(piece)
            lease = pool.take()
            assert lease is not None
            held = len(depacketiser.tail)
            received.view[:held] = depacketiser.tail
            received.view[held : held + len(piece)] = piece
            try:
                depacketiser.feed(received, held + len(piece), lease, 10**18)
            finally:
                lease.release()
                lease.view[:] = received.view[:] = bytes(len(lease.view))  # nothing may still point here
    with suppress(CameraFault):
        depacketiser.end()  # also after a fault, as a session does
    return sink


def rtp(codec: VideoCodec, data: bytes) -> None:
    """What the depacketiser delivers keeps the contract of Batch."""
    sink = depacketised(codec, data)
    sink.check_times()
    for unit in sink.units:
        at = 0
        while at < len(unit):
            at += 4 + int.from_bytes(unit[at : at + 4], "big")
        assert at == len(unit)


def parameter_sets(codec: VideoCodec, data: bytes) -> None:
    """Parameter sets behind start codes."""
    with suppress(BitstreamError):
        config = codec_config(codec, split_annex_b(data))
        assert 0 < config.width <= 0xFFFF
        assert 0 < config.height <= 0xFFFF
        assert 0 <= config.max_reorder <= 16
        assert codec_config(codec, config.parameter_sets) == config


def configuration_record(codec: VideoCodec, data: bytes) -> None:
    with suppress(BitstreamError):
        length_size_of_record(codec, data)
        parameter_sets_from_record(codec, data)
    with suppress(BitstreamError):
        AccessUnitFormer(codec, data).form(data)


def access_units(codec: VideoCodec, data: bytes) -> None:
    with suppress(BitstreamError):
        former = AccessUnitFormer(codec, b"")
        for piece in data.split(_JOIN + b"\x09"):
            former.form(piece)


def wire(data: bytes) -> None:
    for decode in (decode_units, decode_opened, decode_closed):
        with suppress(WireError):
            decode(memoryview(data) if decode is decode_units else data)


def mp4_header(data: bytes) -> None:
    with suppress(BoxError):
        parse_header(data)


def mp4_boxes(data: bytes) -> None:
    with suppress(BoxError):
        for found in walk(data):
            if found.kind == b"moof":
                with suppress(BoxError):
                    parse_moof(data, found.start)


def seal(data: bytes) -> None:
    with suppress(InvalidSeal):
        parse_seal_box(data)


def segment_file(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as file:
        file.write(data)
        file.flush()
        for walk_all in (False, True):
            with suppress(SegmentFileError):
                found = read_segment(file.name, walk_all=walk_all)
                assert found.end <= len(data)
                for fragment in found.fragments:
                    assert fragment.offset + fragment.size <= len(data)
                    with suppress(SegmentFileError):
                        read_samples(file.name, fragment)


def _sets(codec: VideoCodec) -> list[bytes]:
    return [b"".join(_JOIN + nal for nal in corpus.stream(codec)[0].parameter_sets)]


def _records(codec: VideoCodec) -> list[bytes]:
    entry = corpus.stream(codec)[0].sample_entry
    at = entry.index(b"avcC" if codec is H264 else b"hvcC")
    return [entry[at + 4 :]]


def _packets(codec: VideoCodec) -> list[bytes]:
    streams = ((1400, False), (300, True), (100, False))
    return [corpus.interleaved_stream(codec, mtu, aggregate) for mtu, aggregate in streams]


def _byte_stream(codec: VideoCodec) -> list[bytes]:
    return [b"".join(_JOIN + nal for nals in corpus.stream(codec)[1] for nal in nals)]


def _header(codec: VideoCodec) -> bytes:
    data = corpus.segment(codec)
    return data[: data.index(b"moof") - 4]


def _seals() -> list[bytes]:
    data = corpus.segment(H264)
    last = list(walk(data))[-1]
    return [data[last.start :]]


def _wire() -> list[bytes]:
    opened = b'{"codec": "h264", "audio": true, "parameter_sets": ["67640028", "68eb"]}'
    return [
        units_head(10**18, 0, [3, 4], [0, 1], [0, 1], [True, False]) + b"abcdefg",
        opened,
        b'{"code": "x", "message": "y"}',
    ]


def _by_codec(
    name: str, run: Callable[[VideoCodec, bytes], None], seeds: Callable[[VideoCodec], list[bytes]]
) -> Iterable[tuple[str, Target]]:
    for codec in VideoCodec:
        yield f"{name}-{codec}", Target(partial(run, codec), partial(seeds, codec))


TARGETS: dict[str, Target] = {
    "rtsp-message": Target(rtsp_message, lambda: corpus.MESSAGES),
    "rtsp-challenge": Target(rtsp_challenge, lambda: corpus.CHALLENGES),
    "onvif": Target(onvif, lambda: onvif_answers.ALL),
    "sdp": Target(sdp, lambda: corpus.DESCRIPTIONS),
    "address": Target(address, lambda: corpus.ADDRESSES),
    "rtcp": Target(rtcp, lambda: [corpus.REPORT[4:]]),
    **dict(_by_codec("rtp", rtp, _packets)),
    **dict(_by_codec("parameter-sets", parameter_sets, _sets)),
    **dict(_by_codec("configuration-record", configuration_record, _records)),
    **dict(_by_codec("access-units", access_units, _byte_stream)),
    "wire": Target(wire, _wire),
    "mp4-header": Target(mp4_header, lambda: [_header(codec) for codec in VideoCodec]),
    "mp4-boxes": Target(mp4_boxes, lambda: [corpus.segment(codec) for codec in VideoCodec]),
    "seal": Target(seal, _seals),
    "segment-file": Target(segment_file, lambda: [corpus.segment(codec) for codec in VideoCodec]),
}
