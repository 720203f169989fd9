"""Downloads beside everything else: a slow disk, a slow client, one that leaves, too many at once."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message
from tests.gateway_node import Node, seconds
from tests.waiting import until

from xomyen.node.gateway.downloads import MOST, MOST_OF_ONE
from xomyen.node.gateway.server import Address, serving
from xomyen.node.gateway.streamed import StreamedResponse
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName


async def _footage(node: Node, name: str) -> tuple[str, str]:
    """A camera with footage, and the query that asks for all of it."""
    camera = node.add_camera(name)
    start = (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND
    await node.record(camera, 100, start)
    return camera, f"from={format_utc(start)}&to={format_utc(start + seconds(3))}"


@contextmanager
def _stalled(node: Node, camera: str) -> Iterator[None]:
    """The disk does not answer for this camera's file: opening a FIFO for reading waits for a writer."""
    (segment,) = node.context.index.open().all_segments(camera, StreamName.MAIN)
    kept = Path(segment.path + ".kept")
    os.rename(segment.path, kept)
    os.mkfifo(segment.path)
    try:
        yield
    finally:
        # Read and write (fifo(7)): lets those go who wait, and never waits itself.
        os.close(os.open(segment.path, os.O_RDWR))
        os.rename(kept, segment.path)


async def _downloading(node: Node) -> int:
    async with node.client() as client:
        text = (await client.get("/metrics")).text
    line = next(line for line in text.splitlines() if line.startswith("xomyen_gateway_downloads "))
    return int(float(line.split()[1]))


@asynccontextmanager
async def _asking(node: Node, path: str, tokens: list[str]) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """The same download asked for with each of these tickets at once."""

    async def ask(token: str) -> httpx.Response:
        async with node.client(token) as client:
            return await client.get(path)

    tasks = [asyncio.create_task(ask(token)) for token in tokens]
    try:
        yield tasks
    finally:
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("what", ["clip", "export"])
async def test_downloads_from_a_disk_that_does_not_answer_hold_up_nobody_else(node: Node, what: str) -> None:
    stuck, span = await _footage(node, "stuck")
    other, other_span = await _footage(node, "other")
    tokens = [token for token in (node.ticket() for _ in range(MOST // MOST_OF_ONE)) for _ in range(MOST_OF_ONE)]
    with _stalled(node, stuck):
        async with (
            _asking(node, f"/api/v1/cameras/{stuck}/{what}?{span}", tokens),
            node.client(node.ticket()) as client,
        ):
            try:
                await until(lambda: _is(node, MOST))
                for path in (f"timeline?{other_span}", f"main/index.m3u8?{other_span}"):
                    answer = await client.get(f"/api/v1/cameras/{other}/{path}")
                    assert answer.status_code == 200, answer.text
                (segment,) = node.context.index.open().all_segments(other, StreamName.MAIN)
                whole = await client.get(f"/api/v1/cameras/{other}/main/segments/{segment.id}.mp4")
                assert whole.content == Path(segment.path).read_bytes()
                assert (await client.get(f"/api/v1/timelines?{span}")).status_code == 200
                refused = await client.get(f"/api/v1/cameras/{other}/{what}?{other_span}")
                assert (refused.status_code, refused.json()["code"]) == (503, "busy")
                assert int(refused.headers["Retry-After"]) > 0
            finally:
                with _released(node, stuck):
                    pass
    await until(lambda: _is(node, 0))
    async with node.client(node.ticket()) as client:
        assert (await client.get(f"/api/v1/cameras/{other}/{what}?{other_span}")).status_code == 200


async def _is(node: Node, count: int) -> bool:
    return await _downloading(node) == count


@contextmanager
def _released(node: Node, camera: str) -> Iterator[None]:
    """Those who wait for the stalled file are let go."""
    (segment,) = node.context.index.open().all_segments(camera, StreamName.MAIN)
    end = os.open(segment.path, os.O_RDWR)
    yield
    os.close(end)


async def test_one_ticket_gets_a_few_downloads_at_once(node: Node) -> None:
    stuck, span = await _footage(node, "stuck")
    token = node.ticket()
    path = f"/api/v1/cameras/{stuck}/clip?{span}"
    with _stalled(node, stuck):
        async with _asking(node, path, [token] * MOST_OF_ONE), node.client(token) as client:
            await until(lambda: _is(node, MOST_OF_ONE))
            refused = await client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
            assert int(refused.headers["Retry-After"]) > 0
            with _released(node, stuck):
                pass
    await until(lambda: _is(node, 0))


async def test_footage_of_a_disk_that_does_not_answer_is_refused_once_many_wait_and_lookups_go_on(node: Node) -> None:
    stuck, span = await _footage(node, "stuck")
    token = node.ticket()
    with _stalled(node, stuck):
        path = f"/api/v1/cameras/{stuck}/main/index.m3u8?{span}"
        async with _asking(node, path, [token] * 160) as asked, node.client(token) as client:
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=60)
            first = done.pop().result()
            assert (first.status_code, first.json()["code"]) == (503, "busy")
            assert int(first.headers["Retry-After"]) > 0
            assert (await client.get(f"/api/v1/timelines?{span}")).status_code == 200

            def all_let_go() -> bool:
                with _released(node, stuck):
                    return all(task.done() for task in asked)

            await until(all_let_go, seconds=60)


class _Endless:
    """An application with one endless body."""

    def __init__(self, send_s: float = 60.0) -> None:
        self.ended = asyncio.Event()
        self.app = Starlette(routes=[Route("/", self.answer)])
        self.app.state.closing = asyncio.Event()
        self._send_s = send_s

    async def answer(self, _request: Request) -> Response:
        return StreamedResponse(self.chunks(), send_s=self._send_s)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            self.ended.set()


def _begun(address: Address) -> socket.socket:
    """A client that asked and takes nothing."""
    client = socket.create_connection((address.host, address.port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n")
    return client


async def test_what_a_download_holds_is_let_go_when_the_client_leaves() -> None:
    body = _Endless()
    async with serving(body.app, "127.0.0.1", 0) as address:
        for _ in range(20):  # what is on its way when the connection goes is chance
            body.ended.clear()
            client = await asyncio.to_thread(_begun, address)
            assert await asyncio.to_thread(client.recv, 1 << 16)
            client.close()
            async with asyncio.timeout(60):
                await body.ended.wait()


async def test_a_body_that_never_waits_leaves_room_to_hear_that_the_client_is_gone() -> None:
    gone = asyncio.Event()
    given = 0

    async def chunks() -> AsyncGenerator[bytes, None]:
        nonlocal given
        while given < 100_000:
            given += 1
            yield b"x"

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        """As Granian's to a client that has left: it takes all and never waits."""

    asyncio.get_running_loop().call_soon(gone.set)
    scope = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}}
    await StreamedResponse(chunks())(scope, receive, send)
    assert given < 100


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    body = _Endless(send_s=0.5)
    async with serving(body.app, "127.0.0.1", 0) as address:
        client = await asyncio.to_thread(_begun, address)
        async with asyncio.timeout(60):
            await body.ended.wait()

        def drain() -> bytes:
            client.settimeout(60)
            last = b""
            while piece := client.recv(1 << 20):
                last = (last + piece)[-5:]
            return last

        try:
            assert await asyncio.to_thread(drain) != b"0\r\n\r\n", "the body does not pass for whole"
        except ConnectionResetError:
            pass  # broken off, as it should be
        finally:
            client.close()


async def test_idle_connections_do_not_keep_others_out(node: Node) -> None:
    def idle() -> list[socket.socket]:
        return [socket.create_connection((node.address.host, node.address.port)) for _ in range(300)]

    held = await asyncio.to_thread(idle)
    async with node.client(node.ticket()) as client:
        assert (await client.get("/api/v1/session")).status_code == 200
    for one in held:
        one.close()
