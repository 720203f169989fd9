"""Live pictures when something goes wrong: a converter that dies or hangs, pages that never say who they are."""

import asyncio
import json
from contextlib import AsyncExitStack

import psutil
import pytest
from tests.gateway_node import Node
from tests.node.gateway.test_live import Page, Playing, indexed, page
from tests.waiting import until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from xomyen.node.gateway.live_limits import MOST_PAGES_OF_ONE, MOST_STRANGERS_OF_ONE
from xomyen.terms.words import StreamName, VideoCodec


def _converters() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "xomyen.playback.live_transcode_process" in child.cmdline()
    ]


@pytest.mark.parametrize("trouble", ["dies", "hangs"])
async def test_pictures_go_on_when_their_converter_dies_or_hangs(node: Node, trouble: str) -> None:
    camera = node.add_camera()
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN), VideoCodec.H265)
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("init", view=0)
        await viewer.see(1)
        (converter,) = _converters()
        viewer.said.clear()
        viewer.media.clear()
        if trouble == "dies":
            converter.kill()
        else:
            converter.suspend()

        async def play() -> None:
            while playing.at < len(playing.units):
                playing.play(node, 5)
                await asyncio.sleep(0.5)

        going_on = asyncio.create_task(play())
        try:
            await _again(viewer)
        finally:
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)
        (other,) = _converters()
        assert other.pid != converter.pid
    await until(lambda: not _converters())


async def _again(viewer: Page) -> None:
    """The player is told to begin anew, and gets pictures from a keyframe on without one missing."""
    async with asyncio.timeout(90):
        init = await viewer.hear("init", view=0)
        assert init["note"] == "transcoded"
        numbers = await viewer.see(10)
        assert numbers[0] % 50 == 0
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _url(node: Node) -> str:
    return node.address.url.replace("http", "ws", 1) + "/api/v1/live"


async def test_pages_that_never_say_hello_are_few_and_let_go(node: Node) -> None:
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(connect(_url(node))) for _ in range(MOST_STRANGERS_OF_ONE)]
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
        async with asyncio.timeout(30):
            await last.wait_closed()
        assert last.close_code == 4429
        async with page(node):
            pass  # others are not kept out


async def test_a_first_message_that_is_large_or_binary_closes_the_connection(node: Node) -> None:
    for message in ("x" * 1_000_000, b"\0" * 100):
        async with connect(_url(node)) as socket:
            await socket.send(message)
            async with asyncio.timeout(30):
                await socket.wait_closed()
            assert socket.close_code == 4400
