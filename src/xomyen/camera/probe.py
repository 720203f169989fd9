"""Looks at a camera for some seconds and says what it sends, or what is wrong with it."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median

from xomyen.camera.address import redact
from xomyen.camera.errors import CameraTimeout, NoKeyframe
from xomyen.camera.ingest import Ingest
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.camera.open import open_source
from xomyen.camera.rtsp_source import RtspSource
from xomyen.camera.source import Batch, CodecConfig
from xomyen.terms.time import TICKS_PER_SECOND, Clock
from xomyen.terms.words import GapReason, VideoCodec

MEASURE_S = 6.0  # cameras send a report about their clock every 5 s
KEYFRAME_S = 20.0
_CONNECT_S = 15.0

OnKeyframe = Callable[[CodecConfig, bytes, str], None]
"""Gets each keyframe, an access unit as in Batch, and the IP address it came from; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a camera's stream is like, as measured, not as declared."""

    url: str  # without user and password
    codec: VideoCodec
    codec_string: str  # RFC 6381
    width: int  # pixels
    height: int
    frame_rate: float | None  # pictures per second
    gop_frames: int | None  # pictures from keyframe to keyframe; None when only one keyframe came
    gop_s: float | None
    bit_rate: int | None  # bits per second
    b_frames: bool  # whether pictures come in another order than they are shown
    clock_offset_ns: int | None  # the camera's own clock minus this machine's; None when it does not tell
    server: str  # what the camera calls itself; may be empty
    audio_offered: bool  # it is never recorded
    lost_packets: int
    measured_s: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


async def probe(
    url: str,
    user: str | None = None,
    password: str | None = None,
    *,
    measure_s: float = MEASURE_S,
    keyframe_s: float = KEYFRAME_S,
    clock: Clock | None = None,
    on_keyframe: OnKeyframe | None = None,
    on_measured: Callable[[float], None] | None = None,
    on_result: Callable[[ProbeResult], None] | None = None,
    watch_s: float = 0.0,
    watching: Callable[[], bool] = lambda: True,
) -> ProbeResult:
    """Plays the stream for about `measure_s`, longer (up to `keyframe_s`) while no second keyframe has come.

    `on_measured` gets how many seconds were seen so far; `on_result` what is returned, and then the stream plays on for
    `watch_s`, for whoever looks at its keyframes, as long as they are `watching`.
    Raises the CameraFault that says what is wrong, or InvalidConfiguration for what is no camera address.
    """
    look = _Look(on_keyframe, on_measured)
    loop = asyncio.get_running_loop()
    async with Ingest(clock) as ingest, open_source(url, user, password, look, ingest, LibavPool()) as source:
        look.source = source
        source.watch(True)
        connect_s = _CONNECT_S
        if isinstance(source, RtspSource):
            await look.wait(lambda: source.sessions > 0 or look.refused, _CONNECT_S)
            connect_s = 0
        if not await look.wait(lambda: bool(look.sizes) or look.refused, keyframe_s + connect_s):
            raise _missing(source, redact(url), keyframe_s)
        began = loop.time()
        await look.wait(lambda: look.refused or look.span_s >= measure_s, measure_s + 1)
        left = keyframe_s - (loop.time() - began)
        await look.wait(lambda: look.refused or len(look.key_at) > 1, max(left, 0))
        if look.config is None or not look.sizes:
            raise source.fault or _missing(source, redact(url), keyframe_s)
        server = source.server if isinstance(source, RtspSource) else ""
        result = look.result(redact(url), server, source.audio_offered)
        if on_result is not None:
            on_result(result)
        look.measuring = False
        await look.wait(lambda: look.refused or not watching(), watch_s)
        return result


def _missing(source: RtspSource | LibavSource, url: str, keyframe_s: float) -> NoKeyframe | CameraTimeout:
    if isinstance(source, RtspSource) and not source.sessions:
        return CameraTimeout(f"{url} does not answer.")
    return NoKeyframe(f"{url} plays, but sent no keyframe within {keyframe_s:.0f} s.")


class _Look:
    """The sink of a probe: keeps sizes and times, no pictures."""

    def __init__(
        self,
        on_keyframe: OnKeyframe | None = None,
        on_measured: Callable[[float], None] | None = None,
    ) -> None:
        self.source: RtspSource | LibavSource | None = None
        self._on_keyframe = on_keyframe
        self._on_measured = on_measured
        self.config: CodecConfig | None = None
        self.sizes: list[int] = []
        self.dts_ticks: list[int] = []
        self.reorders = False
        self._newest_pts = 0
        self.key_at: list[int] = []
        self.lost_packets = 0
        self.refused = False
        self.measuring = True
        self._clock_offset_ns: int | None = None

    def opened(self, config: CodecConfig) -> None:
        if not self.refused:
            self.config = config
            # A second configuration begins anew: what came before was another stream.
            self.sizes, self.dts_ticks, self.key_at = [], [], []
            self._newest_pts = 0
            self.reorders = False

    def write(self, batch: Batch) -> None:
        if self.refused:
            return
        self._show(batch)
        if not self.measuring:
            return
        self.key_at += [len(self.sizes) + index for index, key in enumerate(batch.keys) if key]
        self.sizes += batch.sizes
        self.dts_ticks += batch.dts_ticks
        for pts in batch.pts_ticks:
            self.reorders |= pts < self._newest_pts
            self._newest_pts = max(self._newest_pts, pts)
        self.lost_packets += batch.lost_packets
        if self._on_measured is not None:
            self._on_measured(self.span_s)

    def _show(self, batch: Batch) -> None:
        """Hands on the newest keyframe."""
        if self._on_keyframe is None or self.config is None or not any(batch.keys):
            return
        key = len(batch.keys) - 1 - batch.keys[::-1].index(True)
        offset = sum(batch.sizes[:key])
        reached = self.source.reached if self.source is not None else ""
        self._on_keyframe(self.config, b"".join(batch.parts)[offset : offset + batch.sizes[key]], reached)

    def camera_clock(self, offset_ns: int) -> None:
        self._clock_offset_ns = offset_ns

    def closed(self, reason: GapReason, detail: str) -> None:
        # "Waiting for a keyframe" is also said so; how long to wait is for the probe to say.
        if reason is not GapReason.CAMERA_SILENT or "keyframe" not in detail:
            self.refused = True

    @property
    def span_s(self) -> float:
        """Media time seen so far."""
        return (self.dts_ticks[-1] - self.dts_ticks[0]) / TICKS_PER_SECOND if self.dts_ticks else 0.0

    async def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Until the condition holds; False when the time is over first."""
        end = asyncio.get_running_loop().time() + seconds
        while not done():
            if asyncio.get_running_loop().time() >= end:
                return False
            await asyncio.sleep(0.02)
        return True

    def result(self, url: str, server: str, audio_offered: bool) -> ProbeResult:
        config = self.config
        if config is None:
            raise RuntimeError("nothing was seen")
        ticks, keys = self.dts_ticks, self.key_at
        # Whole groups of pictures where there are some: a keyframe is many times larger than other pictures.
        first, last = (keys[0], keys[-1]) if len(keys) > 1 else (0, len(ticks) - 1)
        length_s = (ticks[last] - ticks[first]) / TICKS_PER_SECOND
        groups = list(pairwise(keys))
        span_s = self.span_s
        return ProbeResult(
            url=url,
            codec=config.codec,
            codec_string=config.codec_string,
            width=config.width,
            height=config.height,
            frame_rate=round((len(ticks) - 1) / span_s, 2) if span_s else None,
            gop_frames=round(median(b - a for a, b in groups)) if groups else None,
            gop_s=round(median((ticks[b] - ticks[a]) / TICKS_PER_SECOND for a, b in groups), 2) if groups else None,
            bit_rate=round(8 * sum(self.sizes[first:last]) / length_s) if length_s else None,
            b_frames=self.reorders,
            clock_offset_ns=self._clock_offset_ns,
            server=server,
            audio_offered=audio_offered,
            lost_packets=self.lost_packets,
            measured_s=round(span_s, 2),
        )
