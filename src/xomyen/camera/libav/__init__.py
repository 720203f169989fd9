"""Cameras that speak anything but RTSP over TCP, read through FFmpeg's libraries in processes of their own.

`LibavPool` owns the processes, `LibavSource` is one stream in one of them. Only video leaves a process:
audio is neither set up where the protocol allows, nor passed on.
"""

from xomyen.camera.libav.pool import LibavPool
from xomyen.camera.libav.source import LibavSource

__all__ = ["LibavPool", "LibavSource"]
