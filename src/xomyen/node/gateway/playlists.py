"""HLS for what a browser can play: the stream as recorded, its H.264 sub-stream, or one made on demand."""

from starlette.responses import Response

from xomyen.node.gateway.asking import camera_of, codecs_of, range_of, stream_of
from xomyen.node.gateway.past import allowed_segment, index_or_none, widest
from xomyen.node.gateway.problems import BadRequest
from xomyen.node.gateway.tickets import Wish
from xomyen.node.gateway.visit import NO_STORE, Visit
from xomyen.playback import hls
from xomyen.playback.footage import Group, groups_between, groups_of
from xomyen.terms.errors import NoFootage
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName, VideoCodec

_MINUTE_NS = 60 * NS_PER_SECOND
_COMMIT_NS = 4 * NS_PER_SECOND
_SUB_BEGINS_WITHIN_NS = 15 * NS_PER_SECOND


async def show_playlist(visit: Visit) -> Response:
    """The playlist of a stretch of the past; without `to`, of the past up to the live edge."""
    camera, stream, codecs = camera_of(visit.request), stream_of(visit.request), codecs_of(visit.request)
    now_ns = visit.now_ns
    from_ns, end_ns = range_of_playlist(visit, now_ns)
    # A playlist that grows is asked for every few seconds: told as one use a minute.
    to_ns = (now_ns // _MINUTE_NS + 1) * _MINUTE_NS if end_ns is None else end_ns
    lookups = visit.services.lookups
    index = await index_or_none(visit)
    width = 1 if index is None else await lookups.run(widest, index, camera, stream, from_ns, to_ns)
    masks = visit.allow(Wish("past", "past", camera, stream, from_ns, to_ns, width, burns=True))
    # What is to be black is burnt in on demand: nothing is playable as it was recorded.
    as_is = frozenset[VideoCodec]() if masks else codecs
    index = visit.services.index()

    async def read(name: StreamName) -> list[Group]:
        recorded = await visit.services.footage.between(index, camera, name, from_ns, to_ns)
        return await lookups.run(groups_between, recorded, from_ns, to_ns, hls.LEAST_TICKS)

    groups = await read(stream)
    if not groups and end_ns is not None:
        raise NoFootage(f"Nothing was recorded from {format_utc(from_ns)} to {format_utc(to_ns)}.")
    note, prefix = "", ""
    if not masks and stream is StreamName.MAIN and not all(_playable(group, codecs) for group in groups):
        others = await read(StreamName.SUB)
        if _stands_in(others, groups, codecs) and StreamName.SUB in visit.ticket.streams:
            groups, note, prefix = others, "sub_instead", "../sub/"
    if not all(_playable(group, as_is) for group in groups):
        note = "masked" if masks else "transcoded"
    ended = end_ns is not None and end_ns <= now_ns - _settled_ns(groups)
    playlist = hls.media_playlist(groups, ended, lambda group: _playable(group, as_is), prefix)
    headers = {**NO_STORE, **({"X-Xomyen-Note": note} if note else {})}
    return Response(playlist, 200, headers, hls.MEDIA_TYPE)


def range_of_playlist(visit: Visit, now_ns: int) -> tuple[int, int | None]:
    """`from` and, unless it is to grow, `to`."""
    if "to" in visit.request.query_params:
        return range_of(visit.request, now_ns, hls.LONGEST_NS)
    return range_of(visit.request, now_ns, hls.LONGEST_NS, to_now=True)[0], None


def _playable(group: Group, codecs: frozenset[VideoCodec]) -> bool:
    return group.recorded.codec in codecs


def _stands_in(others: list[Group], groups: list[Group], codecs: frozenset[VideoCodec]) -> bool:
    """Whether the sub-stream can be played instead: it can be, and begins about where the main stream does."""
    return (
        bool(others)
        and all(_playable(group, codecs) for group in others)
        and others[0].wall_ns <= groups[0].wall_ns + _SUB_BEGINS_WITHIN_NS
    )


def _settled_ns(groups: list[Group]) -> int:
    """How long before now a range must end, so that nothing more will be added: one group and the commit's delay."""
    longest = max((group.end_wall_ns - group.wall_ns for group in groups), default=0)
    return longest + _COMMIT_NS


async def send_transcoded(visit: Visit) -> Response:
    """A group of pictures re-encoded as H.264, or the header of such."""
    camera, stream = camera_of(visit.request), stream_of(visit.request)
    segment_id = str(visit.request.path_params["segment"])
    segment, masks = await allowed_segment(visit, camera, stream, segment_id, burns=True)
    recorded = await visit.services.footage.read(segment)
    if recorded is None:
        raise NoFootage("There is no such recorded segment; retention may have deleted it.")
    name = str(visit.request.path_params["name"])
    groups = groups_of(recorded, hls.LEAST_TICKS)
    if name == "init.mp4":
        wanted = groups[:1]
    else:
        wanted = [group for group in groups if name == f"{group.offset}-{group.end}.m4s"]
    if not wanted:
        raise BadRequest("There is no such group of pictures; read the playlist again.")
    made = await visit.services.transcoder.group(wanted[0], masks)
    body = made.header if name == "init.mp4" else made.fragment
    return Response(body, 200, {**NO_STORE, "X-Xomyen-Note": "masked" if masks else "transcoded"}, "video/mp4")
