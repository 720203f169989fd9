"""A GStreamer RTSP server with one path per kind of stream; runs under the system's Python (gi is not on PyPI).

Prints three ports (open to anybody; Digest; Basic), then serves until its input ends. Each client of a path gets the
same PICTURES pictures from the first on, so that a test can count them.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PICTURES = 125
VIDEO = (
    f"videotestsrc num-buffers={PICTURES} pattern=ball ! video/x-raw,format=I420,width=320,height=192,framerate=25/1"
)
X264 = "x264enc speed-preset=veryfast threads=1 key-int-max=25 b-adapt=false bitrate=500"
X265 = "x265enc speed-preset=ultrafast key-int-max=25 bitrate=500 log-level=none"
AUDIO = "audiotestsrc is-live=true num-buffers=250 samplesperbuffer=160 ! queue ! alawenc ! rtppcmapay name=pay1 pt=8"
MAIN = "video/x-h264,profile=main"  # Baseline, the encoder's choice otherwise, has no B-frames
SINGLE = "pools=1:frame-threads=1"
PAY_H264 = "rtph264pay name=pay0 pt=96"
PAY_H265 = "rtph265pay name=pay0 pt=96"
PATHS = {
    "/h264": f"{VIDEO} ! {X264} bframes=0 ! {PAY_H264}",
    "/h264-b": f"{VIDEO} ! {X264} bframes=2 ! {MAIN} ! {PAY_H264}",
    "/h264-in-band": f"{VIDEO} ! {X264} bframes=2 ! {MAIN} ! {PAY_H264} config-interval=-1 aggregate-mode=max-stap",
    "/h264-slices": f"{VIDEO} ! {X264} bframes=0 option-string=slices=4 ! {PAY_H264} mtu=600",
    "/h264-audio": f"{VIDEO} ! {X264} bframes=2 ! {MAIN} ! queue ! {PAY_H264} {AUDIO}",
    "/h265": f"{VIDEO} ! {X265} option-string=bframes=0:{SINGLE} ! h265parse ! {PAY_H265}",
    "/h265-b": (
        f"{VIDEO} ! {X265} option-string=bframes=2:b-adapt=0:{SINGLE} ! h265parse ! queue"
        f" ! {PAY_H265} config-interval=-1 {AUDIO}"
    ),
    "/vp8": f"{VIDEO} ! vp8enc deadline=1 ! rtpvp8pay name=pay0 pt=96",
}


def serve(methods):
    """A server on a free port; with methods (Basic or Digest), only user `lan` may use it."""
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    mounts = server.get_mount_points()
    for path, launch in PATHS.items():
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( {launch} )")
        factory.set_shared(False)
        if methods is not None:
            permissions = GstRtspServer.RTSPPermissions.new()
            permissions.add_role("owner")
            permissions.add_permission_for_role("owner", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
            permissions.add_permission_for_role("owner", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
            factory.set_permissions(permissions)
        mounts.add_factory(path, factory)
    if methods is not None:
        token = GstRtspServer.RTSPToken.new()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "owner")
        auth = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(methods)
        if methods == GstRtsp.RTSPAuthMethod.DIGEST:
            auth.add_digest("lan", "mật khẩu", token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic("lan", "mật khẩu"), token)
        server.set_auth(auth)
    server.attach(None)
    return server


def main():
    Gst.init(None)
    servers = [serve(None), serve(GstRtsp.RTSPAuthMethod.DIGEST), serve(GstRtsp.RTSPAuthMethod.BASIC)]
    print(*(server.get_bound_port() for server in servers), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


main()
