"""How a URL is opened with libavformat: options for each scheme; no I/O and no libav here."""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from xomyen.camera.address import redact
from xomyen.camera.libav.wire import Start
from xomyen.terms.errors import InvalidConfiguration

# What a URL may make libavformat reach: a playlist on a web server must not read files of this machine.
_RTSP_PROTOCOLS = "rtsp,rtp,udp,tcp"
_RTMP_PROTOCOLS = "rtmp,rtmps,rtmpt,tcp,tls,http"
_HTTP_PROTOCOLS = "http,https,httpproxy,tcp,tls,crypto"
_FORMATS = (
    "rtsp,rtp,sdp,flv,live_flv,hls,mpegts,mpjpeg,mjpeg,mjpeg_2000,jpeg_pipe,h264,hevc,avi,asf,mpeg,"
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
)
# 32 KiB are enough to see what a live stream holds (1.2 s become 0.14 s); files may carry more in front.
_LIVE_PROBE_BYTES = "32768"


@dataclass(frozen=True, slots=True)
class Opening:
    """How to open one URL."""

    url: str = field(repr=False)  # may hold user and password
    place: str  # host and port, or the file, for messages
    host: str | None
    options: dict[str, str] = field(repr=False)
    is_file: bool
    only_presentation_times: bool  # RTP carries no decoding times
    native_timeout: bool  # the protocol watches the time itself, without Python's lock
    loop: bool


def plan(start: Start) -> Opening:
    """The way to open the URL of a Start message. Raises InvalidConfiguration for a scheme not known here."""
    parts = urlsplit(start.url)
    scheme = parts.scheme.lower()
    if scheme in ("file", ""):
        if not parts.path.startswith("/"):
            raise InvalidConfiguration(f"{start.url!r} is not a video file: write file:///FOLDER/FILE.")
        options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
        path = unquote(parts.path)
        return Opening(f"file:{path}", path, None, options, True, False, False, parts.fragment != "once")
    if not parts.hostname:
        raise InvalidConfiguration(f"{redact(start.url)!r} names no host.")
    silence_us = str(round(start.silence_s * 1_000_000))
    options = {"format_whitelist": _FORMATS}
    if scheme == "rtsp+udp":
        options |= {
            "protocol_whitelist": _RTSP_PROTOCOLS,
            "rtsp_transport": "udp",
            "allowed_media_types": "video",
            "timeout": silence_us,
            "buffer_size": "2097152",
            "probesize": _LIVE_PROBE_BYTES,
        }
        scheme = "rtsp"
    elif scheme in ("rtmp", "rtmps", "rtmpt"):
        options |= {"protocol_whitelist": _RTMP_PROTOCOLS, "rtmp_live": "live"}
    elif scheme in ("http", "https"):
        options |= {"protocol_whitelist": _HTTP_PROTOCOLS, "user_agent": "xomyen"}
    else:
        raise InvalidConfiguration(f"{scheme}:// is not a kind of camera address known here.")
    netloc = parts.netloc.rpartition("@")[2]
    if start.user is not None:
        netloc = f"{quote(start.user, safe='')}:{quote(start.password or '', safe='')}@{netloc}"
    url = urlunsplit((scheme, netloc, parts.path, parts.query, ""))
    place = parts.netloc.rpartition("@")[2]
    is_rtsp = scheme == "rtsp"
    return Opening(url, place, parts.hostname, options, False, is_rtsp, is_rtsp, False)
