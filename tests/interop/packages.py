"""What the tests of this folder need from the distribution; a missing piece fails with the command that installs it."""

import shutil
import subprocess
from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"
_INSTALL = "sudo apt-get install --yes"
_ELEMENTS = {
    "x264enc": "gstreamer1.0-plugins-ugly",
    "x265enc": "gstreamer1.0-plugins-bad",
    "h265parse": "gstreamer1.0-plugins-bad",
    "rtph265pay": "gstreamer1.0-plugins-good",
    "rtppcmapay": "gstreamer1.0-plugins-good",
    "vp8enc": "gstreamer1.0-plugins-good",
    "videotestsrc": "gstreamer1.0-plugins-base",
}


def need_gstreamer_server() -> None:
    """GStreamer's RTSP server with its Python binding, and the elements of the streams."""
    binding = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"], capture_output=True, check=False
    )
    missing = [] if binding.returncode == 0 else ["python3-gi", "gir1.2-gst-rtsp-server-1.0"]
    if shutil.which("gst-inspect-1.0") is None:
        missing += ["gstreamer1.0-tools", *_ELEMENTS.values()]
    else:
        missing += [package for element, package in _ELEMENTS.items() if not _has_element(element)]
    _need(missing)


def need_vlc() -> None:
    """VLC without a window, with its streaming plugins."""
    plugins = Path("/usr/lib").glob("*-linux-gnu/vlc/plugins/stream_out/libstream_out_rtp_plugin.so")
    _need([] if shutil.which("vlc") and any(plugins) else ["vlc-bin", "vlc-plugin-base"])


def _has_element(name: str) -> bool:
    return subprocess.run(["gst-inspect-1.0", "--exists", name], capture_output=True, check=False).returncode == 0


def _need(packages: list[str]) -> None:
    if packages:
        raise AssertionError(f"missing from this machine: {_INSTALL} {' '.join(dict.fromkeys(packages))}")
