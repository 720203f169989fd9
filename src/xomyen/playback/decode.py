"""Pictures out of recorded samples with libav; runs in a decoder process and knows nothing of the rest."""

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import av.error
from av.codec.context import Flags, ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from xomyen.playback.errors import NotDecodable
from xomyen.playback.mask_paint import MaskPainter
from xomyen.playback.masks import Masks
from xomyen.playback.sample import Sample
from xomyen.recording.mp4 import BoxError, codec_of, find
from xomyen.terms.time import TICKS_PER_SECOND
from xomyen.terms.words import VideoCodec

TIME_BASE = Fraction(1, TICKS_PER_SECOND)
# A visual sample entry's children begin here (ISO/IEC 14496-12 §12.1.3): 8 bytes of box, 78 of fields.
_ENTRY_CHILDREN = 86
_JPEG_QSCALE = 4
_THUMBNAIL_WIDTH = 480  # pixels


def decoder_for(sample_entry: bytes) -> VideoCodecContext:
    """A decoder that takes samples as they lie in the file. Raises NotDecodable."""
    try:
        h265 = codec_of(sample_entry) is VideoCodec.H265
        record = find(sample_entry, b"hvcC" if h265 else b"avcC", _ENTRY_CHILDREN, len(sample_entry))
    except BoxError as error:
        raise NotDecodable(f"The recording's header cannot be read: {error}.") from error
    decoder: VideoCodecContext = av.CodecContext.create("hevc" if h265 else "h264", "r")
    decoder.extradata = sample_entry[record.payload : record.end]
    decoder.thread_count = 1
    decoder.thread_type = ThreadType.SLICE
    return decoder


def packet_of(data: bytes, sample: Sample) -> "av.Packet[Any]":
    packet = av.Packet(data)
    packet.pts = sample.pts
    packet.dts = sample.dts
    packet.time_base = TIME_BASE
    packet.is_keyframe = sample.key
    return packet


def decoded(decoder: VideoCodecContext, path: str, samples: Sequence[Sample]) -> Iterator[VideoFrame]:
    """The pictures of these samples in the order shown; damaged ones are left out. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for sample in samples:
            data = os.pread(descriptor, sample.size, sample.offset)
            try:
                yield from decoder.decode(packet_of(data, sample))
            except av.error.FFmpegError:
                continue
    finally:
        os.close(descriptor)
    try:
        yield from decoder.decode(None)
    except av.error.FFmpegError:
        return


def picture(
    path: str, sample_entry: bytes, samples: Sequence[Sample], pts: int, width: int | None, masks: Masks
) -> bytes:
    """JPEG of the picture with this presentation time, masked; `samples` begin with the keyframe before it.

    `width` in pixels makes it smaller, never larger. Raises NotDecodable, OSError.
    """
    decoder = decoder_for(sample_entry)
    if len(samples) == 1:
        # A thumbnail: without the in-loop filter a keyframe costs a quarter less and looks the same when small.
        decoder.options = {"skip_loop_filter": "all"} if width is not None and width <= _THUMBNAIL_WIDTH else {}
    found: VideoFrame | None = None
    for frame in decoded(decoder, path, samples):
        if frame.pts is None or frame.pts > pts:
            break
        found = frame
        if frame.pts == pts:
            break
    if found is None:
        raise NotDecodable("The decoder makes no picture of what was recorded there.")
    return _jpeg(MaskPainter(masks).paint(found), decoder.sample_aspect_ratio, width)


def picture_of_keyframe(sample_entry: bytes, unit: bytes, width: int) -> bytes:
    """JPEG, at most `width` pixels wide, of one keyframe as it came from a camera. Raises NotDecodable."""
    decoder = decoder_for(sample_entry)
    packet = av.Packet(unit)
    packet.is_keyframe = True
    try:
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise NotDecodable("The decoder makes no picture of what the camera sent.") from error
    if not frames:
        raise NotDecodable("The decoder makes no picture of what the camera sent.")
    return _jpeg(frames[0], decoder.sample_aspect_ratio, width)


def _jpeg(frame: VideoFrame, aspect: Fraction | None, width: int | None) -> bytes:
    shown = round(frame.width * aspect) if aspect else frame.width
    wanted = min(width or shown, shown)
    wanted = max(2, wanted - wanted % 2)
    height = max(2, round(frame.height * wanted / shown / 2) * 2)
    scaled = frame.reformat(wanted, height, format="yuvj420p", dst_color_range="JPEG")
    encoder: VideoCodecContext = av.CodecContext.create("mjpeg", "w")
    encoder.width = wanted
    encoder.height = height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.flags |= Flags.qscale
    encoder.qmin = encoder.qmax = _JPEG_QSCALE
    scaled.pts = 0
    scaled.time_base = encoder.time_base
    return b"".join(bytes(packet) for packet in (*encoder.encode(scaled), *encoder.encode(None)))
