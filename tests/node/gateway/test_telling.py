"""What leaves the node in words: details for those in charge alone, files and hosts in no error."""

import importlib
import io
import json
import os
import pkgutil
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from tests.gateway_node import Node, live_state, seconds
from tests.live_page import page
from tests.waiting import until

import xomyen
from xomyen.node.gateway.telling import words_for
from xomyen.terms.errors import XomyenError
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import CameraState, GapReason, StreamName

HOST = "192.0.2.77:554"

# Ticket kind: its grant (`{camera}` stands for the camera's own id), and whether it learns details.
TICKETS: dict[str, tuple[dict[str, Any], bool]] = {
    "all of the node": ({}, True),
    "all cameras, live and past": ({"actions": ("live", "past", "clip")}, True),
    "this camera": ({"cameras": ("{camera}",)}, False),
    "for an hour": ({"start_ns": 1}, False),
    "until later": ({"end_ns": 2**62}, False),
    "small pictures": ({"greatest_width": 4096}, False),
}


async def _troubled(node: Node) -> tuple[str, str]:
    """A camera with a gap and a state that name its host, and the query that asks for its time."""
    camera = node.add_camera()
    start = (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND
    await node.record(camera, 100, start, finish=False)
    node.recorder.sink(camera, StreamName.MAIN).closed(GapReason.REFUSED, f"{HOST} refused")
    node.recorder.remove(camera, StreamName.MAIN)
    await node.indexed(camera, StreamName.MAIN, start)
    await until(lambda: node.context.index.open().gaps(camera, StreamName.MAIN, 0, 2**62))
    said = live_state(camera, CameraState.LOST).model_copy(update={"detail": f"{HOST} refused"})
    node.directory.state(said)
    return camera, f"from={format_utc(start)}&to=now"


@pytest.mark.parametrize("kind", TICKETS)
async def test_details_are_told_to_those_in_charge_alone_wherever_they_stand(node: Node, kind: str) -> None:
    camera, span = await _troubled(node)
    grant, told = TICKETS[kind]
    values = {name: (camera,) if name == "cameras" else value for name, value in grant.items()}
    token = node.ticket(**values)
    base = f"/api/v1/cameras/{camera}"
    answers: dict[str, str] = {}
    async with node.client(token) as client:
        answers["list"] = (await client.get("/api/v1/cameras")).text
        for name, path in (("timeline", f"{base}/timeline?{span}"), ("timelines", f"/api/v1/timelines?{span}")):
            answer = await client.get(path + "&resolution=0")
            assert '"refused"' in answer.text, "the reason is told to all"
            answers[name] = answer.text
        export = await client.get(f"{base}/export?{span}")
        assert export.status_code == 200, export.text
        with zipfile.ZipFile(io.BytesIO(export.content)) as archive:
            answers["export"] = "".join(
                archive.read(name).decode() for name in archive.namelist() if name.endswith(".json")
            )
        async with client.stream("GET", "/api/v1/changes") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    answers["changes"] = line
                    break
    async with page(node, token) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        answers["live"] = json.dumps(await viewer.hear("state", state="lost"))
    assert {name: HOST in text for name, text in answers.items()} == dict.fromkeys(answers, told)


@pytest.mark.parametrize("damage", ["cut", "gone", "unreadable"])
@pytest.mark.parametrize("what", ["clip", "export"])
async def test_no_error_names_a_file_of_the_node(node: Node, damage: str, what: str) -> None:
    camera = node.add_camera()
    start = (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND
    await node.record(camera, 100, start)
    (segment,) = node.context.index.open().all_segments(camera, StreamName.MAIN)
    if damage == "cut":
        os.truncate(segment.path, 100)
    else:
        os.unlink(segment.path)
        if damage == "unreadable":
            os.mkdir(segment.path)
    async with node.client(node.ticket()) as client:
        answer = await client.get(
            f"/api/v1/cameras/{camera}/{what}?from={format_utc(start)}&to={format_utc(start + seconds(3))}"
        )
    assert answer.status_code in (404, 500, 503), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(node.folder.root) not in answer.text
    assert segment.id not in answer.text


async def test_a_node_that_recorded_nothing_yet_does_not_say_where_its_index_is(node: Node) -> None:
    camera = node.add_camera()
    node.folder.index.unlink()
    async with node.client(node.ticket()) as client:
        answer = await client.get(f"/api/v1/cameras/{camera}/still?at=-10s")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_footage")
    assert str(node.folder.root) not in answer.text


def _errors() -> Iterator[type[XomyenError]]:
    for module in pkgutil.walk_packages(xomyen.__path__, "xomyen."):
        # The centre's code needs Django, and no node ever loads it.
        if not module.name.endswith("__main__") and not module.name.startswith(("xomyen.centre", "xomyen.cli.centre")):
            importlib.import_module(module.name)
    waiting = [XomyenError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting.extend(kind.__subclasses__())


# Made of what was asked and of ids: these may say their own words.
HARMLESS = {
    *("action_not_allowed", "bad_request", "busy", "camera_not_allowed", "evidence_unmasked", "forbidden"),
    *("invalid_dpop_proof", "invalid_range", "invalid_time"),
    *("mask_required", "no_footage", "not_decodable", "several_runs", "sign_in_code_invalid", "span_not_allowed"),
    *("stream_not_allowed", "ticket_expired", "ticket_for_other_node", "ticket_forged", "ticket_issuer_unknown"),
    *("ticket_malformed", "ticket_missing", "ticket_not_yet_valid", "ticket_revoked", "too_many_requests"),
    *("unknown_camera", "unreadable", "use_dpop_nonce", "width_not_allowed"),
}


def test_every_error_is_told_in_its_own_words_or_in_fixed_ones() -> None:
    secret = "/srv/video/0/x.mp4 on 192.0.2.77"
    for kind in _errors():
        error = kind.__new__(kind)
        XomyenError.__init__(error, secret, path=secret)
        if secret in words_for(error):
            assert kind.code in HARMLESS, kind
