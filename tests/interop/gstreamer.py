"""Starts GStreamer's RTSP servers and says where they are."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.packages import SYSTEM_PYTHON, need_gstreamer_server


@dataclass(frozen=True)
class Servers:
    open: str
    digest: str
    basic: str


@contextmanager
def gstreamer_servers() -> Iterator[tuple[Servers, int]]:
    """The servers and their process."""
    need_gstreamer_server()
    script = Path(__file__).with_name("gstreamer_server.py")
    server = subprocess.Popen([SYSTEM_PYTHON, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    ports = server.stdout.readline().split()
    assert len(ports) == 3, "the GStreamer server did not start"
    try:
        yield Servers(*(f"127.0.0.1:{port}" for port in ports)), server.pid
    finally:
        server.kill()
        server.communicate()
