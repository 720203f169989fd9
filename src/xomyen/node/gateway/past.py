"""The past: timeline, HLS, recorded files, stills."""

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xomyen.access.tickets import Ticket
from xomyen.node.gateway.asking import camera_of, codecs_of, range_of, seconds_of, stream_of, time_of, width_of
from xomyen.node.gateway.problems import BadRequest
from xomyen.node.gateway.ranges import ranged_response
from xomyen.node.gateway.services import Services, services_of
from xomyen.node.gateway.tickets import Wish, address_of
from xomyen.playback import hls, timeline
from xomyen.playback.file_bytes import FileBytes
from xomyen.playback.footage import Group, groups_between
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.terms.errors import InvalidRange, NoFootage
from xomyen.terms.ids import is_id
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import SegmentState, StreamName, VideoCodec

_NO_STORE = {"Cache-Control": "no-store"}
_MOST_CAMERAS = 64
_MINUTE_NS = 60 * NS_PER_SECOND


def timeline_json(found: timeline.Timeline, now_ns: int) -> dict[str, Any]:
    """A timeline as docs/api.md describes it."""
    document: dict[str, Any] = {
        "from": format_utc(found.from_ns),
        "to": format_utc(found.to_ns),
        "spans": [_stretch(span) for span in found.spans],
        "gaps": [{**_stretch(gap), "reason": gap.reason, "detail": gap.detail} for gap in found.gaps],
        "holds": [_stretch(hold) for hold in found.holds],
        "first": None if found.first_ns is None else format_utc(found.first_ns),
        "now": format_utc(now_ns),
    }
    if found.keyframes_ns is not None:
        document["keyframes"] = [format_utc(at_ns) for at_ns in found.keyframes_ns]
    return document


def _stretch(stretch: timeline.Stretch) -> dict[str, str | None]:
    return {
        "from": format_utc(stretch.start_ns),
        "to": None if stretch.end_ns is None else format_utc(stretch.end_ns),
    }


async def show_timeline(request: Request, ticket: Ticket) -> Response:
    """One camera's timeline."""
    services = services_of(request)
    now_ns = services.context.clock.wall_ns()
    camera, stream = camera_of(request), stream_of(request)
    from_ns, to_ns = _closed(range_of(request, now_ns, timeline.LONGEST_NS))
    resolution_ns = seconds_of(request, "resolution")
    wish = Wish("past", "timeline", camera, stream, from_ns, to_ns, 0)
    services.gate.allow(ticket, wish, address_of(request))
    try:
        index = services.index()
    except NoFootage:
        return JSONResponse(timeline_json(_empty(from_ns, to_ns), now_ns), headers=_NO_STORE)

    def document() -> dict[str, Any]:
        found = timeline.timeline(index, services.shelf, camera, stream, from_ns, to_ns, resolution_ns)
        return timeline_json(found, now_ns)

    return JSONResponse(await asyncio.to_thread(document), headers=_NO_STORE)


async def show_timelines(request: Request, ticket: Ticket) -> Response:
    """The timelines of several cameras at once, without keyframes."""
    services = services_of(request)
    now_ns = services.context.clock.wall_ns()
    stream = stream_of(request)
    from_ns, to_ns = _closed(range_of(request, now_ns, timeline.LONGEST_NS))
    resolution_ns = seconds_of(request, "resolution")
    asked = request.query_params.get("cameras", "*")
    if asked == "*":
        cameras = [status.config.id for status in services.context.cameras.listed()]
        cameras = [camera for camera in cameras if ticket.may_see(camera)]
    else:
        cameras = list(dict.fromkeys(asked.split(",")))
        if len(cameras) > _MOST_CAMERAS or not all(is_id(camera) for camera in cameras):
            raise BadRequest(f"`cameras` is * or up to {_MOST_CAMERAS} camera ids with commas between.")
    for camera in cameras:
        wish = Wish("past", "timeline", camera, stream, from_ns, to_ns, 0)
        services.gate.allow(ticket, wish, address_of(request))

    def document() -> dict[str, Any]:
        try:
            index = services.index()
        except NoFootage:
            return {camera: timeline_json(_empty(from_ns, to_ns), now_ns) for camera in cameras}
        return {
            camera: timeline_json(
                timeline.timeline(index, services.shelf, camera, stream, from_ns, to_ns, resolution_ns, False), now_ns
            )
            for camera in cameras
        }

    return JSONResponse({"timelines": await asyncio.to_thread(document)}, headers=_NO_STORE)


def _closed(asked: tuple[int, int | None]) -> tuple[int, int]:
    from_ns, to_ns = asked
    if to_ns is None:
        raise BadRequest("`to` is missing.")
    return from_ns, to_ns


def _empty(from_ns: int, to_ns: int) -> timeline.Timeline:
    return timeline.Timeline(from_ns, to_ns, [], [], [], None, None)


def widest(index: IndexReader, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> int:
    """Width in pixels of the widest footage in the range; 0 when there is none."""
    rows = index.query(
        "SELECT max(run.width) FROM span JOIN run ON run.id = span.run"
        " WHERE span.stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)"
        " AND span.start_ns < ? AND span.end_ns > ?",
        camera,
        stream,
        to_ns,
        from_ns,
    )
    return int(rows[0][0] or 0)


async def show_playlist(request: Request, ticket: Ticket) -> Response:
    """The HLS playlist of a stretch of the past, or of the past up to the live edge."""
    services = services_of(request)
    now_ns = services.context.clock.wall_ns()
    camera, stream, codecs = camera_of(request), stream_of(request), codecs_of(request)
    from_ns, end_ns = range_of(request, now_ns, hls.LONGEST_NS, open_ended=True)
    # A playlist that grows is asked for every few seconds: told as one use a minute.
    to_ns = (now_ns // _MINUTE_NS + 1) * _MINUTE_NS if end_ns is None else end_ns
    index = services.index()
    width = await asyncio.to_thread(widest, index, camera, stream, from_ns, to_ns)
    _may(services, request, ticket, Wish("past", "past", camera, stream, from_ns, to_ns, max(1, width)))
    groups = await asyncio.to_thread(
        groups_between, index, services.shelf, camera, stream, from_ns, to_ns, hls.LEAST_TICKS
    )
    if not groups and end_ns is not None:
        raise NoFootage(f"Nothing was recorded from {format_utc(from_ns)} to {format_utc(to_ns)}.")
    ended = end_ns is not None and end_ns <= now_ns - _settled_ns(groups)
    playlist = await asyncio.to_thread(_playlist, index, groups, ended, codecs)
    return Response(playlist, 200, _NO_STORE, hls.MEDIA_TYPE)


def _settled_ns(groups: list[Group]) -> int:
    """How long before now a range must end, so that nothing more will be added: one group and the commit's delay."""
    longest = max((group.end_wall_ns - group.wall_ns for group in groups), default=0)
    return longest + 4 * NS_PER_SECOND


def _playlist(index: IndexReader, groups: list[Group], ended: bool, codecs: frozenset[VideoCodec]) -> str:
    return hls.media_playlist(groups, ended, hls.recorded_head, hls.recorded_place)


def _may(services: Services, request: Request, ticket: Ticket, wish: Wish) -> None:
    services.gate.allow(ticket, wish, address_of(request))


def segment_of(index: IndexReader, camera: str, stream: StreamName, name: str) -> tuple[Segment, int]:
    """The segment of this stream and the width of its pictures. Raises NoFootage."""
    segment = index.segment(name) if is_id(name) else None
    if segment is None or segment.camera != camera or segment.stream != stream:
        raise NoFootage("There is no such recorded segment; retention may have deleted it.")
    run = index.run(segment.run)
    return segment, run.width if run else 0


async def send_segment(request: Request, ticket: Ticket) -> Response:
    """A recorded file, as far as it holds whole fragments."""
    services = services_of(request)
    camera, stream = camera_of(request), stream_of(request)
    index = services.index()
    name = str(request.path_params["segment"])
    # Whether the camera is the ticket's comes first: others learn not even which segments there are.
    segment: Segment | None = None
    width = 1
    try:
        segment, width = await asyncio.to_thread(segment_of, index, camera, stream, name)
        wish = Wish("past", "past", camera, stream, segment.start_ns, segment.end_ns, max(1, width))
    except NoFootage:
        wish = Wish("past", "past", camera, stream, 0, time.time_ns(), 1)
    _may(services, request, ticket, wish)
    if segment is None:
        raise NoFootage("There is no such recorded segment; retention may have deleted it.")
    recorded = await asyncio.to_thread(services.shelf.read, segment)
    if recorded is None:
        raise NoFootage("The recorded segment cannot be read; retention may have deleted it.")
    size = recorded.file.end
    etag = f'"{segment.id}-{size}"'
    body = FileBytes(segment.path, size, etag)
    return ranged_response(request, _Watched(services, ticket, body), "video/mp4", _NO_STORE)


class _Watched:
    """A body that breaks off when its ticket ends."""

    def __init__(self, services: Services, ticket: Ticket, body: FileBytes) -> None:
        self._services = services
        self._ticket = ticket
        self._body = body
