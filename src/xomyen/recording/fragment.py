"""What a sink makes: fragments from lists of samples, segments and runs from a codec configuration."""

import os
from datetime import UTC, datetime
from operator import sub

from xomyen.camera.source import CodecConfig
from xomyen.recording.mp4 import DELTA_FLAGS, KEY_FLAGS, build_header, build_moof
from xomyen.recording.open_segment import OpenSegment, StreamChain
from xomyen.recording.rows import Run
from xomyen.recording.segment_note import SegmentNote
from xomyen.terms.buffers import Bytes
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import StreamName


class Gathered:
    """Access units that wait for more of their kind; the bytes are copies."""

    __slots__ = ("arrived_ns", "dts", "key", "parts", "pts", "sizes")

    def __init__(self, key: bool, arrived_ns: int) -> None:
        self.key = key
        self.arrived_ns = arrived_ns
        self.parts: list[Bytes] = []
        self.sizes: list[int] = []
        self.dts: list[int] = []
        self.pts: list[int] = []


def cut(parts: list[Bytes], begin: int, end: int) -> list[Bytes]:
    """The bytes from `begin` to `end` of what the parts are one behind the other, without copying them."""
    found: list[Bytes] = []
    at = 0
    for part in parts:
        after = at + len(part)
        first, last = max(begin, at), min(end, after)
        if first < last:
            found.append(memoryview(part)[first - at : last - at])
        at = after
    return found


def build_fragment(
    number: int, first_dts: int, sizes: list[int], dts: list[int], pts: list[int], key: bool, last_duration: int
) -> tuple[bytes, int, int]:
    """The moof and mdat head of a fragment, the whole fragment's size, and its last sample's duration (ticks).

    `dts` and `pts` may count from anywhere; `first_dts` is the first one in the run's media time. The last sample's
    duration is taken to be the one before's, or `last_duration` when it is the only one.
    """
    count = len(sizes)
    if count > 1:
        durations = list(map(sub, dts[1:], dts))
        durations.append(durations[-1])
    else:
        durations = [last_duration]
    reordered = pts != dts
    width = 4 if reordered else 3
    rows = [DELTA_FLAGS] * (width * count)
    rows[0::width] = durations
    rows[1::width] = sizes
    if key:
        rows[2] = KEY_FLAGS
    if reordered:
        rows[3::4] = list(map(sub, pts, dts))
    size = sum(sizes)
    moof = build_moof(number, first_dts, rows, count, size, reordered)
    return moof, size + len(moof), durations[-1]


def open_segment(
    run: Run,
    config: CodecConfig,
    node: str,
    volume: str,
    root: str,
    chain: StreamChain,
    *,
    start_ns: int,
    start_ticks: int,
    segment: str,
    scratch: bool,
    late: bool,
) -> OpenSegment:
    """A segment that begins now, its file's name and header."""
    note = SegmentNote(
        camera=run.camera,
        stream=run.stream,
        run=run.id,
        segment=segment,
        sequence=0 if scratch else chain.take_sequence(),
        start_ns=start_ns,
        start_ticks=start_ticks,
        codec_string=config.codec_string,
    )
    began = datetime.fromtimestamp(start_ns // NS_PER_SECOND, UTC)
    name = f"{began:%H%M%S}Z-{segment}.mp4"
    relative = os.path.join(run.camera, run.stream, f"{began:%Y-%m-%d}", name)
    header = build_header(config, note.encode())
    path = os.path.join(root, relative)
    return OpenSegment(note, run, node, volume, path, relative, header, chain, scratch=scratch, late=late)


def new_run(camera: str, stream: StreamName, config: CodecConfig, start_ns: int, clock: Clock) -> Run:
    return Run(
        id=new_id(clock),
        camera=camera,
        stream=stream,
        started_ns=start_ns,
        codec=config.codec,
        codec_string=config.codec_string,
        width=config.width,
        height=config.height,
        sample_entry=config.sample_entry,
    )
