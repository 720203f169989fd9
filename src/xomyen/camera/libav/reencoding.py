"""Motion JPEG made into H.264, because recordings and browsers know only real video codecs."""

from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from xomyen.terms.time import TICKS_PER_SECOND

_GOP_TICKS = 2 * TICKS_PER_SECOND
_MOST_PIXELS = 8192 * 8192


class Reencoder:
    """Decodes JPEG pictures and encodes them at once, without reordering or delay; a keyframe every 2 s."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._encoder: VideoCodecContext | None = None
        self._last_key_ticks = 0

    def encode(self, jpeg: bytes, ticks: int) -> Iterator[bytes]:
        """Byte-stream access units (parameter sets before each keyframe) for a picture shown at `ticks`.

        A picture that cannot be decoded gives none. A change of size gives a new keyframe with new parameter sets.
        """
        try:
            pictures = self._decoder.decode(av.Packet(jpeg))
        except av.error.FFmpegError:
            return
        for picture in pictures:
            width, height = picture.width & ~1, picture.height & ~1
            if not width or not height or width * height > _MOST_PIXELS:
                continue
            encoder = self._encoder
            fresh = encoder is None or (encoder.width, encoder.height) != (width, height)
            if encoder is None or fresh:
                encoder = self._encoder = _new_encoder(width, height)
            frame = picture.reformat(width=width, height=height, format="yuv420p")
            frame.pts = ticks
            frame.time_base = Fraction(1, TICKS_PER_SECOND)
            if fresh or ticks - self._last_key_ticks >= _GOP_TICKS:
                frame.pict_type = PictureType.I
                self._last_key_ticks = ticks
            else:
                frame.pict_type = PictureType.NONE
            for packet in encoder.encode(frame):
                yield bytes(packet)


def _new_encoder(width: int, height: int) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    if not isinstance(encoder, VideoCodecContext):
        raise TypeError("libx264 is not a video encoder")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, TICKS_PER_SECOND)
    encoder.framerate = Fraction(25)
    encoder.thread_count = 1
    encoder.gop_size = 10_000  # keyframes are asked for by time
    encoder.options = {"preset": "superfast", "tune": "zerolatency", "crf": "23", "forced-idr": "1", "bf": "0"}
    return encoder
