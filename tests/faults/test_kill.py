"""A recorder that is killed at random instants: nothing that was written is lost, and the next start settles all."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults.recorder_process import COUNTS
from tests.footage import CAMERA, OTHER

from xomyen.proof.keys import SigningKey
from xomyen.recording.check import check
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import SegmentFileError, read_segment
from xomyen.terms.folder import NodeFolder
from xomyen.terms.words import SegmentState, StreamName

# So many starts take long on a machine that does other things.
pytestmark = pytest.mark.timeout(300)

KILLS = int(os.environ.get("XOMYEN_KILLS", "25"))
TWO_SECONDS = 50 * 4  # pictures; the process feeds four times as fast as a camera


def _rows(folder: NodeFolder) -> dict[str, Segment]:
    with IndexReader(folder.index) as reader:
        return {s.id: s for camera in (CAMERA, OTHER) for s in reader.all_segments(camera, StreamName.MAIN)}


def _frames_in_files(folder: NodeFolder) -> dict[str, dict[str, int]]:
    """Whole pictures by camera and file."""
    found: dict[str, dict[str, int]] = {CAMERA: {}, OTHER: {}}
    for path in folder.default_volume.glob("*/*/*/*.mp4"):
        try:
            file = read_segment(str(path), walk_all=True)
        except SegmentFileError:
            continue
        found[path.relative_to(folder.default_volume).parts[0]][str(path)] = sum(f.samples for f in file.fragments)
    return found


def test_a_kill_at_any_instant_loses_nothing_that_was_written(tmp_path: Path) -> None:
    chance = random.Random(7)
    folder = NodeFolder(tmp_path)
    (tmp_path / "fed").write_bytes(bytes(COUNTS.size))
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.recorder_process", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    before: dict[str, dict[str, int]] = {CAMERA: {}, OTHER: {}}
    promised: dict[str, Segment] = {}
    try:
        for _ in range(KILLS):
            nursery.stdin.write("start\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            deadline = time.monotonic() + 60
            while not COUNTS.unpack((tmp_path / "fed").read_bytes())[0]:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(chance.random() * 0.7)
            os.kill(child, signal.SIGKILL)
            assert int(nursery.stdout.readline()) == signal.SIGKILL

            rows = _rows(folder)
            for segment in promised.values():
                assert rows[segment.id].bytes >= segment.bytes, "the next start kept what was acknowledged"
                assert rows[segment.id].state is not SegmentState.OPEN, "the next start sealed it"
            for camera, files in before.items():
                for path, frames in files.items():
                    kept = next(row for row in rows.values() if row.path == path)
                    assert kept.frames == frames, f"the next start kept what was written for {camera}"
            in_files = _frames_in_files(folder)
            _, *fed = COUNTS.unpack((tmp_path / "fed").read_bytes())
            for camera, count in zip((CAMERA, OTHER), fed, strict=True):
                new = sum(n for path, n in in_files[camera].items() if path not in before[camera])
                assert new >= count - TWO_SECONDS
            before = {camera: {p: n for p, n in files.items() if n} for camera, files in in_files.items()}
            promised = rows
    finally:
        nursery.stdin.close()
        nursery.wait(60)
    with IndexReader(folder.index) as reader:
        report = check(reader, SigningKey.load(folder.signing_key).public, hashes=True)
    assert report.clean, report.findings
    assert report.segments >= KILLS
