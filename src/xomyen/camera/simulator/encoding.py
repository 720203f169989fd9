"""Loops of pictures encoded once and kept in a cache folder."""

import contextlib
import hashlib
import os
import struct
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path

import av

from xomyen.camera.simulator import display
from xomyen.camera.simulator.scenes import VIEWS, Picture, Scene, View, pictures, place, read_scenes
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.words import VideoCodec

_CACHE_VERSION = 4
_GUARD = 16  # rows of black under the band, so that motion vectors from the picture never see the display


@dataclass(frozen=True, slots=True)
class Picturing:
    """How one stream is to look."""

    width: int = 1920
    height: int = 1080
    fps: int = 25
    bitrate: int = 4_000_000  # bit/s
    gop_s: float = 2.0
    seconds: int = 10  # of the loop
    codec: VideoCodec = VideoCodec.H264
    b_frames: int = 0

    def __post_init__(self) -> None:
        display.layout(self.width, self.height)
        if not 1 <= self.fps <= 31:
            raise InvalidConfiguration(f"{self.fps} pictures a second cannot be simulated: 1 to 31 can")
        if self.gop < 1 or self.count % self.gop:
            raise InvalidConfiguration(
                f"a loop of {self.seconds} s does not hold whole groups of {self.gop_s} s"
                f" at {self.fps} pictures a second"
            )

    @property
    def live_display(self) -> bool:
        """Whether the display is written when a picture is sent, and so is true; else it is burnt into the loop."""
        return self.codec is VideoCodec.H264 and not self.b_frames

    @property
    def gop(self) -> int:
        """Pictures from keyframe to keyframe."""
        return round(self.gop_s * self.fps)

    @property
    def count(self) -> int:
        """Pictures in the loop."""
        return self.seconds * self.fps


@dataclass(slots=True)
class Loop:
    """Access units of a closed loop, in decoding order; the first is a keyframe.

    Where the display is live, the slice that would show it is left out.
    """

    picturing: Picturing
    units: list[list[bytes]] = field(default_factory=list)  # NAL units without start codes, parameter sets left out
    keys: list[bool] = field(default_factory=list)
    pts: list[int] = field(default_factory=list)  # in pictures, relative to the loop; pts ≥ position − reorder
    parameter_sets: list[bytes] = field(default_factory=list)


def split_annex_b(stream: bytes) -> list[bytes]:
    """NAL units of a byte stream (H.264 Annex B) without start codes and trailing zeros."""
    return [part.rstrip(b"\0") for part in stream.split(b"\0\0\1")[1:]]


def is_parameter_set(nal: bytes, codec: VideoCodec) -> bool:
    if codec is VideoCodec.H264:
        return nal[0] & 31 in (7, 8)
    return nal[0] >> 1 & 63 in (32, 33, 34)


def _is_wanted(nal: bytes, codec: VideoCodec) -> bool:
    """Pictures only: the encoder's SEI with its options and delimiters stay out."""
    return nal[0] & 31 in (1, 5) if codec is VideoCodec.H264 else nal[0] >> 1 & 63 < 32


def _context(p: Picturing) -> av.VideoCodecContext:
    h264 = p.codec is VideoCodec.H264
    context = av.CodecContext.create("libx264" if h264 else "libx265", "w")
    if not isinstance(context, av.VideoCodecContext):
        raise InvalidConfiguration(f"this machine's libav cannot encode {p.codec}")
    context.width, context.height, context.pix_fmt = p.width, p.height, "yuv420p"
    context.framerate = Fraction(p.fps)
    context.time_base = Fraction(1, p.fps)
    context.bit_rate = p.bitrate
    context.gop_size = p.gop
    context.max_b_frames = p.b_frames
    common = (
        f"keyint={p.gop}:min-keyint={p.gop}:scenecut=0:bframes={p.b_frames}:ref=1:b-adapt=0"
        f":vbv-maxrate={p.bitrate // 1000}:vbv-bufsize={p.bitrate // 1000}:open-gop=0"
    )
    if h264:
        rows = display.layout(p.width, p.height).band // 16
        per_row = -(-p.width // 16)
        own = f":cabac=0:weightp=0:b-pyramid=0:force-cfr=1:slice-max-mbs={rows * per_row}:slices-max=1"
        context.options = {"preset": "superfast", "x264-params": common + (own if p.live_display else "")}
    else:
        context.options = {"preset": "ultrafast", "x265-params": common + ":log-level=error:repeat-headers=1"}
    context.thread_type = "AUTO"
    return context


def encode(scene: Scene, view: View, p: Picturing, progress: Callable[[int], None]) -> Loop:
    """Encodes one loop with its display burnt in; `progress` is told how many more pictures are done."""
    where = display.layout(p.width, p.height)
    context = _context(p)
    loop = Loop(p)
    for number, picture in enumerate(pictures(scene, view, p.width, p.height, p.fps, p.count)):
        frame = av.VideoFrame.from_ndarray(_with_display(picture, p, where, number), format="yuv420p")
        frame.pts = number
        for packet in context.encode(frame):
            _add(loop, packet)
        progress(1)
    for packet in context.encode(None):
        _add(loop, packet)
    if len(loop.units) != p.count or not loop.keys[0]:
        raise InvalidConfiguration(f"the encoder made {len(loop.units)} pictures of {p.count}")
    return loop


def _with_display(picture: Picture, p: Picturing, where: display.Layout, number: int) -> Picture:
    picture = picture.copy()
    top = where.band + _GUARD
    picture[:top] = display.BLACK
    chroma = picture[p.height :].reshape(2, p.height // 2, p.width // 2)
    chroma[:, : top // 2] = 128
    if not p.live_display:
        band = display.blank_band(where)
        second, frame = divmod(number, p.fps)
        display.draw_clock(band, where, f"SIM {second:02d}:{frame:02d}")
        display.draw_mark(band, where, display.mark_levels(number, p.fps, looped=True))
        picture[: where.band] = band[:, : p.width]
    return picture


def _add(loop: Loop, packet: "av.Packet[av.VideoStream]") -> None:
    codec = loop.picturing.codec
    nals = split_annex_b(bytes(packet))
    sets = [n for n in nals if is_parameter_set(n, codec)]
    if sets and not loop.parameter_sets:
        loop.parameter_sets = sets
    slices = [n for n in nals if _is_wanted(n, codec)]
    loop.units.append(slices[1:] if loop.picturing.live_display else slices)
    loop.keys.append(packet.is_keyframe)
    loop.pts.append(packet.pts or 0)


# --- cache -------------------------------------------------------------------------------------


def _dump(loop: Loop) -> bytes:
    parts = [struct.pack("<II", len(loop.units), len(loop.parameter_sets))]
    parts += [struct.pack("<I", len(n)) + n for n in loop.parameter_sets]
    for unit, key, pts in zip(loop.units, loop.keys, loop.pts, strict=True):
        parts.append(struct.pack("<Iii", len(unit), key, pts))
        parts += [struct.pack("<I", len(n)) + n for n in unit]
    body = b"".join(parts)
    return hashlib.sha256(body).digest() + body


def _load(data: bytes, p: Picturing) -> Loop | None:
    """The loop, or None when the file is damaged."""
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    at = 32

    def nals(count: int) -> list[bytes]:
        nonlocal at
        found = []
        for _ in range(count):
            (size,) = struct.unpack_from("<I", data, at)
            found.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        return found

    loop = Loop(p)
    units, sets = struct.unpack_from("<II", data, at)
    at += 8
    loop.parameter_sets = nals(sets)
    for _ in range(units):
        count, key, pts = struct.unpack_from("<Iii", data, at)
        at += 12
        loop.units.append(nals(count))
        loop.keys.append(bool(key))
        loop.pts.append(pts)
    return loop


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _cache_file(folder: Path, source: str, variant: int, p: Picturing) -> Path:
    key = repr((_CACHE_VERSION, source, variant, VIEWS, sorted(asdict(p).items()), av.library_versions["libavcodec"]))
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.loop"


def loops(
    files: list[Path],
    p: Picturing,
    variants: Iterable[int],
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[Loop]:
    """The loops of those variants of the files' pictures, from the cache where it has them.

    `progress` is told the pictures encoded so far and in all. A damaged cache file is made anew.
    Raises InvalidConfiguration for a file without video.
    """
    for path in files:
        if not path.is_file():
            raise InvalidConfiguration(f"there is no file {path}")
    cache.mkdir(parents=True, exist_ok=True)
    source = ",".join(_fingerprint(path) for path in files)
    found: dict[int, Loop] = {}
    wanted = list(variants)
    for variant in wanted:
        with contextlib.suppress(FileNotFoundError):
            loop = _load(_cache_file(cache, source, variant, p).read_bytes(), p)
            if loop is not None:
                found[variant] = loop
    missing = [v for v in wanted if v not in found]
    if missing:
        scenes = [scene for path in files for scene in read_scenes(path)]
        total, done = len(missing) * p.count, 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            if progress:
                progress(done, total)

        for variant in missing:
            found[variant] = encode(*place(scenes, variant), p, count)
            _write(_cache_file(cache, source, variant, p), _dump(found[variant]))
    return [found[v] for v in wanted]


def _write(path: Path, data: bytes) -> None:
    """All of the file or nothing, also when two simulators make the same one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".loop-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
