"""The recorder against its peers: CPU per camera, memory per camera, many cameras at once, a disk that stalls."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import usage
from bench.processes import cameras, ffmpegs, next_json, start, stop
from bench.result import Result
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.segment_file import read_segment
from xomyen.terms.words import StreamName

_FRAME_TICKS = 3600  # 25 pictures a second
_QUARTER = 0.25
_FLOORS = 4.5


@dataclass(frozen=True)
class Recorded:
    """What the recorder's process said, and what its files hold."""

    cpu: float  # share of a core
    pss_bytes: int
    most_pss_bytes: int
    missing: int  # frames absent between a camera's first and last picture, by the files
    broken: int  # cameras whose footage is not one run without a gap
    frames: int
    simulator_cpu: float
    lost_packets: int
    missing_on_first_disk: int = 0
    most_waiting: int = 0


def record(count: int, port: int, simulator: int, seconds: float, stall: tuple[float, float] | None = None) -> Recorded:
    """Runs the recorder and counts every frame in its files."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as folder:
        extra = ("--stall", str(stall[0]), str(stall[1])) if stall else ()
        process = start("bench.recorder", str(count), str(port), str(seconds), folder, *extra)
        try:
            ids = next_json(process)["cameras"]
            before = usage([simulator], memory=False)
            figures = next_json(process, seconds + 120)
            served = usage([simulator], memory=False).since(before)
            next_json(process, 600)  # what the disk has not taken yet is synced
            process.wait(60)
            holes = [_holes(Path(folder), camera) for camera in ids]
        finally:
            stop(process)
    first = holes[::2] if stall else holes
    return Recorded(
        cpu=figures["cpu_s"] / figures["wall_s"],
        pss_bytes=figures["pss_bytes"],
        most_pss_bytes=figures["most_pss_bytes"],
        missing=sum(h[0] for h in holes),
        broken=sum(h[1] for h in holes),
        frames=sum(h[2] for h in holes),
        simulator_cpu=served,
        lost_packets=figures["lost_packets"],
        missing_on_first_disk=sum(h[0] + h[1] for h in first),
    )


def _holes(folder: Path, camera: str) -> tuple[int, int, int]:
    """Frames missing between the first and the last one, whether there is not exactly one run, frames recorded."""
    with IndexReader(folder / "index.sqlite") as index:
        segments = sorted(index.all_segments(camera, StreamName.MAIN), key=lambda s: s.sequence)
    runs = {s.run for s in segments}
    missing = frames = 0
    at, run = 0, ""
    for segment in segments:
        for fragment in read_segment(segment.path).fragments:
            if segment.run == run:
                missing += max(0, fragment.first_dts - at) // _FRAME_TICKS
            at, run = fragment.first_dts + fragment.samples * _FRAME_TICKS, segment.run
            frames += fragment.samples
    return missing, int(len(runs) != 1), frames


def floor(count: int, port: int, seconds: float) -> dict[str, Any]:
    """The bare read-and-write of the same bytes."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as folder:
        process = start("bench.floor", str(count), str(port), str(seconds), folder)
        try:
            return next_json(process, seconds + 120)
        finally:
            stop(process)


def ffmpeg(count: int, port: int, seconds: float) -> tuple[float, int]:
    """Share of a core, and bytes of memory, of one ffmpeg per camera."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as name, ffmpegs(count, port, Path(name)) as pids:
        folder = Path(name)
        end = time.monotonic() + 120
        while len(list(folder.glob("*/*.mp4"))) < count and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(3)
        before = usage(pids, memory=False)
        time.sleep(seconds)
        after = usage(pids)
        return after.since(before), after.pss_bytes


def processor(count: int, seconds: float) -> list[Result]:
    """CPU per camera against ffmpeg and against the floor, one after the other with the same cameras."""
    with cameras(count) as (port, simulator):
        ours = record(count, port, simulator.pid, seconds)
        bare = floor(count, port, seconds)
        peer, peer_memory = ffmpeg(count, port, seconds)
    low = bare["cpu_s"] / bare["wall_s"]
    share = ours.cpu / peer
    floors = ours.cpu / low
    return [
        Result(
            f"recorder CPU per camera, {count} cameras",
            "at most 1/4 of ffmpeg -c copy, at most 4.5 times a bare read-and-write",
            f"{100 * ours.cpu / count:.3f} % of a core; {share:.2f} of ffmpeg ({100 * peer / count:.3f} %),"
            f" {floors:.1f} times the floor ({100 * low / count:.3f} %); {ours.missing} frames missing",
            share <= _QUARTER and floors <= _FLOORS and not ours.missing and not ours.broken,
            {**vars(ours), "ffmpeg_cpu": peer, "ffmpeg_pss_bytes": peer_memory, "floor_cpu": low, "seconds": seconds},
        )
    ]


def all_at_once(count: int, seconds: float) -> list[Result]:
    """A full 1 Gbit/s."""
    with cameras(count) as (port, simulator):
        ours = record(count, port, simulator.pid, seconds)
    return [
        Result(
            f"{count} cameras at once for {seconds:.0f} s, simulator on the same machine",
            "no frame missing, recorder under half a core",
            f"{ours.missing} of {ours.frames} frames missing, {ours.broken} cameras interrupted;"
            f" recorder {100 * ours.cpu:.0f} %, simulator {100 * ours.simulator_cpu:.0f} % of a core",
            not ours.missing and not ours.broken and ours.cpu < 0.5,
            vars(ours),
        )
    ]


def memory(few: int, many: int, seconds: float) -> list[Result]:
    """Memory per camera beyond the first, from two runs."""
    with cameras(many) as (port, simulator):
        small = record(few, port, simulator.pid, seconds)
        large = record(many, port, simulator.pid, seconds)
    each = (large.pss_bytes - small.pss_bytes) / (many - few)
    return [
        Result(
            "memory per camera beyond the first",
            "at most 1 MB",
            f"{each / 1e6:.2f} MB ({few} camera: {small.pss_bytes / 1e6:.0f} MB,"
            f" {many}: {large.pss_bytes / 1e6:.0f} MB)",
            each <= 1e6,
            {"few": vars(small), "many": vars(large)},
        )
    ]


def stalled_disk(count: int, seconds: float, stalled_s: float = 10.0) -> list[Result]:
    """Every write and sync to one of two disks blocks for a while (in the recorder's own disk calls)."""
    with cameras(count) as (port, simulator):
        calm = record(count, port, simulator.pid, seconds)
        ours = record(count, port, simulator.pid, seconds, (5.0, stalled_s))
    grown = ours.most_pss_bytes - calm.pss_bytes
    return [
        Result(
            f"one disk of two stalled for {stalled_s:.0f} s, {count} cameras",
            "no frame missing on the other; memory bounded",
            f"{ours.missing_on_first_disk} frames missing on the other disk,"
            f" {ours.missing - ours.missing_on_first_disk} on the stalled one;"
            f" memory {ours.most_pss_bytes / 1e6:.0f} MB"
            f" at most, {grown / 1e6:+.0f} MB against no stall",
            not ours.missing_on_first_disk and ours.most_pss_bytes < 600e6,
            {"calm": vars(calm), "stalled": vars(ours)},
        )
    ]
