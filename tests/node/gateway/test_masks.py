"""Privacy masks: what of a camera's pictures is black for those whose tickets say so."""

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from numpy.typing import NDArray
from starlette.routing import Route
from tests.gateway_node import FRAME_NS, Node, live_state, read_jpeg, running_node, seconds
from tests.live_page import Page, Playing, converters, indexed, page
from tests.masked_pictures import (
    BLACK,
    EDGE,
    LOWER_RIGHT,
    UPPER_LEFT,
    hides_lower_right,
    hides_upper_left,
    is_whole,
)
from tests.waiting import until

from xomyen.access.errors import MaskRequired
from xomyen.node.gateway.app import routes
from xomyen.node.gateway.tickets import Gate, Wish
from xomyen.playback import live_transcode
from xomyen.playback.footage import Recorded, groups_of
from xomyen.playback.hls import LEAST_TICKS
from xomyen.playback.masks import NO_MASKS, Masks
from xomyen.playback.still import Stills
from xomyen.playback.transcode import PastTranscoder
from xomyen.recording.segment_file import read_segment
from xomyen.terms.time import NS_PER_SECOND, format_utc, parse_time
from xomyen.terms.words import CameraState, StreamName, VideoCodec

FRAMES = 150


def _start(node: Node) -> int:
    return (node.clock.wall_ns() // NS_PER_SECOND - 120) * NS_PER_SECOND


def _decoded(data: bytes) -> list[NDArray[Any]]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


async def _init(viewer: Page, note: str | None) -> None:
    """Waits for the header of a new run of pictures, and for what is said of it before."""
    await viewer.hear("init", note=note)
    while viewer.media[-1:] == [] or viewer.media[-1][0] != 0:
        await viewer.read()


async def _watching(node: Node, viewer: Page, camera: str) -> None:
    await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
    await until(lambda: (camera, StreamName.MAIN) in node.watched)


async def _play(node: Node, playing: Playing, frames: int) -> None:
    for _ in range(0, frames, 5):
        playing.play(node, 5)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_live_pictures_are_black_under_the_masks(node: Node, codec: VideoCodec) -> None:
    camera = node.add_camera(masks=UPPER_LEFT)
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN), codec)
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node, node.ticket(mask="masked")) as viewer, page(node) as officer:
        for one in (viewer, officer):
            await _watching(node, one, camera)
        init = await viewer.hear("init", view=0)
        assert (init["note"], init["mime"].split('"')[1][:5]) == ("masked", "avc1.")
        await _play(node, playing, 75)
        await viewer.see(40)
        await officer.see(40)
    assert [_follow(shown, hides_upper_left, 50) for shown in viewer.shown()] == [True]
    assert [_follow(shown, is_whole, 50) for shown in officer.shown()] == [True]


def _follow(shown: list[NDArray[Any]], looks: Callable[[NDArray[Any], int], bool], first: int | None = None) -> bool:
    """Whether these are pictures one after the other, each of which looks so; `first` is the number of the first."""
    firsts = [number for number in range(400) if looks(shown[0], number)] if first is None else [first]
    return any(all(looks(image, begin + number) for number, image in enumerate(shown)) for begin in firsts)


async def test_masks_that_are_set_or_changed_are_in_force_from_the_next_picture_on(node: Node) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node, node.ticket(mask="masked")) as viewer:
        await _watching(node, viewer, camera)
        assert (await viewer.hear("init", view=0))["note"] is None
        await viewer.see(1)
        for masks in (UPPER_LEFT, LOWER_RIGHT, NO_MASKS):
            viewer.said.clear()
            going_on = asyncio.create_task(_play(node, playing, 80))
            await viewer.read()  # pictures are on their way when the masks change
            node.set_masks(camera, masks)
            await _init(viewer, "masked" if masks else None)
            await going_on
            await viewer.see(10)
    runs = viewer.shown()
    assert [
        _follow(shown, looks)
        for shown, looks in zip(runs, (is_whole, hides_upper_left, hides_lower_right, is_whole), strict=True)
    ] == [True] * 4


async def test_nothing_is_shown_live_before_the_masks_that_a_ticket_counts_on_are_there(node: Node) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node, node.ticket(mask="required")) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state", state="refused", reason="mask_required")
        assert viewer.media == []
        node.set_masks(camera, UPPER_LEFT)
        await _init(viewer, "masked")
        await viewer.see(5)
        (shown,) = viewer.shown()
        assert _follow(shown, hides_upper_left, 50)
        node.set_masks(camera, NO_MASKS)
        viewer.said.clear()
        await viewer.hear("state", state="refused", reason="mask_required")


async def test_a_page_that_renews_its_ticket_sees_as_much_as_the_new_one_allows(node: Node) -> None:
    camera = node.add_camera(masks=UPPER_LEFT)
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await _watching(node, viewer, camera)
        await viewer.see(1)
        await viewer.say(type="ticket", ticket=node.ticket(mask="masked"))
        await _init(viewer, "masked")
        await viewer.see(5)
        whole, masked = viewer.shown()
        assert _follow(whole, is_whole, 50)
        assert _follow(masked, hides_upper_left, 50)


@pytest.mark.parametrize("trouble", ["killed", "not to be had"])
async def test_without_a_process_that_masks_nothing_is_shown_and_the_page_is_told(
    node: Node, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = node.add_camera(masks=UPPER_LEFT)
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    if trouble == "not to be had":
        monkeypatch.setattr(live_transcode, "tethered", lambda *_command: ("/nowhere/python",))
    async with page(node, node.ticket(mask="masked")) as viewer:
        await _watching(node, viewer, camera)
        if trouble == "killed":
            await viewer.see(1)
            (process,) = converters()
            process.kill()
        going_on = asyncio.create_task(_play(node, playing, 340))
        await viewer.hear("state", state="lost", reason="converter")
        so_far = len(viewer.shown())
        assert so_far == (1 if trouble == "killed" else 0)
        viewer.said.clear()
        monkeypatch.undo()
        await _init(viewer, "masked")
        assert [said["state"] for said in viewer.said if said["type"] == "state"] == ["live"]
        await viewer.see(5)
        await going_on
    assert [_follow(shown, hides_upper_left) for shown in viewer.shown()] == [True] * (so_far + 1)


class Asked:
    """One camera's footage, asked for in every way there is."""

    def __init__(self, node: Node, camera: str, start: int, client: httpx.AsyncClient) -> None:
        self.node = node
        self.camera = camera
        self.client = client
        self.span = f"from={format_utc(start)}&to={format_utc(start + seconds(5))}"
        self.at = format_utc(start + 115 * FRAME_NS + FRAME_NS // 2)  # 115 has bits in the mask's quarter and elsewhere

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/api/v1/cameras/{self.camera}/{path}")

    async def pictures(self, kind: str) -> list[NDArray[Any]] | str:
        """The pictures that come, or the code of the refusal."""
        segment = self.node.context.index.open().all_segments(self.camera, StreamName.MAIN)[0]
        (group, *_) = groups_of(Recorded.of(segment, read_segment(segment.path)), LEAST_TICKS)
        made = f"main/transcoded/{segment.id}"
        paths = {
            "still": [f"still?at={self.at}"],
            "thumbnail": [f"still?at={self.at}&precision=keyframe&width=64"],
            "group": [f"{made}/init.mp4", f"{made}/{group.offset}-{group.end}.m4s"],
            "recorded": [f"main/segments/{segment.id}.mp4"],
            "clip": [f"clip?{self.span}"],
            "export": [f"export?{self.span}"],
        }[kind]
        answers = [await self.get(path) for path in paths]
        if any(answer.status_code != 200 for answer in answers):
            assert {answer.status_code for answer in answers} == {403}
            return str(answers[0].json()["code"])
        data = b"".join(answer.content for answer in answers)
        if kind == "export":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = next(archive.read(name) for name in archive.namelist() if name.endswith(".mp4"))
        return [read_jpeg(data)] if kind in ("still", "thumbnail") else _decoded(data)

    async def live(self, ticket: str) -> list[NDArray[Any]] | str:
        """The same of live pictures."""
        async with page(self.node, ticket) as viewer:
            await viewer.say(type="watch", view=0, camera=self.camera, stream="main", codecs=["h264"])
            while not (viewer.media and viewer.media[-1][0]):
                await viewer.read()
                if viewer.said[-1].get("state") == "refused":
                    return str(viewer.said[-1]["reason"])
            return viewer.shown()[-1]


def _what(pictures: list[NDArray[Any]] | str) -> str:
    """whole, masked, or why there is none."""
    if isinstance(pictures, str):
        return pictures
    hidden = [image[: image.shape[0] // 2 - EDGE, : image.shape[1] // 2 - EDGE].max() for image in pictures]
    assert max(image.max() for image in pictures) > 150
    return "masked" if max(hidden) <= BLACK else "whole"


@pytest.mark.parametrize(
    ("rule", "masks", "burnt", "original", "evidence"),
    [
        # What comes of that which the node can mask, of the recorded file, and of the signed package.
        ("none", NO_MASKS, "whole", "whole", "whole"),
        ("none", UPPER_LEFT, "whole", "whole", "whole"),
        ("masked", NO_MASKS, "whole", "whole", "whole"),
        ("masked", UPPER_LEFT, "masked", "mask_required", "evidence_unmasked"),
        ("required", NO_MASKS, "mask_required", "mask_required", "evidence_unmasked"),
        ("required", UPPER_LEFT, "masked", "mask_required", "evidence_unmasked"),
    ],
)
async def test_every_end_point_gives_as_much_as_the_tickets_mask_rule_allows(
    node: Node, rule: str, masks: Masks, burnt: str, original: str, evidence: str
) -> None:
    camera, start = node.add_camera(masks=masks), _start(node)
    await node.record(camera, FRAMES, start)
    Playing(node.recorder.sink(camera, StreamName.MAIN)).play(node, 120)
    await indexed(node, camera)  # as no picture follows that would tell where they are
    ticket = node.ticket(mask=rule)
    async with node.client(ticket) as client:
        asked = Asked(node, camera, start, client)
        for kind in ("still", "thumbnail", "group", "clip"):
            assert _what(await asked.pictures(kind)) == burnt, kind
        assert _what(await asked.pictures("recorded")) == original
        assert _what(await asked.pictures("export")) == evidence
        assert _what(await asked.live(ticket)) == burnt
        playlist = await asked.get(f"main/index.m3u8?{asked.span}")
        if burnt == "mask_required":
            assert playlist.json()["code"] == burnt
        else:
            named = [word for word in ("segments/", "transcoded/") if word in playlist.text]
            assert named == ["segments/" if burnt == "whole" else "transcoded/"]
        assert (await asked.get(f"timeline?{asked.span}")).status_code == 200


def test_the_table_of_mask_rules_knows_every_end_point_that_has_a_camera() -> None:
    paths = {route.path for route in routes() if isinstance(route, Route) and "{camera}" in route.path}
    assert {path.removeprefix("/api/v1/cameras/{camera}/") for path in paths} == {
        *("timeline", "still", "clip", "export", "{stream}/index.m3u8"),
        *("{stream}/segments/{segment}.mp4", "{stream}/transcoded/{segment}/{name}"),
    }


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("h265", 0)])
async def test_a_masked_clip_holds_the_pictures_asked_for_and_no_others(node: Node, codec: str, b_frames: int) -> None:
    camera, start = node.add_camera(masks=UPPER_LEFT), _start(node)
    await node.record(camera, FRAMES, start, codec=VideoCodec(codec), b_frames=b_frames)
    async with node.client(node.ticket(mask="masked")) as client, node.client(node.ticket()) as officer:
        timeline = await officer.get(
            f"/api/v1/cameras/{camera}/timeline",
            params={"from": format_utc(start - seconds(5)), "to": format_utc(start + seconds(9))},
        )
        first = parse_time(timeline.json()["keyframes"][0], 0)
        span = {"from": format_utc(first + 17 * FRAME_NS), "to": format_utc(first + 97 * FRAME_NS)}
        masked, whole = [await one.get(f"/api/v1/cameras/{camera}/clip", params=span) for one in (client, officer)]
    assert masked.headers["X-Xomyen-Note"] == "masked"
    shown = _decoded(masked.content)
    assert len(shown) == int(whole.headers["X-Xomyen-Frames"]) == 80
    assert _follow(shown, hides_upper_left, 17)
    with av.open(io.BytesIO(masked.content)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([number / 25 for number in range(80)], abs=0.001)


def _only_one_before(monkeypatch: pytest.MonkeyPatch, of: type, name: str) -> asyncio.Event:
    """The first call of this method goes through, those after it wait for the event."""
    go_on, made, first = asyncio.Event(), getattr(of, name), iter([True])

    async def in_turn(*asked: Any) -> Any:
        if not next(first, False):
            await go_on.wait()
        return await made(*asked)

    monkeypatch.setattr(of, name, in_turn)
    return go_on


async def test_a_masked_clip_is_bounded_in_length_and_ends_when_other_masks_are_set(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = _only_one_before(monkeypatch, PastTranscoder, "part")
    camera, start = node.add_camera(masks=UPPER_LEFT), _start(node)
    await node.record(camera, FRAMES, start)
    async with node.client(node.ticket(mask="masked")) as client:
        long = {"from": format_utc(start - seconds(3600)), "to": format_utc(start)}
        answer = await client.get(f"/api/v1/cameras/{camera}/clip", params=long)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_range")
        span = {"from": format_utc(start), "to": format_utc(start + seconds(6))}
        async with client.stream("GET", f"/api/v1/cameras/{camera}/clip", params=span) as stream:
            node.set_masks(camera, LOWER_RIGHT)
            go_on.set()
            with pytest.raises(httpx.RemoteProtocolError):
                await stream.aread()


async def test_stills_that_wait_in_line_when_masks_are_set_are_not_shown(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = _only_one_before(monkeypatch, Stills, "at")
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, FRAMES, start)
    async with node.client(node.ticket(mask="masked")) as client:

        async def still(number: int) -> httpx.Response:
            params = {"at": format_utc(start + seconds(1) + number * FRAME_NS)}
            return await client.get(f"/api/v1/cameras/{camera}/still", params=params)

        waiting = {asyncio.create_task(still(number)) for number in range(40)}
        before, after = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        node.set_masks(camera, UPPER_LEFT)
        go_on.set()
        assert [task.result().status_code for task in before] == [200]
        answers = await asyncio.gather(*after)
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "mask_required")}


async def test_a_recorded_file_that_is_being_sent_ends_when_masks_are_set(node: Node) -> None:
    camera = node.add_camera()
    gate = Gate(node.context.checker, node.directory, Untold(), node.clock)
    ticket = node.context.checker.read(node.ticket(mask="masked"))
    now = node.clock.wall_ns()
    seen = {camera: gate.allow(ticket, Wish("past", "past", camera, StreamName.MAIN, now, now, 320), "")}

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"before"
        node.set_masks(camera, UPPER_LEFT)
        yield b"after"

    download = gate.while_valid(ticket, chunks(), seen)
    assert await anext(download) == b"before"
    with pytest.raises(MaskRequired):
        await anext(download)


class Untold:
    """Takes access events and forgets them."""

    def tell(self, event: object) -> None: ...


async def test_changed_masks_need_no_further_place_among_the_conversions(tmp_path: Path) -> None:
    async with running_node(tmp_path, transcoders=1) as node:
        camera = node.add_camera(masks=UPPER_LEFT)
        playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
        playing.play(node, 60)
        await indexed(node, camera)
        full = live_state(camera, CameraState.RECORDING, VideoCodec.H264)
        node.directory.state(full.model_copy(update={"width": 1920, "height": 1080}))
        async with page(node, node.ticket(mask="masked")) as one, page(node, node.ticket(mask="masked")) as other:
            for viewer in (one, other):
                await _watching(node, viewer, camera)
                await viewer.see(1)
                viewer.said.clear()
            node.set_masks(camera, LOWER_RIGHT)
            for viewer in (one, other):
                await _init(viewer, "masked")
                await viewer.see(1)
                before, after = viewer.shown()
                assert (_follow(before, hides_upper_left), _follow(after, hides_lower_right)) == (True, True)
                assert not [said for said in viewer.said if said.get("state") == "refused"]
