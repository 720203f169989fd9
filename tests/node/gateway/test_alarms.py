"""Alarms of the node stand in the stream of changes, for those in charge alone."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.gateway_node import Node

from xomyen.bus.messages import Alarm
from xomyen.terms.time import format_utc

SINCE_NS = 1_763_708_400_000_000_000
FULL = Alarm(code="full", path="/srv/video", since_ns=SINCE_NS, text="/srv/video is full.")


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Kind and data of each event, as they come."""
    kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


async def test_alarms_that_stand_are_told_at_first_and_on_each_change(node: Node) -> None:
    board = node.context.alarms
    board.recorder_says((FULL,))
    full = {"code": "full", "path": "/srv/video", "since": format_utc(SINCE_NS), "detail": "/srv/video is full."}
    async with node.client(node.ticket()) as client, client.stream("GET", "/api/v1/changes") as answer:
        told = (data["alarms"] async for kind, data in events(answer) if kind == "alarms")
        assert await anext(told) == [full]
        board.recorder_is_away(SINCE_NS, "Nothing is recorded (recorder ended with 1).")
        away, *rest = await anext(told)
        assert ((away["code"], away["path"]), rest) == (("recorder", ""), [full])
        board.recorder_is_silent(SINCE_NS + 1)
        board.recorder_is_back()
        assert await anext(told) == [full]
        board.recorder_says(())
        assert await anext(told) == []
        board.recorder_is_silent(SINCE_NS)
        assert [alarm["code"] for alarm in await anext(told)] == ["recorder"]


@pytest.mark.parametrize("grant", [{"cameras": ("{camera}",)}, {"start_ns": 1}, {"greatest_width": 4096}])
async def test_alarms_are_no_business_of_those_with_narrow_tickets(node: Node, grant: dict[str, Any]) -> None:
    camera = node.add_camera()
    token = node.ticket(**{key: (camera,) if key == "cameras" else value for key, value in grant.items()})
    node.context.alarms.recorder_says((FULL,))
    async with node.client(token) as client, client.stream("GET", "/api/v1/changes") as answer:
        heard = events(answer)
        assert (await anext(heard))[0] == "camera"
        node.context.alarms.recorder_says(())
        node.directory.remove(camera)
        assert await anext(heard) == ("removed", {"id": camera})
