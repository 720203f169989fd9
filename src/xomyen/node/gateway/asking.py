"""Reads what a request asks for: camera, stream, times, width."""

from starlette.requests import Request

from xomyen.node.gateway.problems import BadRequest
from xomyen.playback.timeline import check_range
from xomyen.terms.errors import UnknownCamera
from xomyen.terms.ids import is_id
from xomyen.terms.time import NS_PER_SECOND, parse_time
from xomyen.terms.words import StreamName, VideoCodec

_WIDEST = 8192
_NARROWEST = 16


def camera_of(request: Request) -> str:
    """The camera id in the path. Raises UnknownCamera for what is no id."""
    camera = str(request.path_params["camera"])
    if not is_id(camera):
        raise UnknownCamera(camera[:100])
    return camera


def stream_of(request: Request) -> StreamName:
    """The stream in the path or in `stream=`; main unless said otherwise. Raises BadRequest."""
    text = request.path_params.get("stream") or request.query_params.get("stream") or StreamName.MAIN
    try:
        return StreamName(text)
    except ValueError:
        raise BadRequest("`stream` is main or sub.") from None


def time_of(request: Request, name: str, now_ns: int) -> int:
    """A moment in the query. Raises BadRequest when it is missing, InvalidTime when it cannot be read."""
    text = request.query_params.get(name)
    if text is None:
        raise BadRequest(f"`{name}` is missing: a time such as 2026-11-21T07:00:00Z.")
    # A plus sign that was not escaped arrives as a space.
    return parse_time(text.replace(" ", "+"), now_ns)


def range_of(request: Request, now_ns: int, longest_ns: int, to_now: bool = False) -> tuple[int, int]:
    """`from` and `to`, or up to now where `to_now`. Raises BadRequest, InvalidTime, InvalidRange."""
    from_ns = time_of(request, "from", now_ns)
    to_ns = max(now_ns, from_ns + 1) if to_now else time_of(request, "to", now_ns)
    check_range(from_ns, to_ns, now_ns, longest_ns)
    return from_ns, to_ns


def width_of(request: Request) -> int | None:
    """`width` in pixels, or None. Raises BadRequest."""
    text = request.query_params.get("width")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not _NARROWEST <= int(text) <= _WIDEST:
        raise BadRequest(f"`width` is a number of pixels from {_NARROWEST} to {_WIDEST}.")
    return int(text)


def seconds_of(request: Request, name: str) -> int | None:
    """A length in seconds, as nanoseconds, or None. Raises BadRequest."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400 * 31:
        raise BadRequest(f"`{name}` is a number of seconds from 0 to {86_400 * 31}.")
    return round(seconds * NS_PER_SECOND)


def codecs_of(request: Request) -> frozenset[VideoCodec]:
    """`codecs`: what the browser can play, all unless said otherwise. Raises BadRequest."""
    text = request.query_params.get("codecs")
    if text is None:
        return frozenset(VideoCodec)
    try:
        return frozenset(VideoCodec(word.strip()) for word in text.split(","))
    except ValueError:
        raise BadRequest("`codecs` is h264, h265 or h264,h265.") from None
