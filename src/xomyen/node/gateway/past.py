"""The past as it was recorded: timelines, recorded files, stills."""

from functools import lru_cache
from typing import Any

from starlette.responses import JSONResponse, Response

from xomyen.access.tickets import Action, Ticket
from xomyen.node.gateway.asking import camera_of, range_of, seconds_of, stream_of, time_of, width_of
from xomyen.node.gateway.problems import BadRequest
from xomyen.node.gateway.telling import detail_for
from xomyen.node.gateway.tickets import Wish
from xomyen.node.gateway.visit import NO_STORE, Visit
from xomyen.playback import timeline
from xomyen.playback.file_bytes import FileBytes
from xomyen.playback.footage import Recorded
from xomyen.playback.masks import Masks
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.terms.errors import InvalidRange, NoFootage
from xomyen.terms.ids import is_id
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName

_MOST_CAMERAS = 64
_MINUTE_NS = 60 * NS_PER_SECOND
_DAY_NS = 86_400 * NS_PER_SECOND
_OF_NOW_NS = 30 * NS_PER_SECOND  # what is seen live is seconds old, and somebody has to press a button
_STILL_WIDTH = 1920  # pixels, unless a smaller one is asked for or all the ticket allows
_DELETED = "There is no such recorded segment; retention may have deleted it."


@lru_cache(maxsize=1000)
def _day(number: int) -> str:
    """A day since 1970-01-01 as YYYY-MM-DD."""
    return format_utc(number * _DAY_NS)[:10]


def _utc(wall_ns: int) -> str:
    """What `format_utc` gives; four times as fast, as timelines hold thousands of times of few days."""
    day, rest_ns = divmod(wall_ns, _DAY_NS)
    milliseconds = rest_ns // 1_000_000
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_day(day)}T{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}Z"


def timeline_json(found: timeline.Timeline, now_ns: int, ticket: Ticket) -> dict[str, Any]:
    """A timeline as docs/api.md describes it."""
    document: dict[str, Any] = {
        "from": _utc(found.from_ns),
        "to": _utc(found.to_ns),
        "spans": [_stretch(span) for span in found.spans],
        "gaps": [
            {
                "from": _utc(gap.start_ns),
                "to": None if gap.end_ns is None else _utc(gap.end_ns),
                "reason": gap.reason,
                "detail": detail_for(ticket, gap.detail),
                "missing": None if gap.missing_ns is None else round(gap.missing_ns / NS_PER_SECOND, 3),
            }
            for gap in found.gaps
        ],
        "holds": [_stretch(hold) for hold in found.holds],
        "first": None if found.first_ns is None else _utc(found.first_ns),
        "now": _utc(now_ns),
    }
    if found.keyframes_ns is not None:
        document["keyframes"] = [_utc(at_ns) for at_ns in found.keyframes_ns]
    return document


def _stretch(stretch: timeline.Stretch) -> dict[str, str | None]:
    return {"from": _utc(stretch.start_ns), "to": None if stretch.end_ns is None else _utc(stretch.end_ns)}


async def show_timeline(visit: Visit) -> Response:
    """One camera's timeline."""
    camera, stream = camera_of(visit.request), stream_of(visit.request)
    from_ns, to_ns = range_of(visit.request, visit.now_ns, timeline.LONGEST_NS)
    resolution_ns = seconds_of(visit.request, "resolution")
    visit.allow(Wish("past", "timeline", camera, stream, from_ns, to_ns, 0))
    recorded: list[Recorded] | None = None
    if to_ns - from_ns <= timeline.KEYFRAMES_UP_TO_NS and (index := await index_or_none(visit)) is not None:
        recorded = await visit.services.footage.between(index, camera, stream, from_ns, to_ns)
    lookups = visit.services.lookups

    def answer() -> Response:
        found = _timelines(visit, [camera], stream, from_ns, to_ns, resolution_ns, recorded)
        return JSONResponse(found[camera], headers=NO_STORE)

    return await lookups.run(answer)


async def index_or_none(visit: Visit) -> IndexReader | None:
    """The index, or None while nothing was ever recorded."""
    try:
        return await visit.services.lookups.run(visit.services.index)
    except NoFootage:
        return None


async def show_timelines(visit: Visit) -> Response:
    """The timelines of several cameras at once, without keyframes."""
    stream = stream_of(visit.request)
    from_ns, to_ns = range_of(visit.request, visit.now_ns, timeline.LONGEST_NS)
    resolution_ns = seconds_of(visit.request, "resolution")
    asked = visit.request.query_params.get("cameras", "*")
    if asked == "*":
        known = [status.config.id for status in visit.services.context.cameras.listed()]
        cameras = [camera for camera in known if visit.ticket.may_see(camera)]
    else:
        cameras = list(dict.fromkeys(asked.split(",")))
        if len(cameras) > _MOST_CAMERAS or not all(is_id(camera) for camera in cameras):
            raise BadRequest(f"`cameras` is * or up to {_MOST_CAMERAS} camera ids with commas between.")
    for camera in cameras:
        visit.allow(Wish("past", "timeline", camera, stream, from_ns, to_ns, 0))
    lookups = visit.services.lookups

    def answer() -> Response:
        # Written as JSON here too, off the event loop: thousands of spans of many cameras take a while.
        found = _timelines(visit, cameras, stream, from_ns, to_ns, resolution_ns, None)
        return JSONResponse({"timelines": found}, headers=NO_STORE)

    return await lookups.run(answer)


def _timelines(
    visit: Visit,
    cameras: list[str],
    stream: StreamName,
    from_ns: int,
    to_ns: int,
    resolution_ns: int | None,
    recorded: list[Recorded] | None,
) -> dict[str, Any]:
    """By camera; empty ones while nothing was ever recorded."""
    now_ns = visit.now_ns
    try:
        index = visit.services.index()
    except NoFootage:
        nothing = timeline_json(timeline.Timeline(from_ns, to_ns, [], [], [], None, None), now_ns, visit.ticket)
        return dict.fromkeys(cameras, nothing)
    return {
        camera: timeline_json(
            timeline.timeline(index, recorded, camera, stream, from_ns, to_ns, resolution_ns), now_ns, visit.ticket
        )
        for camera in cameras
    }


async def send_segment(visit: Visit) -> Response:
    """A recorded file, as far as it holds whole fragments."""
    camera, stream = camera_of(visit.request), stream_of(visit.request)
    segment, _ = await allowed_segment(visit, camera, stream, str(visit.request.path_params["segment"]))
    recorded = await visit.services.footage.read(segment)
    if recorded is None:
        raise NoFootage(_DELETED)
    size = recorded.file.end
    threads = visit.services.footage.volumes.of(segment.volume).threads
    return await visit.send(FileBytes(segment.path, size, f'"{segment.id}-{size}"', threads), "video/mp4")


async def allowed_segment(
    visit: Visit, camera: str, stream: StreamName, name: str, burns: bool = False
) -> tuple[Segment, Masks]:
    """The segment of this stream, when the ticket covers it, and what must be black in what is sent of it.

    Raises Forbidden, UnknownCamera, NoFootage. Whether the camera is the ticket's comes first: others learn not
    even which segments there are.
    """

    def find() -> tuple[Segment | None, int]:
        index = visit.services.index()
        segment = index.segment(name) if is_id(name) else None
        if segment is None or segment.camera != camera or segment.stream != stream:
            return None, 1
        run = index.run(segment.run)
        return segment, run.width if run else 1

    try:
        segment, width = await visit.services.lookups.run(find)
    except NoFootage:
        segment, width = None, 1
    # An open segment ends later than the index knows.
    span = (0, visit.now_ns) if segment is None else (segment.start_ns, max(segment.end_ns, segment.start_ns + 1))
    masks = visit.allow(Wish("past", "past", camera, stream, *span, width, burns))
    if segment is None:
        raise NoFootage(_DELETED)
    return segment, masks


def widest(index: IndexReader, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> int:
    """Width in pixels of the widest footage in the range; 1 when there is none."""
    rows = index.query(
        "SELECT max(run.width) FROM span JOIN run ON run.id = span.run"
        " WHERE span.stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)"
        " AND span.start_ns < ? AND span.end_ns > ?",
        camera,
        stream,
        to_ns,
        from_ns,
    )
    return int(rows[0][0] or 1)


async def _newest_picture(visit: Visit, index: IndexReader, camera: str, stream: StreamName) -> int:
    """When the last picture was shown that is recorded by now. Raises NoFootage where none came for a while."""
    now_ns = visit.now_ns
    recorded = await visit.services.footage.between(index, camera, stream, now_ns - _OF_NOW_NS, now_ns)
    if not recorded:
        raise NoFootage("No picture has come in the last half minute.")
    last = recorded[-1]
    return last.times.wall_ns(last.file.end_dts + last.lead - 1)


async def send_still(visit: Visit) -> Response:
    """The picture shown at an instant, as JPEG; as wide as the ticket allows at most."""
    camera, stream = camera_of(visit.request), stream_of(visit.request)
    now_ns = visit.now_ns
    newest = "at" not in visit.request.query_params
    at_ns = now_ns if newest else time_of(visit.request, "at", now_ns)
    if at_ns > now_ns:
        raise InvalidRange("The time lies in the future: no picture can have been recorded yet.")
    precision = visit.request.query_params.get("precision", "frame")
    if precision not in ("frame", "keyframe"):
        raise BadRequest("`precision` is frame or keyframe.")
    width = min(width_of(visit.request) or _STILL_WIDTH, visit.ticket.greatest_width or _STILL_WIDTH)
    # Dragging over the timeline asks for many: told as one use a minute.
    minute_ns = at_ns // _MINUTE_NS * _MINUTE_NS
    told = (minute_ns, minute_ns + _MINUTE_NS)
    if visit.ticket.start_ns is not None or visit.ticket.end_ns is not None:
        told = (at_ns, at_ns + 1)
    # Who may keep what is seen now needs no past for it.
    of_now = now_ns - at_ns <= _OF_NOW_NS and Action.PAST not in visit.ticket.actions
    action = Action.STILL if of_now and Action.STILL in visit.ticket.actions else Action.PAST
    masks = visit.allow(Wish(action, "still", camera, stream, *told, width, burns=True))
    index, stills = visit.services.index(), visit.services.stills
    if newest:
        at_ns = await _newest_picture(visit, index, camera, stream)
    still = await stills.at(index, camera, stream, at_ns, width, masks, precision == "keyframe")
    oldest_ns = max(visit.ticket.start_ns or 0, now_ns - _OF_NOW_NS if action is Action.STILL else 0)
    if precision == "keyframe" and still.wall_ns < oldest_ns:
        still = await stills.at(index, camera, stream, at_ns, width, masks)
    headers = {**NO_STORE, "ETag": still.etag, "X-Xomyen-Time": format_utc(still.wall_ns)}
    body = None if visit.request.method == "HEAD" else still.jpeg
    return Response(body, 200, headers, "image/jpeg")
