"""What one connection of a reader does with its packets: copy them, or make H.264 of JPEG pictures."""

import time
from fractions import Fraction
from typing import Protocol

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from xomyen.camera.errors import CodecNotSupported, NoKeyframe
from xomyen.camera.libav.access_units import AccessUnitFormer
from xomyen.camera.libav.decode_times import DecodeTimes
from xomyen.camera.libav.opening import Opening
from xomyen.camera.libav.reencoding import Reencoder
from xomyen.camera.source import CodecConfig
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND, ns_to_ticks, ticks_to_ns
from xomyen.terms.words import VideoCodec

_CODECS = {"h264": VideoCodec.H264, "hevc": VideoCodec.H265}
_KEYFRAME_WITHIN_S = 60.0  # smart codecs stretch groups of pictures; half a minute is common
_MOST_EARLY_UNITS = 64
_LATE_NS = 2 * NS_PER_SECOND


class Output(Protocol):
    """Where a session delivers: the reader."""

    def announce(self, config: CodecConfig) -> None: ...

    def put(self, unit: bytes, pts_ticks: int, dts_ticks: int, key: bool) -> None: ...

    def pause(self, seconds: float) -> None: ...


class Pacer:
    """Holds access units of a file back until their decoding time has come."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._zero_ns: int | None = None  # monotonic time of tick 0

    def wait(self, dts_ticks: int) -> None:
        now = time.monotonic_ns()
        due = ticks_to_ns(dts_ticks)
        # A machine that slept must not catch up by racing through the file.
        if self._zero_ns is None or now - self._zero_ns - due > _LATE_NS:
            self._zero_ns = now - due
        left = self._zero_ns + due - now
        if left > 0:
            self._output.pause(left / NS_PER_SECOND)


class CopySession:
    """H.264 or H.265 as it comes."""

    def __init__(
        self, output: Output, place: str, stream: VideoStream, codec: VideoCodec, paced: bool, decoding_times: bool
    ) -> None:
        self._output = output
        self._place = place
        self._former = AccessUnitFormer(codec, bytes(stream.codec_context.extradata or b""))
        self._pacer = Pacer(output) if paced else None
        self._time_base = stream.time_base or Fraction(1, TICKS_PER_SECOND)
        self._decoding_times = decoding_times  # whether the container carries them
        self._frame_ticks = _frame_ticks(stream)
        self._times: DecodeTimes | None = None  # from the first keyframe on
        self._reorder = 0
        self._early: list[tuple[bytes, bool, int | None, int | None]] = []
        self._timed = False
        self._began = time.monotonic()

    def take(self, packet: "Packet[Stream]") -> None:
        """One packet. Raises NoKeyframe and BitstreamError."""
        former = self._former
        unit, key = former.form(bytes(packet))
        if not unit:
            return
        if key and former.changed and former.config is not None:
            former.changed = False
            self._output.announce(former.config)
            if self._times is None:
                self._reorder = former.config.max_reorder
                reorder = None if self._decoding_times else self._reorder
                self._times = DecodeTimes(self._time_base, reorder, self._frame_ticks)
        if self._times is None:
            if time.monotonic() - self._began > _KEYFRAME_WITHIN_S:
                raise NoKeyframe(f"{self._place} sent no keyframe within {_KEYFRAME_WITHIN_S:.0f} s.")
            return
        if not self._timed and (packet.pts is None or self._early) and len(self._early) < _MOST_EARLY_UNITS:
            self._early.append((unit, key, packet.pts, packet.dts))
            if len(self._early) - self._untimed <= self._reorder:
                return
            self._put_early(self._times)
        else:
            self._timed = True
            self._put(unit, key, *self._times.next(packet.pts, packet.dts))

    def again(self) -> None:
        """The file begins anew."""
        if self._times is not None:
            self._times.join()

    @property
    def _untimed(self) -> int:
        return sum(pts is None for _, _, pts, _ in self._early)

    def _put_early(self, times: DecodeTimes) -> None:
        """The first pictures of a live stream may come before libav knows their times.

        They are placed backwards from the first picture shown of those that have one, which with B-frames is
        not the first that comes.
        """
        self._timed = True
        step = round(Fraction(self._frame_ticks, TICKS_PER_SECOND) / self._time_base)
        first = min((pts for _, _, pts, _ in self._early if pts is not None), default=0)
        untimed = self._untimed
        for unit, key, pts, dts in self._early:
            if pts is None:
                pts = dts = first - untimed * step
                untimed -= 1
            self._put(unit, key, *times.next(pts, dts))
        self._early.clear()

    def _put(self, unit: bytes, key: bool, pts_ticks: int, dts_ticks: int) -> None:
        if self._pacer is not None:
            self._pacer.wait(dts_ticks)
        self._output.put(unit, pts_ticks, dts_ticks, key)


class ReencodeSession:
    """Motion JPEG, made into H.264; live pictures get the time at which they arrive."""

    def __init__(self, output: Output, stream: VideoStream, paced: bool) -> None:
        self._output = output
        self._reencoder = Reencoder()
        self._former = AccessUnitFormer(VideoCodec.H264, b"")
        self._pacer = Pacer(output) if paced else None
        self._times = DecodeTimes(stream.time_base or Fraction(1, TICKS_PER_SECOND), None, _frame_ticks(stream))
        self._began_ns = time.monotonic_ns()
        self._last_ticks = -1

    def take(self, packet: "Packet[Stream]") -> None:
        """One JPEG picture."""
        if self._pacer is not None:
            ticks, _ = self._times.next(packet.pts, packet.dts)
            self._pacer.wait(ticks)
        else:
            ticks = max(ns_to_ticks(time.monotonic_ns() - self._began_ns), self._last_ticks + 1)
        self._last_ticks = ticks
        for encoded in self._reencoder.encode(bytes(packet), ticks):
            unit, key = self._former.form(encoded)
            if self._former.changed and self._former.config is not None:
                self._former.changed = False
                self._output.announce(self._former.config)
            self._output.put(unit, ticks, ticks, key)

    def again(self) -> None:
        """The file begins anew."""
        self._times.join()


def open_session(
    output: Output, opening: Opening, container: InputContainer, stream: VideoStream
) -> CopySession | ReencodeSession:
    """The session for a stream's codec. Raises CodecNotSupported and BitstreamError.

    What has an end (a file, also one on a web server) is played at its own speed; what has none is live.
    """
    paced = opening.is_file or (container.duration is not None and not opening.only_presentation_times)
    name = stream.codec_context.name
    if name == "mjpeg":
        return ReencodeSession(output, stream, paced)
    if name not in _CODECS:
        raise CodecNotSupported(f"{opening.place} offers {name} video, which cannot be recorded.")
    decoding_times = not opening.only_presentation_times and "matroska" not in container.format.name
    return CopySession(output, opening.place, stream, _CODECS[name], paced, decoding_times)


def _frame_ticks(stream: VideoStream) -> int:
    """The usual length of a frame in ticks; 25 frames a second where the stream does not say."""
    rate = stream.average_rate or stream.guessed_rate
    if not rate or not 1 <= rate <= 240:
        return TICKS_PER_SECOND // 25
    return round(TICKS_PER_SECOND / rate)
