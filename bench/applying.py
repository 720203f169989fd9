"""How soon a camera that is saved at the centre is recorded so by its node, in the running demo."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from bench.measure import percentile
from bench.processes import free_port, start, stop
from bench.result import ROOT, Result

_READY = "Ctrl-C"  # what the demo says once all of it runs
_MOST_S = 2.0


def saves(cameras: int, times: int) -> list[Result]:
    """From the save to the answer of the node's configuration service, one camera after the other."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as folder, _demo(folder, cameras) as centre:
        command = [sys.executable, "-m", "bench.applying_saves", folder, centre, str(times)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    passed = json.loads(done.stdout)
    in_force, told = passed["in_force"], passed["told"]
    return [
        Result(
            f"from saving a camera at the centre to its node having it, {cameras} cameras recorded meanwhile",
            f"each within {_MOST_S:.0f} s",
            f"median {1000 * percentile(in_force, 0.5):.0f} ms, the slowest of {times} {1000 * max(in_force):.0f} ms,"
            f" the save itself included; the centre says so after {1000 * percentile(told, 0.5):.0f} ms, at most"
            f" {1000 * max(told):.0f} ms",
            max(in_force) <= _MOST_S,
            {"in_force_ms": [round(1000 * one) for one in in_force], "told_ms": [round(1000 * one) for one in told]},
        )
    ]


@contextlib.contextmanager
def _demo(folder: str, cameras: int) -> Iterator[str]:
    centre = f"127.0.0.1:{free_port()}"
    listen = f"127.0.0.1:{free_port()}"
    options = ("--cameras", str(cameras), "--dir", folder, "--listen", listen, "--centre", centre)
    demo = start("xomyen.cli", "demo", *options)
    try:
        if demo.stdout is None or not any(_READY in line for line in demo.stdout):
            raise RuntimeError(f"the demo ended with {demo.wait()}")
        yield f"http://{centre}"
    finally:
        stop(demo)
