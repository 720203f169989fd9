"""Sessions go on while they are used, up to their last end, and end everywhere when somebody signs out."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.gateway_node import Node, running_node
from websockets.asyncio.client import connect

from xomyen.access.tickets import Action, Grant
from xomyen.terms.time import NS_PER_SECOND, ManualClock, SystemClock

DAY_NS = 86_400 * NS_PER_SECOND
COOKIE = "xomyen_session"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().wall_ns())


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Node]:
    async with running_node(tmp_path, clock) as running:
        yield running


async def _signed_in(node: Node, client: httpx.AsyncClient) -> str:
    code = node.store.new_sign_in_code(Grant(subject="trực ban", actions=tuple(Action)))
    answer = await client.post("/api/v1/session", json={"code": code})
    assert answer.status_code == 200, answer.text
    return str(client.cookies[COOKIE])


async def test_a_session_in_use_is_renewed_until_its_last_end(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        token = await _signed_in(node, client)
        seen = {token}
        for day in range(1, 30):
            clock.advance(DAY_NS)
            answer = await client.get("/api/v1/cameras")
            assert answer.status_code == 200, day
            seen.add(client.cookies[COOKIE])
            if "set-cookie" in answer.headers:
                cookie = answer.headers["set-cookie"].lower()
                assert "httponly" in cookie
                assert "samesite=strict" in cookie
        assert 20 <= len(seen) <= 30, "once a day"
        clock.advance(DAY_NS)
        ended = await client.get("/api/v1/cameras")
        assert (ended.status_code, ended.json()["code"]) == (401, "ticket_expired")


async def test_a_session_that_is_not_used_ends(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        await _signed_in(node, client)
        clock.advance(7 * DAY_NS)
        assert (await client.get("/api/v1/session")).json()["code"] == "ticket_expired"


async def test_within_a_day_the_cookie_stays_as_it_is(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        await _signed_in(node, client)
        clock.advance(DAY_NS // 2)
        assert "set-cookie" not in (await client.get("/api/v1/session")).headers


async def test_a_ticket_that_was_issued_for_a_time_is_never_renewed(node: Node, clock: ManualClock) -> None:
    token = node.ticket(lifetime_s=3 * 86_400)
    async with node.client() as client:
        client.cookies.set(COOKIE, token)
        clock.advance(2 * DAY_NS)
        answer = await client.get("/api/v1/session")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


async def test_a_session_brought_as_bearer_is_not_renewed(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        token = await _signed_in(node, client)
    clock.advance(2 * DAY_NS)
    async with node.client(token) as client:
        assert "set-cookie" not in (await client.get("/api/v1/session")).headers


async def test_signing_out_ends_every_renewal(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        tokens = [await _signed_in(node, client)]
        for _ in range(2):
            clock.advance(2 * DAY_NS)
            await client.get("/api/v1/session")
            tokens.append(client.cookies[COOKIE])
        answer = await client.delete("/api/v1/session")
        assert answer.status_code == 204
        assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]]
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert len(set(tokens)) == 3
    # Also once the first of them would have ended, and somebody else has signed out, which tidies up.
    clock.advance(4 * DAY_NS)
    node.store.revoke("01890000-0000-7000-8000-00000000000a")
    async with node.client(tokens[-1]) as client:
        assert (await client.get("/api/v1/session")).json()["code"] == "ticket_revoked"


async def test_a_watch_goes_on_over_the_end_of_the_ticket_it_began_with(node: Node, clock: ManualClock) -> None:
    async with node.client() as client:
        token = await _signed_in(node, client)
        url = node.address.url.replace("http", "ws", 1) + "/api/v1/live"
        async with connect(url, additional_headers={"Cookie": f"{COOKIE}={token}"}) as socket:
            await socket.send(json.dumps({"type": "hello"}))
            assert json.loads(await socket.recv())["type"] == "ready"
            clock.advance(6 * DAY_NS)
            async with client.stream("GET", "/api/v1/changes") as changes:
                assert "set-cookie" in changes.headers, "the page's own events renew the session"
            clock.advance(2 * DAY_NS)
            beyond = clock.wall_ns()
            heard = 0
            async with asyncio.timeout(60):
                while heard < 5:  # longer than it takes to look at the ticket again
                    heard += json.loads(await socket.recv())["type"] == "time"
            assert clock.wall_ns() == beyond
            async with node.client(token) as old:
                assert (await old.get("/api/v1/session")).json()["code"] == "ticket_expired"
            clock.advance(7 * DAY_NS)
            async with asyncio.timeout(60):
                await socket.wait_closed()
            assert socket.close_code == 4401


async def test_the_stream_of_changes_ends_to_be_asked_for_again_when_a_renewal_is_due(
    node: Node, clock: ManualClock
) -> None:
    async with node.client() as client:
        await _signed_in(node, client)
        begun = asyncio.Event()

        async def listen() -> str:
            text = ""
            async with client.stream("GET", "/api/v1/changes") as changes:
                async for line in changes.aiter_lines():
                    begun.set()
                    text += line
            return text

        listening = asyncio.create_task(listen())
        await begun.wait()
        clock.advance(2 * DAY_NS)
        text = await asyncio.wait_for(listening, 60)
        assert "signed_out" not in text
        async with client.stream("GET", "/api/v1/changes") as again:
            assert "set-cookie" in again.headers
