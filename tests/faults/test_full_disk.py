"""A file system that is really full: writing stops cleanly, goes on by itself, and every file is whole."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)  # a program is started that waits for a disk to fill up

SMALL = 1 << 30  # bytes; what may be filled up without harm


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[list[str]]:
    """The command's beginning and end that give a small file system at ROOT/small."""
    (tmp_path / "small").mkdir()
    for unshare in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        trial = [*unshare, "mount", "-t", "tmpfs", "-o", "size=4m", "none", str(tmp_path / "small")]
        if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
            yield [*unshare, sys.executable, "-m", "tests.faults.full_disk_process", str(tmp_path), "--mount"]
            return
    # A container without the right to mount has a small /dev/shm (64 MiB).
    found = os.statvfs("/dev/shm")
    assert found.f_bavail * found.f_frsize < SMALL, "neither a mount nor a small file system is to be had here"
    (tmp_path / "small").rmdir()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        (tmp_path / "small").symlink_to(folder)
        yield [sys.executable, "-m", "tests.faults.full_disk_process", str(tmp_path)]


def test_a_file_system_that_is_really_full_pauses_recording_which_resumes_by_itself(
    small_volume: list[str],
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(small_volume, capture_output=True, text=True, env=environment, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["why"] == "full"
    assert any("it is full" in text for text in seen["alarms"])
    assert seen["states"] == ["sealed"]
    assert 0 < seen["frames"] < seen["fed"]
    assert seen["decoded"] == seen["frames"]
    assert (seen["gaps"], seen["unfinished"]) == (["disk"], 0)
    assert seen["findings"] == []
