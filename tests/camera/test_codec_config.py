"""Parameter sets of real encoders, read by us and by FFmpeg."""

import re
import struct
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xomyen.camera import h264, h265
from xomyen.camera.bits import BitReader, BitstreamError, unescape
from xomyen.camera.codec_config import (
    codec_config,
    length_size_of_record,
    parameter_sets_from_record,
    split_annex_b,
)
from xomyen.terms.words import VideoCodec

H264_VARIANTS = [
    ("yuv420p", 320, 180, "bframes=0"),
    ("yuv420p", 1920, 1080, "bframes=3:ref=4"),
    ("yuv420p", 162, 98, "profile=baseline"),
    ("yuv420p", 640, 360, "cqm=jvt:bframes=2:b-pyramid=normal"),
    ("yuv420p", 640, 360, "interlaced=1:bframes=0"),
    ("yuv420p", 640, 480, "sar=40/33:colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=on"),
    ("yuv420p", 640, 480, "sar=1234/567:nal-hrd=vbr:vbv-maxrate=1000:vbv-bufsize=1000:pic-struct=1"),
    ("yuv422p", 322, 182, "bframes=1"),
    ("yuv444p", 321, 181, "bframes=0"),
    ("yuv420p10le", 320, 180, "bframes=2"),
    ("gray", 320, 180, "bframes=0"),
    ("yuv420p", 320, 180, "keyint=1"),
    ("yuv420p", 320, 180, "sps-id=5:bframes=1"),
    ("yuv420p", 320, 180, "overscan=crop:videoformat=pal:chromaloc=1"),
]
H265_VARIANTS = [
    ("yuv420p", 320, 180, "bframes=0"),
    ("yuv420p", 1920, 1080, "bframes=4:b-pyramid=1"),
    ("yuv420p", 322, 186, "scaling-list=default"),
    ("yuv420p", 640, 480, "sar=5:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=full"),
    ("yuv420p", 640, 480, "hrd=1:vbv-maxrate=1000:vbv-bufsize=1000"),
    ("yuv420p", 640, 480, "slices=4:wpp=1:min-cu-size=16"),
    ("yuv422p", 322, 182, "bframes=1"),
    ("yuv444p", 321, 181, "bframes=0"),
    ("yuv420p10le", 320, 180, "bframes=2"),
    ("gray", 320, 180, "bframes=0"),
    ("yuv420p", 320, 180, "temporal-layers=2"),
    ("yuv420p", 320, 180, "keyint=1"),
    ("yuv420p", 640, 360, "display-window=2,2,2,2:overscan=show:videoformat=ntsc:chromaloc=2"),
    ("yuv420p", 640, 360, "level-idc=5.1:high-tier=1:vbv-maxrate=100000:vbv-bufsize=100000"),
]


def encode(codec: VideoCodec, pixels: str, width: int, height: int, options: str, path: Path) -> None:
    """A few pictures through libx264 or libx265 into an MP4 file of FFmpeg's making."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    key = "x264-params" if codec is VideoCodec.H264 else "x265-params"
    quiet = ":log-level=error:pools=1:frame-threads=1" if codec is VideoCodec.H265 else ":threads=1"
    extra = {}
    if options.startswith("profile="):
        extra, options = {"profile": options.partition("=")[2]}, "bframes=0"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(
            name, rate=Fraction(25), options={key: options + quiet, "preset": "ultrafast", **extra}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        if codec is VideoCodec.H265:
            stream.codec_tag = "hvc1"
        rows = np.arange(height, dtype=np.uint8)[:, None, None]
        for index in range(8):
            picture = np.broadcast_to(rows + 9 * index, (height, width, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Boxes between two offsets: type, start of content, end."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + size
        at += size


def find(data: bytes, *path: bytes) -> bytes:
    """The content of the first box at the path."""
    start, end = 0, len(data)
    skip = {b"stsd": 8, b"avc1": 78, b"hvc1": 78}
    for wanted in path:
        start, end = next((a, b) for kind, a, b in boxes(data, start, end) if kind == wanted)
        start += skip.get(wanted, 0)
    return data[start:end]


STSD = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def probe(path: Path) -> dict[str, str]:
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-show_streams", "-of", "default=nw=1", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)


def record_of(path: Path, codec: VideoCodec) -> bytes:
    entry, record = (b"avc1", b"avcC") if codec is VideoCodec.H264 else (b"hvc1", b"hvcC")
    return find(path.read_bytes(), *STSD, entry, record)


@pytest.mark.parametrize(("pixels", "width", "height", "options"), H264_VARIANTS)
def test_h264_configuration_equals_that_of_ffmpeg(
    tmp_path: Path, pixels: str, width: int, height: int, options: str
) -> None:
    path = tmp_path / "a.mp4"
    encode(VideoCodec.H264, pixels, width, height, options, path)
    record = record_of(path, VideoCodec.H264)
    sets = parameter_sets_from_record(VideoCodec.H264, record)
    config = codec_config(VideoCodec.H264, sets)
    shown = probe(path)
    assert (config.width, config.height) == (int(shown["width"]), int(shown["height"])) == (width, height)
    assert find(config.sample_entry, b"avc1", b"avcC") == record
    assert config.codec_string == f"avc1.{record[1:4].hex().upper()}"
    assert config.max_reorder == int(shown["has_b_frames"])
    assert length_size_of_record(VideoCodec.H264, record) == 4
    vui = h264.parse_sps(sets[0]).vui
    assert vui is not None
    assert vui.frame_rate == 25
    assert_shape_and_colour(config.sample_entry, b"avc1", shown)


@pytest.mark.parametrize(("pixels", "width", "height", "options"), H265_VARIANTS)
def test_h265_configuration_equals_that_of_ffmpeg(
    tmp_path: Path, pixels: str, width: int, height: int, options: str
) -> None:
    path = tmp_path / "a.mp4"
    encode(VideoCodec.H265, pixels, width, height, options, path)
    record = record_of(path, VideoCodec.H265)
    sets = parameter_sets_from_record(VideoCodec.H265, record)
    config = codec_config(VideoCodec.H265, sets)
    shown = probe(path)
    assert (config.width, config.height) == (int(shown["width"]), int(shown["height"])) == (width, height)
    ours = find(config.sample_entry, b"hvc1", b"hvcC")
    # FFmpeg may put the encoder's SEI into a fourth array, which says nothing to a decoder.
    assert ours[:22] == record[:22]
    assert parameter_sets_from_record(VideoCodec.H265, ours) == sets
    assert re.fullmatch(r"hvc1\.[1-9]\.[0-9A-F]+\.[LH]\d+(\.[0-9A-F]{1,2}){0,6}", config.codec_string)
    assert config.max_reorder == int(shown["has_b_frames"])
    vui = h265.parse_sps(sets[1]).vui
    assert vui is not None
    assert vui.frame_rate == 25
    assert_shape_and_colour(config.sample_entry, b"hvc1", shown)


def assert_shape_and_colour(entry: bytes, kind: bytes, shown: dict[str, str]) -> None:
    inside = {name: entry[start:end] for name, start, end in boxes(entry, 8 + 78, len(entry))}
    ratio = shown.get("sample_aspect_ratio", "N/A")
    if ratio in ("1:1", "N/A"):
        assert b"pasp" not in inside
    else:
        assert "{}:{}".format(*struct.unpack(">II", inside[b"pasp"])) == ratio
    if shown.get("color_primaries") == "bt709":
        assert inside[b"colr"] == b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0x80 if shown["color_range"] == "pc" else 0)
    assert entry[4:8] == kind


def test_codec_strings_follow_the_published_examples() -> None:
    assert codec_config(VideoCodec.H264, H264_SETS).codec_string == "avc1.64001F"
    assert codec_config(VideoCodec.H265, H265_SETS).codec_string == "hvc1.1.6.L93.B0"


# Parameter sets of a 1280x720 H.264 camera without VUI reorder limits, and of an H.265 one.
H264_SETS = [
    bytes.fromhex("6764001facd9405005bb011000000300100000030320f1831960"),
    bytes.fromhex("68ebe3cb22c0"),
]
H265_SETS = [
    bytes.fromhex("40010c01ffff016000000300b00000030000030 05d15c090".replace(" ", "")),
    bytes.fromhex("420101016000000300b00000030000030 05da00280802d1f25d5992 4ca".replace(" ", "")),
    bytes.fromhex("4401c072b02240"),
]


def test_the_later_of_two_parameter_sets_with_one_id_counts() -> None:
    changed = H264_SETS[1][:-1] + b"\xd0"
    assert codec_config(VideoCodec.H264, [*H264_SETS, changed]).parameter_sets == (H264_SETS[0], changed)


def test_zero_bytes_after_a_parameter_set_change_nothing() -> None:
    padded = [nal + b"\x00\x00" for nal in H264_SETS]
    assert codec_config(VideoCodec.H264, padded) == codec_config(VideoCodec.H264, H264_SETS)


@pytest.mark.parametrize("sets", [[], H264_SETS[:1], H264_SETS[1:], [b""], [b"\x67"]])
def test_missing_h264_parameter_sets_are_named(sets: list[bytes]) -> None:
    with pytest.raises(BitstreamError):
        codec_config(VideoCodec.H264, sets)


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_missing_h265_parameter_sets_are_named(left_out: int) -> None:
    with pytest.raises(BitstreamError, match=("VPS", "SPS", "PPS")[left_out]):
        codec_config(VideoCodec.H265, [nal for index, nal in enumerate(H265_SETS) if index != left_out])


def test_a_stream_that_declares_no_reordering_limit_gets_that_of_its_level() -> None:
    """Main profile, level 4.0, 1920x1088, 4 reference frames, no VUI: 32768 / 8160 = 4 frames (Table A-1)."""
    sps = h264.parse_sps(sps_without_vui(profile=77, level=40, width_mbs=120, height_mbs=68, ref_frames=4))
    assert sps.max_reorder == 4


def test_forms_without_room_for_b_frames_reorder_nothing() -> None:
    shape = {"level": 40, "width_mbs": 120, "height_mbs": 68}
    assert h264.parse_sps(sps_without_vui(profile=66, ref_frames=4, **shape)).max_reorder == 0
    assert h264.parse_sps(sps_without_vui(profile=77, ref_frames=1, **shape)).max_reorder == 0
    assert h264.parse_sps(sps_without_vui(profile=77, ref_frames=4, order_type=2, **shape)).max_reorder == 0


def sps_without_vui(
    profile: int, level: int, width_mbs: int, height_mbs: int, ref_frames: int, order_type: int = 0
) -> bytes:
    def ue(value: int) -> str:
        code = f"{value + 1:b}"
        return "0" * (len(code) - 1) + code

    order = ue(0) + ue(2) if order_type == 0 else ue(order_type)
    bits = ue(0) + ue(0) + order + ue(ref_frames) + "0" + ue(width_mbs - 1) + ue(height_mbs - 1) + "1" + "1" + "0" + "0"
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    return bytes((0x67, profile, 0, level)) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def test_a_vui_cut_short_is_ignored() -> None:
    whole = h264.parse_sps(H264_SETS[0])
    cut = h264.parse_sps(H264_SETS[0][:16])
    assert cut.vui is None
    assert (cut.width, cut.height) == (whole.width, whole.height)


def test_annex_b_is_split_at_both_kinds_of_start_code() -> None:
    stream = b"\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01\x67\x42\x00\x00\x01\x68\xce\x00\x00\x00\x00\x01\x65\x88"
    assert split_annex_b(stream) == [b"\x09\xf0", b"\x67\x42", b"\x68\xce", b"\x65\x88"]


def test_emulation_prevention_is_removed_wherever_it_stands() -> None:
    assert unescape(b"\x00\x00\x03\x00\x00\x03\x01") == b"\x00\x00\x00\x00\x01"


def test_exp_golomb_fields_are_read_as_in_the_standard() -> None:
    # 1 010 011 00100 00101 → 0 1 2 3 4 (Table 9-2)
    bits = BitReader(bytes((0b10100110, 0b01000010, 0b10000000)), 0)
    assert [bits.ue("field", 9) for _ in range(5)] == [0, 1, 2, 3, 4]


nal_bytes = st.binary(max_size=300)


def mutated(nals: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Real parameter sets with a few bytes changed, cut or put in."""

    def change(draw: tuple[int, list[tuple[int, int]], int]) -> list[bytes]:
        which, edits, cut = draw
        changed = [bytearray(nal) for nal in nals]
        target = changed[which]
        for at, value in edits:
            target[at % len(target)] = value
        changed[which] = target[: max(1, len(target) - cut)]
        return [bytes(nal) for nal in changed]

    edits = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6)
    return st.tuples(st.integers(0, len(nals) - 1), edits, st.integers(0, 12)).map(change)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(VideoCodec), st.one_of(st.lists(nal_bytes, max_size=5), mutated(H264_SETS), mutated(H265_SETS)))
def test_garbage_raises_nothing_but_the_declared_error(codec: VideoCodec, nals: list[bytes]) -> None:
    try:
        config = codec_config(codec, nals)
    except BitstreamError:
        return
    assert 0 < config.width <= 0xFFFF
    assert 0 < config.height <= 0xFFFF
    assert 0 <= config.max_reorder <= 16
    assert struct.unpack_from(">I", config.sample_entry)[0] == len(config.sample_entry)
    assert codec_config(codec, config.parameter_sets) == config


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(VideoCodec), st.binary(max_size=200))
def test_garbage_records_raise_nothing_but_the_declared_error(codec: VideoCodec, record: bytes) -> None:
    for read in (parameter_sets_from_record, length_size_of_record):
        try:
            read(codec, record)
        except BitstreamError:
            continue


@given(st.binary(max_size=400))
def test_no_annex_b_stream_is_refused(stream: bytes) -> None:
    assert all(nal and b"\x00\x00\x01" not in nal for nal in split_annex_b(stream))
