"""H.264 fragments out of decoded pictures, for browsers that cannot play what was recorded."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from xomyen.camera.codec_config import codec_config, split_annex_b
from xomyen.camera.source import CodecConfig
from xomyen.playback.decode import TIME_BASE
from xomyen.recording.mp4 import DELTA_FLAGS, KEY_FLAGS, build_header, build_moof
from xomyen.terms.words import VideoCodec

GREATEST_HEIGHT = 720  # pixels; what two cores can make of a 1080p camera beside recording
_PARAMETER_SETS = (7, 8, 9)  # nal_unit_type of SPS, PPS, access unit delimiter (ITU-T H.264 table 7-1)


@dataclass(frozen=True, slots=True)
class Coded:
    """One re-encoded picture; presentation time in ticks, decoding time is the same."""

    pts: int
    key: bool
    data: bytes  # NAL units behind their lengths


class FragmentEncoder:
    """Takes pictures in the order shown and gives each back at once (no B-frames, no look-ahead)."""

    def __init__(self, greatest_height: int = GREATEST_HEIGHT, made: int = 0) -> None:
        """`made` fragments of the same file come from other encoders and stand before these."""
        self._greatest_height = greatest_height
        self._encoder: VideoCodecContext | None = None
        self._config: CodecConfig | None = None
        self._sequence = made

    @property
    def config(self) -> CodecConfig:
        """Known after the first picture."""
        if self._config is None:
            raise RuntimeError("nothing was encoded yet")
        return self._config

    @property
    def header(self) -> bytes:
        """ftyp + moov; the same for the same size of picture, whenever it was made."""
        return build_header(self.config)

    def encode(self, frame: VideoFrame, key: bool) -> list[Coded]:
        """The picture as H.264; `key` makes it one that decoding can begin at."""
        if self._encoder is None:
            self._encoder = self._open(frame)
        encoder = self._encoder
        scaled = frame.reformat(encoder.width, encoder.height, format="yuv420p")
        scaled.pts = frame.pts
        scaled.time_base = TIME_BASE
        scaled.pict_type = PictureType.I if key else PictureType.NONE
        return self._coded(list(encoder.encode(scaled)))

    def _open(self, frame: VideoFrame) -> VideoCodecContext:
        height = min(frame.height, self._greatest_height)
        encoder: VideoCodecContext = av.CodecContext.create("libx264", "w")
        encoder.width = round(frame.width * height / frame.height / 2) * 2
        encoder.height = height // 2 * 2
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = TIME_BASE
        encoder.framerate = Fraction(25)
        encoder.gop_size = 10_000  # keyframes are where the recording has them
        encoder.flags |= Flags.global_header
        encoder.thread_count = 1
        encoder.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "crf": "26",
            "forced-idr": "1",
            "x264-params": "scenecut=0:repeat-headers=0",
        }
        encoder.open()
        sets = [nal for nal in split_annex_b(bytes(encoder.extradata or b"")) if nal[0] & 31 in _PARAMETER_SETS]
        self._config = codec_config(VideoCodec.H264, sets)
        return encoder

    def _coded(self, packets: "list[av.Packet[VideoStream]]") -> list[Coded]:
        coded = []
        for packet in packets:
            nals = [nal for nal in split_annex_b(bytes(packet)) if nal[0] & 31 not in _PARAMETER_SETS]
            data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
            coded.append(Coded(packet.pts or 0, bool(packet.is_keyframe), data))
        return coded

    def fragment(self, pictures: list[Coded], end_pts: int | None) -> bytes:
        """moof + mdat of these pictures; `end_pts` is when the last one ends, if that is known."""
        self._sequence += 1
        times = [picture.pts for picture in pictures]
        lengths = [later - sooner for sooner, later in pairwise(times)]
        if end_pts is not None and end_pts > times[-1]:
            lengths.append(end_pts - times[-1])
        else:
            lengths.append(lengths[-1] if lengths else 3600)
        rows: list[int] = []
        for picture, length in zip(pictures, lengths, strict=True):
            rows += (length, len(picture.data), KEY_FLAGS if picture.key else DELTA_FLAGS)
        data = b"".join(picture.data for picture in pictures)
        return build_moof(self._sequence, times[0], rows, len(pictures), len(data), False) + data
