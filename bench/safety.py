"""Kills, power cuts and failing disks: the tests of faults, counted as lines of the table."""

import os
import re
import subprocess
import sys
import time

from bench.result import ROOT, Result

KILLS = 100
CUTS = 1000
FAULTS = 500


def tests(what: str, must: str, *arguments: str) -> list[Result]:
    """Runs the tests and reports how many passed."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", "1800", *arguments]
    counts = {"XOMYEN_KILLS": KILLS, "XOMYEN_POWER_CUTS": CUTS, "XOMYEN_DISK_FAULTS": FAULTS}
    environment = {**os.environ, **{name: str(count) for name, count in counts.items()}}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    return [
        Result(
            what,
            must,
            f"{re.sub(r' in .*', '', last)} in {time.monotonic() - begin:.0f} s ({' '.join(arguments)})",
            done.returncode == 0,
        )
    ]


def kills() -> list[Result]:
    """kill -9 at random instants."""
    must = "nothing acknowledged lost, at most 2 s per camera otherwise; check clean"
    return tests(f"kill -9 at random instants, {KILLS} times", must, "tests/faults/test_kill.py")


def power_cuts() -> list[Result]:
    """Power cuts in the disk model."""
    must = "nothing acknowledged lost, at most 2 s per camera otherwise; check clean"
    return tests(f"simulated power cut, {CUTS:,} times in a model", must, "tests/faults/test_power_cut.py")


def disk_faults() -> list[Result]:
    """Disks that fail in every way, and processes killed while they do."""
    must = "every moment in a file that verifies or in a gap; check clean"
    what = f"disk that fails in any way, {FAULTS} times each: stopped, killed, killed within a sync"
    return tests(what, must, "tests/faults/test_any_fault.py")
