"""Simulated cameras: real street video served over RTSP, made once and sent on schedule."""

from xomyen.camera.simulator.encoding import Picturing
from xomyen.camera.simulator.faults import FaultKind
from xomyen.camera.simulator.protection import Protection, Scheme
from xomyen.camera.simulator.scenes import demo_clip
from xomyen.camera.simulator.server import Simulator

__all__ = ["FaultKind", "Picturing", "Protection", "Scheme", "Simulator", "demo_clip"]
