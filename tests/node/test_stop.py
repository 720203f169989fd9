"""A node that is stopped while many people watch: it ends by itself, and what was recorded is sealed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.running_node import RunningNode, all_gone, xomyen
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = 25
SLEEPERS = 3


@asynccontextmanager
async def _page(node: RunningNode, ticket: str, cameras: list[str]) -> AsyncIterator[ClientConnection]:
    """A page that watches every camera."""
    url = f"{node.url.replace('http', 'ws')}/api/v1/live"
    # A node that is gone answers no goodbye: not waited for.
    async with connect(url, max_size=None, max_queue=1, ping_interval=None, close_timeout=0.2) as socket:
        await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
        assert json.loads(await socket.recv())["type"] == "ready"
        for number, camera in enumerate(cameras):
            watch = {"type": "watch", "view": number, "camera": camera, "stream": "main", "codecs": ["h264"]}
            await socket.send(json.dumps(watch))
        yield socket


async def _pictures(socket: ClientConnection, count: int) -> None:
    while count:
        count -= isinstance(await socket.recv(), bytes)


async def _until_closed(socket: ClientConnection) -> None:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return


async def test_a_stop_while_25_pages_watch_ends_everything_and_seals_the_footage(recording: RunningNode) -> None:
    def run(*arguments: str | Path) -> str:
        return recording.run(*arguments).stdout.strip()

    cameras = [camera["id"] for camera in await asyncio.to_thread(recording.json, "camera", "list")]
    # Two rooms of screens.
    wanted = ("ticket", "--camera", "*", "--action", "live", "--ttl", "3600")
    tickets = [await asyncio.to_thread(run, *wanted) for _ in range(2)]
    forged = tickets[0][:-8] + "AAAAAAAA"
    async with httpx.AsyncClient(base_url=recording.url, timeout=60) as client:
        for wrong in (forged, "eyJhbGciOiJub25lIn0.e30.", "nonsense-4711"):
            refused = await client.get("/api/v1/cameras", headers={"Authorization": f"Bearer {wrong}"})
            assert refused.status_code in (401, 403)
    family = recording.family()
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(_page(recording, tickets[number % 2], cameras))
            for number in range(PAGES + SLEEPERS)
        ]
        await asyncio.gather(*(_pictures(page, 10) for page in pages))
        # The sleepers take nothing any more, as a page on a phone that was put away.
        watching = [asyncio.create_task(_until_closed(page)) for page in pages[:PAGES]]
        assert await asyncio.to_thread(recording.stop) == 0
        await asyncio.gather(*watching)
    assert await asyncio.to_thread(all_gone, family)
    folder = recording.folder
    for name in ("Cổng chợ", "Ngã ba"):
        shown = await asyncio.to_thread(xomyen, "timeline", name, "--from", "-10m", "--json", "--dir", folder)
        assert {segment["state"] for segment in json.loads(shown.stdout)["segments"]} == {"sealed"}
    checked = await asyncio.to_thread(xomyen, "check", "--hashes", "--json", "--dir", folder)
    assert json.loads(checked.stdout)["findings"] == []
    log = recording.log.read_text()
    for secret in (*tickets, forged, "nonsense-4711", recording.link.partition("#")[2]):
        assert secret not in log
