"""Processes that a measurement needs: simulated cameras, a recorder, the peers."""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.result import ROOT
from xomyen.camera.simulator import demo_clip

_ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


def many_files() -> None:
    """As many open files as the system allows: hundreds of cameras need them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A Python module of this tree as a process, with its output piped."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        **{"env": _ENVIRONMENT, "cwd": ROOT, "text": True, "stdout": subprocess.PIPE, **options},
    )


def stop(process: subprocess.Popen[str], patience_s: float = 60.0) -> str:
    """Asks the process to end; the answer is the rest of its output."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=patience_s)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def next_json(process: subprocess.Popen[str], patience_s: float = 300.0) -> dict[str, Any]:
    """The next line of JSON that the process prints; other lines are passed over."""
    if process.stdout is None:
        raise ValueError("the process has no output to read")
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 1.0)[0]:
            continue
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{process.args} ended with {process.wait()}")
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise TimeoutError(f"{process.args} said nothing within {patience_s} s")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def cameras(count: int, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Simulated cameras, 1080p25 at 4 Mbit/s, H.264 with a sub-stream; yields their port and process."""
    port = free_port()
    process = start("xomyen.camera.simulator", str(demo_clip()), "--count", str(count), "--port", str(port), *options)
    try:
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the simulator ended with {process.returncode}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.2)
        yield port, process
    finally:
        stop(process)


@contextlib.contextmanager
def ffmpegs(count: int, port: int, folder: Path) -> Iterator[list[int]]:
    """What most recorders do: one `ffmpeg -c copy -f segment` per camera; yields their process ids."""
    running = []
    try:
        for camera in range(1, count + 1):
            own = folder / str(camera)
            own.mkdir(parents=True)
            running.append(
                subprocess.Popen(
                    [
                        "ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp",
                        "-i", f"rtsp://127.0.0.1:{port}/{camera}", "-c", "copy", "-f", "segment",
                        "-segment_time", "10", "-segment_format", "mp4", "-reset_timestamps", "1", "%03d.mp4",
                    ],
                    cwd=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            time.sleep(0.02)
        yield [p.pid for p in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
