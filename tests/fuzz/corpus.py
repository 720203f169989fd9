"""What the fuzz targets start from: streams of real encoders, and messages as real servers send them."""

from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.rtp_packetiser import Packetiser

from xomyen.camera.codec_config import codec_config, split_annex_b
from xomyen.camera.source import CodecConfig
from xomyen.proof import tree
from xomyen.proof.keys import SigningKey
from xomyen.proof.seal import FragmentRow, Statement, seal_box
from xomyen.recording.mp4 import DELTA_FLAGS, KEY_FLAGS, build_header, build_moof
from xomyen.terms.words import ClockState, SegmentState, StreamName, VideoCodec

DESCRIBE_ANSWER = (
    b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Type: application/sdp\r\nContent-Base: rtsp://127.0.0.1:8554/1/\r\n"
    b"Server: GStreamer RTSP server\r\nDate: Sat, 21 Nov 2026 03:00:00 GMT\r\nContent-Length: 4\r\n\r\nv=0\n"
)
MESSAGES = [
    DESCRIBE_ANSWER,
    (
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm=\"IP Camera(C1234)\", nonce=\"8a5\", "
        b"stale=\"FALSE\"\r\nWWW-Authenticate: Basic realm=\"IP Camera(C1234)\"\r\n\r\n"
    ),
    (
        b"RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 12345678;timeout=60\r\n"
        b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=ABCD;mode=\"play\"\r\n\r\n"
    ),
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"RTSP/1.0 200 OK\r\ncseq:5\r\nRTP-Info: url=rtsp://h/1/track1;seq=1;rtptime=2\r\nx: a\r\n b\r\n\r\n",
]  # fmt: skip
CHALLENGES = [
    b'Digest realm="IP Camera(C1234)", nonce="8a5", qop="auth,auth-int", algorithm=SHA-256, opaque="x", stale=true',
    b'Basic realm="a \\"quoted\\" realm", Digest realm="b",nonce=abc,algorithm=MD5',
    b"Digest realm=unquoted nonce=\"1\",,",
]  # fmt: skip
DESCRIPTIONS = [
    (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Session\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
        b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n"
        b"a=fmtp:96 packetization-mode=1;profile-level-id=640028;sprop-parameter-sets="
        b"Z2QAKKzZQHgCJ+WEAAADAAQAAAMAyDxgxlg=,aOvjyyLA\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\n"
    ),
    (
        b"v=0\no=- 0 0 IN IP4 h\ns=x\nm=video 0 RTP/AVP 98 26\na=rtpmap:98 H265/90000\na=fmtp:98 "
        b"sprop-vps=QAEMAf//AWAAAAMAsA;sprop-sps=QgEBAWAAAAMAsAAA;sprop-pps=RAHAcrAiQA==;sprop-max-don-diff=1\na=control:rtsp://h/1/track1?x=1\n"
    ),
    b"v=0\nm=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\n",
]
ADDRESSES = [
    b"rtsp://admin:p%40ss@[2001:db8::1]:554/Streaming/Channels/101?transportmode=unicast",
    b"rtsps://u:a@b/c@host/path",
    b"rtsp://host:99999/1",
]


@lru_cache
def stream(codec: VideoCodec) -> tuple[CodecConfig, tuple[tuple[bytes, ...], ...]]:
    """A second of pictures with B-frames: the configuration, and each access unit's NAL units."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.thread_count = Fraction(1, 25), Fraction(25), 1
    own = "bframes=2:keyint=8:log-level=none" + ("" if codec is VideoCodec.H264 else ":pools=1:frame-threads=1")
    encoder.options = {"preset": "veryfast", f"{name[3:]}-params": own}
    random = np.random.default_rng(1)
    packets = []
    for index in range(25):
        noise = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = tuple(tuple(split_annex_b(bytes(packet))) for packet in packets)
    return codec_config(codec, units[0]), units


def interleaved_stream(codec: VideoCodec, mtu: int, aggregate: bool) -> bytes:
    """The stream as it comes through RTSP's connection, sender reports and an answer between the packets."""
    packetiser = Packetiser(codec, mtu=mtu, aggregate=aggregate)
    _, units = stream(codec)
    pieces = []
    for index, nals in enumerate(units):
        pieces += packetiser.packets(nals, 3600 * index)
        if index == 10:
            pieces += [REPORT, b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"]
    return b"".join(pieces)


# Interleaved, channel 1: a sender report and a source description (RFC 3550 §6.4.1, §6.5).
REPORT = bytes.fromhex(
    "24010030 80c80006 11223344 eec8f0b4 80000000 00015f90 00000001 00000100 81ca0004 11223344 0108"
) + (b"camera01\x00\x00")


@lru_cache
def segment(codec: VideoCodec) -> bytes:
    """A sealed segment file of three fragments."""
    config, units = stream(codec)
    samples = [b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals) for nals in units]
    header = build_header(config)
    data, rows, leaves = header, [], [tree.leaf_hash(header)]
    for number in range(3):
        group = samples[8 * number : 8 * number + 8]
        table: list[int] = []
        for index, sample in enumerate(group):
            table += [3600, len(sample), DELTA_FLAGS if index else KEY_FLAGS, 3600]
        payload = b"".join(group)
        fragment = build_moof(number + 1, 28_800 * number, table, len(group), len(payload), True) + payload
        rows.append(FragmentRow(len(fragment), 28_800, True, 8, tree.leaf_hash(fragment)))
        leaves.append(rows[-1].leaf)
        data += fragment
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))  # the same inputs in every run
    name = "0199f0a0-0000-7000-8000-00000000000"
    statement = Statement(
        node=f"{name}1", camera=f"{name}2", stream=StreamName.MAIN, run=f"{name}3", segment=f"{name}4", sequence=1,
        state=SegmentState.SEALED, final=True, size=len(data), fragments=3, frames=24, first_dts=0, end_dts=86_400,
        lost_packets=0, start_ns=10**18, start_ticks=3600, end_ns=10**18 + 960_000_000, end_ticks=90_000,
        clock_state=ClockState.SYNCHRONISED, clock_offset_ns=None, root=tree.root(leaves).hex(), previous="",
        key=key.fingerprint,
    )  # fmt: skip
    return data + seal_box(statement, key, rows)
