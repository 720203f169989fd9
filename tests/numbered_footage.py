"""Recorded footage with numbered pictures, made without a camera: what clips, exports and proofs are tested on."""

import hashlib
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from xomyen.camera.codec_config import codec_config, split_annex_b
from xomyen.camera.source import CodecConfig
from xomyen.proof import tree
from xomyen.proof.keys import SigningKey
from xomyen.proof.seal import FragmentRow, Statement, seal_box
from xomyen.recording.mp4 import DELTA_FLAGS, KEY_FLAGS, build_header, build_moof
from xomyen.recording.rows import Segment
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, ticks_to_ns
from xomyen.terms.words import ClockState, SegmentState, StreamName, VideoCodec

WIDTH, HEIGHT = 320, 192
FRAME_TICKS = 3600  # 25 pictures a second
FRAME_NS = ticks_to_ns(FRAME_TICKS)
START_NS = 1_763_708_400 * NS_PER_SECOND


def numbered_picture(number: int) -> NDArray[np.uint8]:
    """A gray picture whose 4 by 4 blocks are the bits of the number; block 0 is the lowest bit."""
    bits = np.array([number >> bit & 1 for bit in range(16)], dtype=np.uint8).reshape(4, 4)
    return np.kron(bits * 200 + 20, np.ones((HEIGHT // 4, WIDTH // 4), dtype=np.uint8))


def read_number(image: NDArray[np.uint8]) -> int:
    """The number in a picture of any size, gray or RGB."""
    gray = image.astype(np.float32)
    if gray.ndim == 3:
        gray = gray[..., :3].mean(axis=2)
    height, width = gray.shape
    value = 0
    for bit in range(16):
        y, x = int((bit // 4 + 0.5) * height / 4), int((bit % 4 + 0.5) * width / 4)
        if gray[y - 4 : y + 4, x - 4 : x + 4].mean() > 128:
            value |= 1 << bit
    return value


@dataclass(frozen=True)
class Sample:
    dts: int
    pts: int
    key: bool
    data: bytes


@lru_cache
def encode(
    frames: int, codec: VideoCodec = VideoCodec.H264, b_frames: int = 0, gop: int = 25, open_gop: bool = False
) -> tuple[CodecConfig, tuple[Sample, ...]]:
    """Numbered pictures 0, 1, 2 … as length-prefixed access units at 25 pictures a second."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate = Fraction(FRAME_TICKS, 90_000), Fraction(25)
    opened = int(open_gop)
    own = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0:open-gop={opened}:log-level=none"
    context.options = {"preset": "veryfast", "crf": "30", f"{name[3:]}-params".replace("lib", ""): own}
    context.thread_count = 1
    packets = []
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, context.time_base
        packets += context.encode(frame)
    packets += context.encode(None)
    shift = -min(packet.dts for packet in packets)
    sets: list[bytes] = []
    samples = []
    for packet in packets:
        nals = split_annex_b(bytes(packet))
        kinds = [nal[0] & 31 if codec is VideoCodec.H264 else nal[0] >> 1 & 63 for nal in nals]
        parameter, delimiter = ((7, 8), 9) if codec is VideoCodec.H264 else ((32, 33, 34), 35)
        if not sets:
            sets = [nal for nal, kind in zip(nals, kinds, strict=True) if kind in parameter]
        kept = [nal for nal, kind in zip(nals, kinds, strict=True) if kind not in (*parameter, delimiter)]
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in kept)
        dts, pts = ((time + shift) * FRAME_TICKS for time in (packet.dts, packet.pts))
        # A camera's keyframes are IDR pictures in H.264, IRAP ones in H.265.
        key = 5 in kinds if codec is VideoCodec.H264 else packet.is_keyframe
        samples.append(Sample(dts, pts, key, data))
    return codec_config(codec, sets), tuple(samples)


@dataclass
class Footage:
    """A stream's recorded segments on disk, one after the other; `record` adds a run."""

    folder: Path
    key: SigningKey = field(default_factory=SigningKey.generate)
    node: str = field(default_factory=new_id)
    camera: str = field(default_factory=new_id)
    stream: StreamName = StreamName.MAIN
    segments: list[Segment] = field(default_factory=list)
    previous: str = ""
    written: int = 0
    mended: frozenset[int] = frozenset()  # numbers of segments sealed anew, after the disk lost what others name

    def record(
        self,
        config: CodecConfig,
        samples: tuple[Sample, ...],
        *,
        start_ns: int = START_NS,
        segment_frames: int = 50,
        fragment_frames: int = 12,
        checkpoint_after: int | None = None,
        leave_open: bool = False,
        slope: Fraction = Fraction(1),
        first_dts: int = 0,
    ) -> list[Segment]:
        """Writes a run: segments begin at the first keyframe after `segment_frames`; pts 0's picture is at `start_ns`.

        `checkpoint_after` puts a checkpoint seal behind so many fragments of each segment; `leave_open` leaves
        the last segment without its final seal; `slope` is wall time by media time (a fast camera has less).
        """
        run = new_id()
        parts: list[list[Sample]] = []
        for sample in samples:
            if not parts or (sample.key and len(parts[-1]) >= segment_frames):
                parts.append([])
            parts[-1].append(replace(sample, dts=sample.dts + first_dts, pts=sample.pts + first_dts))
        zero = first_dts + min(sample.pts for sample in samples)
        made = []
        for number, part in enumerate(parts):
            following = parts[number + 1][0].dts if number + 1 < len(parts) else part[-1].dts + FRAME_TICKS
            last_and_open = leave_open and number + 1 == len(parts)
            clock = _Mapping(zero, start_ns, slope)
            made.append(
                self._write(config, part, run, clock, following, fragment_frames, checkpoint_after, last_and_open)
            )
        self.segments += made
        return made

    def _write(
        self, config: CodecConfig, part: list[Sample], run: str, clock: "_Mapping", end_dts: int,
        fragment_frames: int, checkpoint_after: int | None, leave_open: bool,
    ) -> Segment:  # fmt: skip
        segment = new_id()
        self.written += 1
        sequence = self.written
        header = build_header(config)
        rows: list[FragmentRow] = []
        data, size, leaves = header, len(header), [tree.leaf_hash(header)]
        start_ticks = min(sample.pts for sample in part)
        groups: list[list[Sample]] = []
        for sample in part:
            if not groups or sample.key or len(groups[-1]) == fragment_frames:
                groups.append([])
            groups[-1].append(sample)

        def statement(final: bool, end: int, state: SegmentState) -> Statement:
            shown = start_ticks + end - part[0].dts
            return Statement(
                node=self.node, camera=self.camera, stream=self.stream, run=run, segment=segment, sequence=sequence,
                state=state, final=final, size=size, fragments=len(rows), frames=sum(row.samples for row in rows),
                first_dts=part[0].dts, end_dts=end, lost_packets=0, start_ns=clock.ns(start_ticks),
                start_ticks=start_ticks, end_ns=clock.ns(shown), end_ticks=shown,
                clock_state=ClockState.SYNCHRONISED, clock_offset_ns=None, root=tree.root(leaves).hex(),
                previous=self.previous, key=self.key.fingerprint,
            )  # fmt: skip

        for number, group in enumerate(groups):
            following = groups[number + 1][0].dts if number + 1 < len(groups) else end_dts
            fragment = make_fragment(number + 1, group, following)
            data += fragment
            size += len(fragment)
            rows.append(
                FragmentRow(len(fragment), following - group[0].dts, group[0].key, len(group), tree.leaf_hash(fragment))
            )
            leaves.append(rows[-1].leaf)
            if number + 1 == checkpoint_after:
                data += seal_box(statement(False, following, SegmentState.OPEN), self.key, rows)
        sealed = SegmentState.RECOVERED if sequence in self.mended else SegmentState.SEALED
        last = statement(True, end_dts, sealed)
        if not leave_open:
            data += seal_box(last, self.key, rows)
            self.previous = hashlib.sha256(b"lost").hexdigest() if sequence in self.mended else last.hash().hex()
        path = self.folder / self.camera / self.stream / f"{sequence:06d}-{segment}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return Segment(
            id=segment, camera=self.camera, stream=self.stream, run=run, sequence=sequence, volume=new_id(),
            path=str(path), state=SegmentState.OPEN if leave_open else sealed, start_ns=last.start_ns,
            end_ns=last.end_ns, first_dts=last.first_dts, end_dts=end_dts, bytes=size, fragments=len(rows),
            frames=len(part), lost_packets=0, clock_state=ClockState.SYNCHRONISED, clock_offset_ns=None, late=False,
            seal_hash=None if leave_open else last.hash(),
        )  # fmt: skip


@dataclass(frozen=True)
class _Mapping:
    zero: int
    start_ns: int
    slope: Fraction

    def ns(self, ticks: int) -> int:
        return self.start_ns + round(ticks_to_ns(ticks - self.zero) * self.slope)


def make_fragment(number: int, group: list[Sample], following: int) -> bytes:
    """moof + mdat of some samples; `following` is the decoding time of what comes next."""
    reordered = any(sample.pts != sample.dts for sample in group)
    rows: list[int] = []
    for sample, end in zip(group, [*(sample.dts for sample in group[1:]), following], strict=True):
        rows += [end - sample.dts, len(sample.data), KEY_FLAGS if sample.key else DELTA_FLAGS]
        rows += [sample.pts - sample.dts] if reordered else []
    payload = b"".join(sample.data for sample in group)
    return build_moof(number, group[0].dts, rows, len(group), len(payload), reordered) + payload
