"""Session descriptions of real kinds of cameras: the video track is found, sound never is."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.errors import CameraFault, CodecNotSupported, MalformedStream
from xomyen.camera.sdp import control_url, parse_sdp
from xomyen.terms.words import VideoCodec

SPS, PPS, VPS = b"\x67\x64\x00\x28\xac", b"\x68\xee\x3c\x80", b"\x40\x01\x0c\x01"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_h264_with_sound_beside_gives_the_video_track():
    body = f"""v=0
o=- 1 1 IN IP4 10.0.0.7
s=Media
a=control:*
m=audio 0 RTP/AVP 0
a=control:trackID=2
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=640028; sprop-parameter-sets={b64(SPS)},{b64(PPS)}
a=control:trackID=1
m=application 0 RTP/AVP 107
a=control:trackID=3
""".replace("\n", "\r\n").encode()
    track = parse_sdp(body)
    assert (track.codec, track.payload_type, track.control) == (VideoCodec.H264, 96, "trackID=1")
    assert track.session_control == "*"
    assert track.parameter_sets == (SPS, PPS)


def test_h265_parameter_sets_and_decoding_order_numbers():
    sps, pps = b"\x42\x01\x01", b"\x44\x01\xc1"
    body = (
        "v=0\nm=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\n"
        f"a=fmtp:98 sprop-vps={b64(VPS)}; sprop-sps={b64(sps)};sprop-pps={b64(pps)};sprop-max-don-diff=2\n"
    )
    track = parse_sdp(body.encode())
    assert (track.codec, track.parameter_sets, track.donl) == (VideoCodec.H265, (VPS, sps, pps), True)


def test_parameter_sets_with_start_codes_missing_padding_or_garbage_are_taken_as_far_as_they_are_good():
    with_start_code = b64(b"\0\0\0\1" + SPS)
    value = f"{with_start_code},{b64(PPS).rstrip('=')},!!!,{b64(b'neither')}"
    body = f"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\na=fmtp:96 sprop-parameter-sets={value}\n"
    assert parse_sdp(body.encode()).parameter_sets == (SPS, PPS)


def test_the_first_of_several_tracks_that_can_be_recorded_is_taken():
    body = (
        b"v=0\nm=video 0 RTP/AVP 26\na=control:1\n"
        b"m=video 0 RTP/AVP 97 96\na=rtpmap:97 VP8/90000\na=rtpmap:96 H264/90000\na=control:2\n"
    )
    track = parse_sdp(body)
    assert (track.payload_type, track.control) == (96, "2")


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ("m=video 0 RTP/AVP 26", "JPEG"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000", "MP4V-ES"),
        ("m=audio 0 RTP/AVP 0", "no video"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2", "interleaved"),
    ],
)
def test_what_cannot_be_recorded_is_named(media, said):
    with pytest.raises(CodecNotSupported, match=said):
        parse_sdp(f"v=0\ns=x\n{media}\n".encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"\0\xff\xfe", b"hello\n"])
def test_what_is_no_description_is_malformed(body):
    with pytest.raises(MalformedStream):
        parse_sdp(body)


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://cam/1", "trackID=1", "rtsp://cam/1/trackID=1"),
        ("rtsp://cam/1/", "trackID=1", "rtsp://cam/1/trackID=1"),
        ("rtsp://cam/live?ch=1", "trackID=1", "rtsp://cam/live?ch=1/trackID=1"),
        ("rtsp://cam/live", "?ctype=video", "rtsp://cam/live?ctype=video"),
        ("rtsp://cam/live/x", "/other/1", "rtsp://cam/other/1"),
        ("rtsp://cam/1", "rtsp://10.0.0.7:554/1/video", "rtsp://10.0.0.7:554/1/video"),
        ("rtsp://cam/1", "*", "rtsp://cam/1"),
        ("rtsp://cam/1", "", "rtsp://cam/1"),
    ],
)
def test_control_urls_are_meant_as_cameras_mean_them(base, control, url):
    assert control_url(base, control) == url


LINES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["v=0", "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96", "m=", "a=control:", "a=rtpmap:96 "]
    ),
    st.text(max_size=20).map("a=fmtp:96 sprop-parameter-sets=".__add__),
)


@given(st.one_of(st.binary(max_size=300), st.lists(LINES, max_size=12).map(lambda lines: "\n".join(lines).encode())))
def test_garbage_raises_nothing_but_camera_faults(body):
    with contextlib.suppress(CameraFault):
        parse_sdp(body)
