"""A clip of ten minutes against two `cp` and one SHA-256 pass over the same bytes."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.footage import START_NS, recorded
from bench.result import Result
from xomyen.playback.clip import Clip, plan_clip, segments_for_clip
from xomyen.playback.export import write_clip
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import StreamName

_TIMES = 5


def ten_minutes(seconds: int) -> list[Result]:
    """Plans and writes the clip, and hashes it as its manifest does; all from the page cache, medians of five."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-", dir=os.environ.get("XOMYEN_BENCH_DIR")) as name:
        root = Path(name)
        folder, camera = asyncio.run(recorded(root / "node", seconds + 40))
        from_ns = START_NS + 10 * NS_PER_SECOND
        to_ns = from_ns + seconds * NS_PER_SECOND
        target = root / "clip.mp4"
        clip = make(folder, camera, from_ns, to_ns, target)
        size = target.stat().st_size

        def peer() -> None:
            for copy in ("a.mp4", "b.mp4"):
                subprocess.run(["cp", str(target), str(root / copy)], check=True)
            subprocess.run(["sha256sum", str(target)], check=True, stdout=subprocess.DEVNULL)

        ours, theirs = _alternating(lambda: make(folder, camera, from_ns, to_ns, root / "again.mp4"), peer)
    return [
        Result(
            f"clip of {seconds // 60} minutes",
            "at most the time of 2 cp and one SHA-256 pass of the same bytes",
            f"{1000 * ours:.0f} ms against {1000 * theirs:.0f} ms ({size / 1e6:.0f} MB, {clip.frames} pictures)",
            ours <= theirs,
            {"ours_s": ours, "peer_s": theirs, "bytes": size},
        )
    ]


def make(folder: NodeFolder, camera: str, from_ns: int, to_ns: int, target: Path) -> Clip:
    """From the index to a file on disk, as an export does: every byte is read, hashed and written."""
    with IndexReader(folder.index) as index:
        clip = plan_clip(segments_for_clip(index, camera, StreamName.MAIN, from_ns, to_ns), from_ns, to_ns)
    target.unlink(missing_ok=True)
    write_clip(clip, target)
    return clip


def _alternating(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both, measured in turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TIMES):
        for call, times in zip((one, other), spent, strict=True):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
    return median(spent[0]), median(spent[1])
