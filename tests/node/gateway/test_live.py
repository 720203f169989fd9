"""Live pictures over one WebSocket."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.gateway_node import Node, batch_of, encoded, live_state, running_node
from tests.live_page import Playing, indexed, page
from tests.waiting import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from xomyen.terms.words import CameraState, GapReason, StreamName, VideoCodec


async def test_the_first_picture_comes_from_the_file_and_the_next_ones_as_they_are_written(node: Node) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 80)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=7, camera=camera, stream="main", codecs=["h264"])
        init = await viewer.hear("init", view=7)
        assert init["mime"].startswith('video/mp4; codecs="avc1.')
        assert (init["stream"], init["note"], init["width"], init["height"]) == ("main", None, 320, 192)
        first = await viewer.see(1, 7)
        assert first[0] == 50  # the newest keyframe
        await until(lambda: (camera, StreamName.MAIN) in node.watched)
        for frames in range(90, 260, 10):
            playing.play(node, 10, 2)
            seen = await viewer.see(frames - 50 - 5, 7)
            assert seen == list(range(50, 50 + len(seen)))


async def test_several_pages_and_views_get_the_same_pictures(node: Node) -> None:
    cameras = [node.add_camera(f"camera {number}") for number in range(3)]
    playing = [Playing(node.recorder.sink(camera, StreamName.MAIN)) for camera in cameras]
    async with page(node) as one, page(node) as other:
        for viewer in (one, other):
            for view, camera in enumerate(cameras):
                await viewer.say(type="watch", view=view, camera=camera, stream="main", codecs=["h264"])
        await until(lambda: all((camera, StreamName.MAIN) in node.watched for camera in cameras))
        for _ in range(10):
            for each in playing:
                each.play(node, 10)
            await asyncio.sleep(0.01)
        for viewer in (one, other):
            for view in range(3):
                numbers = await viewer.see(90, view)
                assert numbers == list(range(len(numbers)))
        await one.say(type="leave", view=1)


async def test_a_new_run_starts_the_player_anew(node: Node) -> None:
    camera = node.add_camera()
    sink = node.recorder.sink(camera, StreamName.MAIN)
    Playing(sink).play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.see(1)
        await until(lambda: (camera, StreamName.MAIN) in node.watched)  # else nothing is told of what follows
        sink.closed(GapReason.NETWORK, "the connection was lost")
        again = Playing(sink, gop=25)
        viewer.said.clear()
        again.play(node, 60)
        await viewer.hear("init", view=0)
        numbers = await viewer.see(30)
        assert numbers[:30] == list(range(30))


async def test_states_are_told_as_they_change(node: Node) -> None:
    camera = node.add_camera()
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state", state="connecting")
        node.directory.state(live_state(camera, CameraState.LOST))
        await viewer.hear("state", state="lost")
        node.directory.state(live_state(camera, CameraState.RECORDING))
        assert (await viewer.hear("state", state="live"))["since"].endswith("Z")
        node.directory.remove(camera)
        await viewer.hear("state", state="refused", reason="unknown_camera")


async def test_an_h265_camera_is_converted_for_a_browser_that_cannot_play_it(node: Node) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265)
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        init = await viewer.hear("init", view=0)
        assert init["note"] == "transcoded"
        assert init["mime"].startswith('video/mp4; codecs="avc1.')
        for _ in range(30):
            playing.play(node, 5)
            await asyncio.sleep(0.02)
        numbers = await viewer.see(60)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        await viewer.say(type="leave", view=0)
    await until(lambda: _metric(node, "xomyen_gateway_transcoding 0.0"))


async def _metric(node: Node, line: str) -> bool:
    async with node.client() as client:
        return line in (await client.get("/metrics")).text


@pytest.mark.parametrize("codecs", [["h265"], []])
async def test_a_page_that_cannot_play_h264_gets_what_there_is_and_no_converter_after_the_other(
    node: Node, codecs: list[str]
) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        for view in range(2):
            await viewer.say(type="watch", view=view, camera=camera, stream="main", codecs=codecs)
        for view in range(2):
            assert (await viewer.hear("init", view=view))["note"] == "transcoded"
            assert await viewer.see(1, view)
        assert await _metric(node, "xomyen_gateway_transcoding 1.0")


async def test_a_browser_that_plays_h265_gets_it_as_it_is(node: Node) -> None:
    camera = node.add_camera()
    Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265).play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264", "h265"])
        init = await viewer.hear("init", view=0)
        assert init["note"] is None
        assert init["mime"].startswith('video/mp4; codecs="hvc1.')


async def test_the_h264_sub_stream_stands_in_for_an_h265_main_stream(node: Node) -> None:
    camera = node.add_camera(sub=True)
    Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265).play(node, 60)
    Playing(node.recorder.sink(camera, StreamName.SUB)).play(node, 60)
    await until(lambda: len(node.context.index.open().open_segments()) == 2)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        init = await viewer.hear("init", view=0)
        assert (init["stream"], init["note"]) == ("sub", "sub_instead")
        assert (await viewer.see(1))[0] in (0, 50)


async def test_a_ticket_for_the_main_stream_never_gets_the_sub_stream(node: Node) -> None:
    camera = node.add_camera(sub=True)
    Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265).play(node, 60)
    Playing(node.recorder.sink(camera, StreamName.SUB)).play(node, 60)
    await until(lambda: len(node.context.index.open().open_segments()) == 2)
    async with page(node, node.ticket(streams=(StreamName.MAIN,))) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        init = await viewer.hear("init", view=0)
        assert (init["stream"], init["note"]) == ("main", "transcoded")


async def test_no_more_conversions_than_the_node_allows(tmp_path: Path) -> None:
    # Small pictures count for a sixth of a conversion.
    async with running_node(tmp_path, transcoders=1) as node:
        cameras = [node.add_camera(f"camera {number}") for number in range(4)]
        for camera in cameras:
            Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265).play(node, 60)
        await indexed(node, *cameras)
        for camera, width in zip(cameras, (1280, 320, 2560, 640), strict=True):
            state = live_state(camera, CameraState.RECORDING, VideoCodec.H265)
            node.directory.state(state.model_copy(update={"width": width, "height": width * 9 // 16}))
        async with page(node) as viewer:
            for view, camera in enumerate(cameras):
                await viewer.say(type="watch", view=view, camera=camera, stream="main", codecs=["h264"])
            await viewer.hear("state", view=2, state="refused", reason="busy")
            for view in (0, 1, 3):
                await viewer.hear("init", view=view, note="transcoded")
            assert not [said for said in viewer.said if said.get("reason") == "busy" and said["view"] != 2]


async def test_a_slow_viewer_goes_on_at_a_keyframe(node: Node) -> None:
    camera = node.add_camera()
    sink = node.recorder.sink(camera, StreamName.MAIN)
    # Pictures as large as those of a 4-Mbit/s camera at 30 times its speed.
    async with page(node, max_queue=1, close_timeout=0.2) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await until(lambda: (camera, StreamName.MAIN) in node.watched)
        config, units = encoded(400)
        sink.opened(config)
        padding = bytes(400_000)
        start = node.clock.wall_ns()
        for index, unit in enumerate(units):
            # A filler NAL unit (ITU-T H.264 §7.4.2.7), which decoders leave out.
            filler = (len(padding) + 1).to_bytes(4, "big") + b"\x0c" + b"\xff" * len(padding)
            sink.write(batch_of((replace(unit, data=unit.data + filler),), start))
            if index % 10 == 9:
                await asyncio.sleep(0.05)
                await until(lambda: not node.recorder.statistics.volumes[0].queued_bytes)  # however slow the disk is
        await viewer.hear("skip", view=0)
        kinds = [kind for kind, *_ in viewer.media]
        await viewer.read()
        while not viewer.media[len(kinds) :]:
            await viewer.read()
        assert viewer.media[len(kinds)][0] == 2


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        ({"cameras": ("01890000-0000-7000-8000-00000000000a",)}, "camera_not_allowed"),
        ({"streams": (StreamName.SUB,)}, "stream_not_allowed"),
        ({"end_ns": 1}, "span_not_allowed"),
        ({}, "unknown_camera"),
    ],
)
async def test_a_view_the_ticket_does_not_cover_is_refused(node: Node, grant: dict[str, Any], reason: str) -> None:
    camera = "01890000-0000-7000-8000-00000000000b" if reason == "unknown_camera" else node.add_camera()
    async with page(node, node.ticket(**grant)) as viewer:
        await viewer.say(type="watch", view=3, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state", view=3, state="refused", reason=reason)


async def test_a_view_that_was_refused_learns_nothing_of_the_cameras_state(node: Node) -> None:
    other, mine = node.add_camera("other"), node.add_camera("mine")
    async with page(node, node.ticket(cameras=(mine,))) as viewer:
        for view, camera in enumerate((other, mine)):
            await viewer.say(type="watch", view=view, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state", view=1, state="connecting")
        for camera in (other, mine):
            node.directory.state(live_state(camera, CameraState.LOST))
        await viewer.hear("state", view=1, state="lost")
        assert [said["state"] for said in viewer.said if said.get("view") == 0] == ["refused"]


async def test_a_camera_that_was_not_known_yet_is_shown_once_it_is(node: Node) -> None:
    camera = node.add_camera()
    (known,) = node.directory.listed()
    node.directory.remove(camera)
    Playing(node.recorder.sink(camera, StreamName.MAIN)).play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state", state="refused", reason="unknown_camera")
        node.directory.put(known)
        assert (await viewer.see(1))[0] in (0, 50)


async def _close_code(node: Node, first: str | None, **options: Any) -> int:
    url = node.address.url.replace("http", "ws", 1) + "/api/v1/live"
    async with connect(url, **options) as socket:
        if first is not None:
            await socket.send(first)
        async with asyncio.timeout(60):
            try:
                while True:
                    await socket.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0


async def test_without_a_good_ticket_or_from_another_site_the_socket_closes(node: Node) -> None:
    good = json.dumps({"type": "hello", "ticket": node.ticket()})
    assert await _close_code(node, json.dumps({"type": "hello"})) == 4401
    assert await _close_code(node, json.dumps({"type": "hello", "ticket": "forged"})) == 4401
    past = json.dumps({"type": "hello", "ticket": node.ticket(actions=("past",))})
    assert await _close_code(node, past) == 4401
    assert await _close_code(node, good, origin="https://elsewhere.example") == 4403
    assert await _close_code(node, "{") == 4400
    assert await _close_code(node, None) == 4408


async def test_the_socket_closes_when_the_ticket_ends_or_is_revoked(node: Node) -> None:
    short = json.dumps({"type": "hello", "ticket": node.ticket(lifetime_s=2)})
    ending = asyncio.create_task(_close_code(node, short))
    token = node.ticket()
    async with page(node, token) as viewer:
        async with node.client(token) as client:
            assert (await client.delete("/api/v1/session")).status_code == 204
        async with asyncio.timeout(60):
            await viewer.socket.wait_closed()
        assert viewer.socket.close_code == 4401
    assert await ending == 4401


async def test_a_stopping_gateway_tells_its_pages_to_connect_again(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        url = node.address.url.replace("http", "ws", 1) + "/api/v1/live"
        socket = await connect(url)
        await socket.send(json.dumps({"type": "hello", "ticket": node.ticket()}))
        await socket.recv()
        client = node.client(node.ticket())
        changes = client.stream("GET", "/api/v1/changes")
        answer = await changes.__aenter__()
    async with asyncio.timeout(60):
        await socket.wait_closed()
        assert socket.close_code == 1012
        await answer.aread()
    await client.aclose()


async def test_watching_is_told_to_the_event_stream(node: Node) -> None:
    camera = node.add_camera()
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state")
    stream = node.bus.jetstream()
    subscription = await stream.subscribe(f"xy.{node.id}.event.access")
    message = await subscription.next_msg(timeout=60)
    event = json.loads(message.data)
    assert (event["action"], event["cameras"], event["subject"]) == ("live", [camera], "tester")
