"""What the centre ends, the node ends: at once for what is asked, within seconds for what runs, and after a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway_node import Node, running_node
from tests.live_page import page

from xomyen.access.store import AccessStore
from xomyen.bus import subjects
from xomyen.bus.messages import AccessEnded, SubjectEnded
from xomyen.bus.requests import Empty, ask
from xomyen.node.access_service import AccessService
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.time import NS_PER_SECOND

LAN, MINH = "user:019c0000-0000-7000-8000-000000000001", "user:019c0000-0000-7000-8000-000000000002"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path) as running, AccessService(running.bus, running.id, running.store):
        yield running


async def _end(node: Node, *subjects_: str, **changed: Any) -> None:
    now_s = node.clock.wall_ns() // NS_PER_SECOND
    times = {"issued_upto_s": now_s, "expires_s": now_s + 3600, **changed}
    ended = tuple(SubjectEnded(subject=subject, **times) for subject in subjects_)
    await ask(node.bus, subjects.service(node.id, "access", "end"), AccessEnded(ended=ended), Empty)


async def _status(node: Node, token: str) -> int:
    async with node.client(token) as client:
        return (await client.get("/api/v1/session")).status_code


async def test_tickets_of_whoever_was_ended_are_refused_and_those_of_others_are_not(node: Node) -> None:
    lan, minh = node.ticket(subject=LAN), node.ticket(subject=MINH)
    assert await _status(node, lan) == 200
    await _end(node, LAN)
    await _end(node, LAN)  # told twice
    assert (await _status(node, lan), await _status(node, minh)) == (401, 200)


async def test_a_ticket_issued_after_the_end_counts(node: Node) -> None:
    await _end(node, LAN, issued_upto_s=node.clock.wall_ns() // NS_PER_SECOND - 1)
    assert await _status(node, node.ticket(subject=LAN)) == 200


async def test_live_pictures_that_run_end_and_those_of_others_go_on(node: Node) -> None:
    camera = node.add_camera()
    async with page(node, node.ticket(subject=LAN)) as watching, page(node, node.ticket(subject=MINH)) as other:
        for viewer in (watching, other):
            await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
            await viewer.hear("state")
        await _end(node, LAN)
        async with asyncio.timeout(60):
            await watching.socket.wait_closed()
        assert watching.socket.close_code == 4401
        assert other.socket.close_code is None


async def test_a_node_that_was_started_anew_still_knows(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, AccessService(node.bus, node.id, node.store):
        token = node.ticket(subject=LAN)
        await _end(node, LAN)
    async with running_node(tmp_path) as again:
        assert await _status(again, token) == 401
        with AccessStore(again.folder.access, again.clock) as beside:
            assert beside.is_ended(LAN, 1)


async def test_what_cannot_be_meant_is_refused(node: Node) -> None:
    with pytest.raises(InvalidConfiguration):
        await ask(node.bus, subjects.service(node.id, "access", "end"), Empty(), Empty)
