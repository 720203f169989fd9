"""What leaves the house: clips, and exports with their signed manifest."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import closing

from starlette.responses import Response

from xomyen.access.errors import EvidenceUnmasked, MaskRequired
from xomyen.bus import subjects
from xomyen.bus.messages import CheckpointDone, StreamWanted
from xomyen.bus.requests import ask
from xomyen.node.gateway.asking import camera_of, range_of, stream_of
from xomyen.node.gateway.past import widest
from xomyen.node.gateway.problems import BadRequest
from xomyen.node.gateway.ranges import begun
from xomyen.node.gateway.streamed import StreamedResponse
from xomyen.node.gateway.telling import export_for, taken_with
from xomyen.node.gateway.tickets import Wish
from xomyen.node.gateway.visit import NO_STORE, Visit, reading_footage
from xomyen.playback import masked_clip
from xomyen.playback.clip import Clip, SeveralRuns, plan_clips, segments_for_clip
from xomyen.playback.export import ExportOrder, plan_export, zip_chunks
from xomyen.playback.lane import Lane
from xomyen.playback.masked_clip import masked_chunks
from xomyen.playback.masks import Masks
from xomyen.terms.errors import InvalidRange, NoFootage
from xomyen.terms.ids import is_id
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName

LONGEST_NS = 24 * 3600 * NS_PER_SECOND
MINUTE_NS = 60 * NS_PER_SECOND


class RunsToChoose(SeveralRuns):
    """Several runs, with what a client needs to ask for each."""

    def __init__(self, clips: list[Clip]) -> None:
        super().__init__([clip.run for clip in clips])
        self.extensions = {
            "runs": [
                {"run": clip.run, "from": format_utc(clip.first_ns), "to": format_utc(clip.end_ns), "bytes": clip.size}
                for clip in clips
            ]
        }


async def send_clip(visit: Visit) -> Response:
    """A frame-accurate MP4 of one run; 409 with the runs when the range holds several and none is named."""
    camera, stream, from_ns, to_ns, masks = await _asked(visit, "clip", burns=True)
    if masks and to_ns - from_ns > masked_clip.LONGEST_NS:
        raise InvalidRange(f"A clip with masks is at most {masked_clip.LONGEST_NS // MINUTE_NS} minutes long.")
    downloads = visit.services.downloads
    visit.held.enter_context(downloads.place(visit.ticket.id))
    run = visit.request.query_params.get("run")
    if run is not None and not is_id(run):
        raise BadRequest("`run` is the id of a run, as the answer 409 lists them.")

    def plan() -> list[Clip]:
        segments = segments_for_clip(visit.services.index(), camera, stream, from_ns, to_ns)
        wanted = [segment for segment in segments if run in (None, segment.run)]
        if not wanted:
            raise NoFootage("That run has no footage in this range.")
        return plan_clips(wanted, from_ns, to_ns, threads=downloads.lane.threads)

    with reading_footage():
        clips = await downloads.lane.run(plan)
    if len(clips) > 1:
        raise RunsToChoose(clips)
    clip = clips[0]
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(clip.camera, stream, clip.first_ns)}.mp4"',
        "X-Xomyen-From": format_utc(clip.first_ns),
        "X-Xomyen-To": format_utc(clip.end_ns),
        "X-Xomyen-Frames": str(clip.frames),
    }
    if not masks:
        return await visit.send(clip, "video/mp4", headers)
    headers |= {**NO_STORE, "Accept-Ranges": "none", "X-Xomyen-Note": "masked"}
    if visit.request.method == "HEAD":
        return Response(None, 200, headers, "video/mp4")
    chunks = await begun(masked_chunks(visit.services.transcoder, clip, from_ns, to_ns, masks))
    return StreamedResponse(visit.while_valid(chunks), 200, headers, "video/mp4")


async def _asked(visit: Visit, use: str, burns: bool) -> tuple[str, StreamName, int, int, Masks]:
    """Camera, stream and range, when the ticket covers them, and what must be black."""
    camera, stream = camera_of(visit.request), stream_of(visit.request)
    from_ns, to_ns = range_of(visit.request, visit.now_ns, LONGEST_NS)

    def width() -> int:
        try:
            return widest(visit.services.index(), camera, stream, from_ns, to_ns)
        except NoFootage:
            return 1

    wish = Wish("clip", use, camera, stream, from_ns, to_ns, await visit.services.lookups.run(width), burns)
    return camera, stream, from_ns, to_ns, visit.allow(wish)


async def send_export(visit: Visit) -> Response:
    """A ZIP of the clips of all runs and their signed manifest, for `xomyen verify`; made while it is sent.

    What it proves is the recording as it was sealed, so it is never masked. Raises EvidenceUnmasked.
    """
    try:
        camera, stream, from_ns, to_ns, _ = await _asked(visit, "export", burns=False)
    except MaskRequired as refusal:
        raise EvidenceUnmasked from refusal
    context, downloads = visit.services.context, visit.services.downloads
    visit.held.enter_context(downloads.place(visit.ticket.id))
    loop = asyncio.get_running_loop()
    index = visit.services.index()
    status = context.cameras.get(camera)
    taken = taken_with(visit.ticket)
    order = ExportOrder(context.node, camera, status.config.name, stream, from_ns, to_ns, taken)

    async def seal() -> None:
        wanted = StreamWanted(camera=camera, stream=stream)
        await ask(context.bus, subjects.service(context.node, "recorder", "checkpoint"), wanted, CheckpointDone)

    def checkpoint() -> None:
        # Called in the planning thread: the segment being written is sealed as far as it is.
        asyncio.run_coroutine_threadsafe(seal(), loop).result()

    name = f"{_file_name(camera, stream, from_ns)}.zip"
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    with reading_footage():
        planned = await downloads.lane.run(plan_export, index, order, checkpoint)
        export = export_for(visit.ticket, planned)
        chunks = await begun(_in_threads(zip_chunks(export, context.signing_key, visit.now_ns), downloads.lane))
    return StreamedResponse(visit.while_valid(chunks), 200, headers, media_type="application/zip")


async def _in_threads(chunks: Generator[bytes, None, None], lane: Lane) -> AsyncGenerator[bytes, None]:
    """The chunks of a generator that blocks, each made in a thread when the one before was sent."""
    with closing(chunks):
        while (chunk := await lane.run(next, chunks, None)) is not None:
            if chunk:
                yield chunk


def _file_name(camera: str, stream: StreamName, from_ns: int) -> str:
    """Ids and UTC only: names of cameras do not travel in file names."""
    moment = format_utc(from_ns).replace(":", "").replace("-", "").replace(".", "")
    return f"xomyen-{camera[:8]}-{stream}-{moment}"
