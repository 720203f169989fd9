"""Timelines from an index as large as 25 cameras make it in a month."""

import random
import tempfile
import time
from pathlib import Path

from bench.measure import percentile
from bench.result import Result
from xomyen.playback.timeline import timeline
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Gap, Run, Segment
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import ClockState, GapReason, SegmentState, StreamName, VideoCodec

_SEGMENT_S = 32
_LOST_EVERY_S = 3600  # on average, a camera is lost for a minute
_DAY_S = 86_400
_TIMES = 100
_START_S = 1_763_600_000


def timelines(days: int, count: int) -> list[Result]:
    """p95 of one camera over all days, and of all cameras over one day, a new connection each time."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as name:
        path = str(Path(name) / "index.sqlite")
        cameras = _fill(path, days, count)
        end_ns = (_START_S + days * _DAY_S) * NS_PER_SECOND
        month, day = [], []
        spans = 0
        for turn in range(_TIMES):
            begin = time.perf_counter()
            spans = _ask(path, [cameras[turn % count]], end_ns - days * _DAY_S * NS_PER_SECOND, end_ns)
            month.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            _ask(path, cameras, end_ns - _DAY_S * NS_PER_SECOND, end_ns)
            day.append(time.perf_counter() - begin)
    return [
        Result(
            f"timeline of one camera over {days} days",
            "p95 at most 50 ms",
            f"p95 {1000 * percentile(month, 0.95):.1f} ms ({spans} stretches shown; from the index, without HTTP)",
            percentile(month, 0.95) <= 0.05,
        ),
        Result(
            f"timeline of {count} cameras over one day",
            "p95 at most 50 ms",
            f"p95 {1000 * percentile(day, 0.95):.1f} ms for all of them (from the index, without HTTP)",
            percentile(day, 0.95) <= 0.05,
        ),
    ]


def _ask(path: str, cameras: list[str], from_ns: int, to_ns: int) -> int:
    with IndexReader(path) as index:
        return sum(len(timeline(index, None, camera, StreamName.MAIN, from_ns, to_ns).spans) for camera in cameras)


def _fill(path: str, days: int, count: int) -> list[str]:
    """Every segment, run and gap of the month."""
    chance = random.Random(1)
    clock = ManualClock(_START_S * NS_PER_SECOND)
    index = Index(path)
    index.open()
    volume = new_id(clock)
    cameras = [new_id(clock) for _ in range(count)]
    with index.transaction():
        index.put_volume(volume, "/video", 0)
        for camera in cameras:
            _fill_camera(index, volume, camera, days, chance)
    index.close()
    return cameras


def _fill_camera(index: Index, volume: str, camera: str, days: int, chance: random.Random) -> None:
    at, sequence, run, dts = _START_S, 0, "", 0
    while at < _START_S + days * _DAY_S:
        start_ns, end_ns = at * NS_PER_SECOND, (at + _SEGMENT_S) * NS_PER_SECOND
        if not run or chance.random() < _SEGMENT_S / _LOST_EVERY_S:
            if run:
                gap = Gap(new_id(), start_ns, start_ns + 60 * NS_PER_SECOND, GapReason.NETWORK, "no route")
                index.put_gap(camera, StreamName.MAIN, gap)
                at += 60
                start_ns, end_ns = at * NS_PER_SECOND, (at + _SEGMENT_S) * NS_PER_SECOND
            run, dts = new_id(), 0
            index.put_run(
                Run(run, camera, StreamName.MAIN, start_ns, VideoCodec.H264, "avc1.640028", 1920, 1080, b"avc1")
            )
        relative = f"{camera}/main/{at}.mp4"
        ticks = _SEGMENT_S * 90_000
        index.put_segment(
            Segment(
                new_id(), camera, StreamName.MAIN, run, sequence, volume, f"/video/{relative}", SegmentState.SEALED,
                start_ns, end_ns, dts, dts + ticks, 16_000_000, 64, 800, 0,
                ClockState.SYNCHRONISED, 0, False, bytes(32),
            ),
            relative,
        )  # fmt: skip
        at, sequence, dts = at + _SEGMENT_S, sequence + 1, dts + ticks
