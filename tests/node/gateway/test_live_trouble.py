"""Live pictures when something goes wrong: a converter that dies or hangs, pages that never say who they are."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from tests.gateway_node import Node, running_node
from tests.live_page import Page, Playing, converters, indexed, page
from tests.waiting import until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from xomyen.node.gateway.live_limits import MOST_PAGES_OF_ONE, MOST_STRANGERS_OF_ONE
from xomyen.playback import live_transcode
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.terms.words import StreamName, VideoCodec


@pytest.mark.parametrize("trouble", ["dies", "hangs"])
async def test_pictures_go_on_when_their_converter_dies_or_hangs(
    node: Node, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_transcode, "_LONGEST_SILENCE_S", 8.0)
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265)
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("init", view=0)
        await viewer.see(1)
        (converter,) = converters()
        viewer.said.clear()
        viewer.media.clear()
        if trouble == "dies":
            converter.kill()
        else:
            converter.suspend()

        async def play() -> None:
            while playing.at < len(playing.units):
                playing.play(node, 5)
                await asyncio.sleep(0.5)  # a camera goes on in its own time, whoever watches

        going_on = asyncio.create_task(play())
        try:
            await _again(viewer)
        finally:
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)
        (other,) = converters()
        assert other.pid != converter.pid
    await until(lambda: not converters())


async def _again(viewer: Page) -> None:
    """The player is told to begin anew, and gets pictures from a keyframe on without one missing."""
    async with asyncio.timeout(90):
        init = await viewer.hear("init", view=0)
        assert init["note"] == "transcoded"
        numbers = await viewer.see(10)
        assert numbers[0] % 50 == 0
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@contextmanager
def _stalled(paths: list[str]) -> Iterator[None]:
    """The disk does not answer for these files: opening a FIFO for reading waits for a writer."""
    for path in paths:
        os.rename(path, path + ".kept")
        os.mkfifo(path)
    try:
        yield
    finally:
        for path in paths:
            # Read and write (fifo(7)): lets those go who wait, and never waits itself.
            held = os.open(path, os.O_RDWR)
            os.rename(path + ".kept", path)
            os.close(held)


async def test_a_disk_that_does_not_answer_holds_up_no_pictures_of_another_nor_the_end_of_a_ticket(
    tmp_path: Path,
) -> None:
    places = tuple(VolumeSettings(str(tmp_path / name), 0) for name in ("dead", "well"))
    async with running_node(tmp_path, settings=RecorderSettings(volumes=places)) as node:
        volumes = {Path(volume.path).name: volume.id for volume in node.recorder.statistics.volumes}

        def playing(volume: str) -> str:
            camera = node.add_camera()
            policy = StreamPolicy(volume=volumes[volume])
            Playing(node.recorder.sink(camera, StreamName.MAIN, policy)).play(node, 60)
            return camera

        # More than the event loop has threads of its own.
        dead = [playing("dead") for _ in range((os.cpu_count() or 1) + 5)]
        well = playing("well")
        await indexed(node, *dead, well)
        segments = node.context.index.open().open_segments()
        with _stalled([segment.path for segment in segments if segment.camera in dead]):
            token = node.ticket()
            async with page(node, token) as viewer:
                for view, camera in enumerate((*dead, well)):
                    await viewer.say(type="watch", view=view, camera=camera, stream="main", codecs=["h264"])
                assert (await viewer.see(1, len(dead)))[0] == 50
                async with node.client(token) as client:
                    assert (await client.delete("/api/v1/session")).status_code == 204
                async with asyncio.timeout(60):
                    await viewer.socket.wait_closed()
                assert viewer.socket.close_code == 4401


def _url(node: Node) -> str:
    return node.address.url.replace("http", "ws", 1) + "/api/v1/live"


async def test_pages_that_never_say_hello_are_few_and_let_go(node: Node) -> None:
    async with AsyncExitStack() as stack:
        # All at once: those who came first are let go after some seconds.
        silent = await asyncio.gather(*(connect(_url(node)) for _ in range(MOST_STRANGERS_OF_ONE)))
        for socket in silent:
            stack.push_async_callback(socket.close)
        with pytest.raises(InvalidStatus) as refused:
            await connect(_url(node))
        assert refused.value.response.status_code == 403
        async with node.client(node.ticket()) as client:
            assert (await client.get("/api/v1/cameras")).status_code == 200
        async with asyncio.timeout(60):
            await asyncio.gather(*(socket.wait_closed() for socket in silent))
        assert {socket.close_code for socket in silent} == {4408}
    async with page(node):
        pass


async def test_one_ticket_opens_a_room_of_pages_and_no_more(node: Node) -> None:
    token = node.ticket()
    hello = json.dumps({"type": "hello", "ticket": token})

    async def opened(stack: AsyncExitStack) -> ClientConnection:
        socket = await stack.enter_async_context(connect(_url(node)))
        await socket.send(hello)
        return socket

    async with AsyncExitStack() as stack:
        for _ in range(MOST_PAGES_OF_ONE):
            assert json.loads(await (await opened(stack)).recv())["type"] == "ready"
        last = await opened(stack)
        async with asyncio.timeout(60):
            await last.wait_closed()
        assert last.close_code == 4429
        async with page(node):
            pass  # others are not kept out


async def test_a_first_message_that_is_large_or_binary_closes_the_connection(node: Node) -> None:
    for message in ("x" * 1_000_000, b"\0" * 100):
        async with connect(_url(node)) as socket:
            await socket.send(message)
            async with asyncio.timeout(60):
                await socket.wait_closed()
            assert socket.close_code == 4400
