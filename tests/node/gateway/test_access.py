"""Who gets to what: every end-point of the interface against every kind of ticket, and signing in and out."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from tests.gateway_node import Node, running_node, seconds

from xomyen.access.errors import TicketRevoked
from xomyen.access.tickets import Action, Grant, TicketChecker, issue, ticket_for
from xomyen.node.gateway.app import routes
from xomyen.proof.keys import SigningKey
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName

# Path, action it needs. Every end-point with a camera in its path stands here.
CAMERA_PATHS = {
    "/api/v1/cameras/{camera}/timeline": ("timeline?{range}", "past"),
    "/api/v1/cameras/{camera}/still": ("still?at={at}&width=160", "past"),
    "/api/v1/cameras/{camera}/clip": ("clip?{range}", "clip"),
    "/api/v1/cameras/{camera}/export": ("export?{range}", "clip"),
    "/api/v1/cameras/{camera}/{stream}/index.m3u8": ("main/index.m3u8?{range}", "past"),
    "/api/v1/cameras/{camera}/{stream}/segments/{segment}.mp4": ("main/segments/{segment}.mp4", "past"),
    "/api/v1/cameras/{camera}/{stream}/transcoded/{segment}/{name}": (
        "main/transcoded/{segment}/init.mp4",
        "past",
    ),
}
OPEN_PATHS = {"/healthz", "/metrics"}
OTHERS = {"/api/v1/session", "/api/v1/session/by-key", "/api/v1/cameras", "/api/v1/changes", "/api/v1/timelines"}


def test_every_endpoint_stands_in_the_tables() -> None:
    paths = {route.path for route in routes() if isinstance(route, Route)}
    assert paths == set(CAMERA_PATHS) | OPEN_PATHS | OTHERS


async def _footage(node: Node) -> tuple[str, int, str]:
    camera = node.add_camera()
    start = (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND
    await node.record(camera, 100, start)
    return camera, start, node.context.index.open().all_segments(camera, StreamName.MAIN)[0].id


async def test_every_camera_endpoint_against_every_kind_of_ticket(node: Node) -> None:
    camera, start, segment = await _footage(node)
    other = node.add_camera("another")
    middle = start + seconds(1)
    asked = {
        "range": f"from={format_utc(start)}&to={format_utc(start + seconds(3))}",
        "at": format_utc(middle),
        "segment": segment,
    }
    stranger = SigningKey.generate()
    grant = Grant(subject="x", actions=tuple(Action))
    foreign = ticket_for(grant, node=node.id, issuer=stranger, clock=node.clock, lifetime_s=60)
    elsewhere = ticket_for(grant, node=new_id(), issuer=node.issuer, clock=node.clock, lifetime_s=60)
    revoked = ticket_for(grant, node=node.id, issuer=node.issuer, clock=node.clock, lifetime_s=60)
    node.store.revoke(revoked.id)
    good = node.ticket()
    kinds: dict[str, tuple[str | None, int, str]] = {
        "none": (None, 401, "ticket_missing"),
        "nonsense": ("nonsense", 401, "ticket_malformed"),
        "forged": (good[:-8] + ("AAAAAAAA" if good[-8:] != "AAAAAAAA" else "BBBBBBBB"), 401, "ticket_forged"),
        "of a stranger": (issue(stranger, foreign), 401, "ticket_issuer_unknown"),
        "for another node": (issue(node.issuer, elsewhere), 401, "ticket_for_other_node"),
        "revoked": (issue(node.issuer, revoked), 401, "ticket_revoked"),
        "for live alone": (node.ticket(actions=("live",)), 403, "action_not_allowed"),
        "for another camera": (node.ticket(cameras=(other,)), 403, "camera_not_allowed"),
        "for the sub stream": (node.ticket(streams=("sub",)), 403, "stream_not_allowed"),
        "for later": (node.ticket(start_ns=start + seconds(30)), 403, "span_not_allowed"),
    }
    for path, (template, action) in CAMERA_PATHS.items():
        for kind, (token, status, code) in kinds.items():
            async with node.client(token) as client:
                answer = await client.get(f"/api/v1/cameras/{camera}/{template.format(**asked)}")
            assert (answer.status_code, answer.json()["code"]) == (status, code), f"{path} {kind}: {answer.text}"
            assert answer.headers["content-type"] == "application/problem+json"
        needed = node.ticket(actions=(action,), cameras=(camera,), streams=("main",))
        async with node.client(needed) as client:
            answer = await client.get(f"/api/v1/cameras/{camera}/{template.format(**asked)}")
        assert answer.status_code == 200, f"{path}: {answer.text}"
        wrong = "clip" if action == "past" else "past"
        async with node.client(node.ticket(actions=(wrong,))) as client:
            answer = await client.get(f"/api/v1/cameras/{camera}/{template.format(**asked)}")
        assert (answer.status_code, answer.json()["code"]) == (403, "action_not_allowed"), path


async def test_a_ticket_with_a_width_gets_no_larger_pictures(node: Node) -> None:
    camera, start, segment = await _footage(node)
    span = f"from={format_utc(start)}&to={format_utc(start + seconds(3))}"
    paths = [f"main/index.m3u8?{span}", f"main/segments/{segment}.mp4", f"clip?{span}", f"export?{span}"]
    async with node.client(node.ticket(greatest_width=160)) as client:
        for path in paths:
            answer = await client.get(f"/api/v1/cameras/{camera}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "width_not_allowed"), path
        still = await client.get(f"/api/v1/cameras/{camera}/still?at={format_utc(start)}&width=320")
        assert still.status_code == 200
        from tests.gateway_node import read_jpeg

        assert read_jpeg(still.content).shape[1] == 160


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_range"),
        ("from=2096-01-01T00:00:00Z&to=2096-01-02T00:00:00Z", 422, "invalid_range"),
        ("from=2126-01-01T00:00:00Z&to=2126-01-02T00:00:00Z", 422, "invalid_time"),
        ("from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_range"),
        ("from=yesterday&to=now", 422, "invalid_time"),
        ("from=2026-01-02T00:00:00&to=now", 422, "invalid_time"),
        ("to=now", 422, "bad_request"),
        ("from=-10m&to=now&stream=third", 422, "bad_request"),
        ("from=-10m&to=now&resolution=x", 422, "bad_request"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_a_clear_error(
    node: Node, query: str, status: int, code: str
) -> None:
    camera = node.add_camera()
    async with node.client(node.ticket()) as client:
        answer = await client.get(f"/api/v1/cameras/{camera}/timeline?{query}")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["type"]) == (status, code, f"urn:xomyen:error:{code}")
    assert problem["detail"].endswith((".", "Z", "10m."))


async def test_an_unknown_camera_is_told_only_to_those_who_may_see_all(node: Node) -> None:
    path = f"/api/v1/cameras/{new_id()}/timeline?from=-10m&to=now"
    async with node.client(node.ticket()) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_camera")
        assert (await client.get("/api/v1/cameras/main/timeline?from=-10m&to=now")).status_code == 404
    async with node.client(node.ticket(cameras=(node.add_camera(),))) as client:
        assert (await client.get(path)).json()["code"] == "camera_not_allowed"


async def test_several_timelines_at_once_are_those_of_the_ticket(node: Node) -> None:
    camera, start, _ = await _footage(node)
    other = node.add_camera("another")
    span = f"from={format_utc(start)}&to=now"
    async with node.client(node.ticket()) as client:
        found = (await client.get(f"/api/v1/timelines?{span}")).json()["timelines"]
        assert set(found) == {camera, other}
        assert found[camera]["spans"][0]["from"] == format_utc(start)
        assert found[other]["spans"] == []
        assert "keyframes" not in found[camera]
    async with node.client(node.ticket(cameras=(camera,))) as client:
        assert set((await client.get(f"/api/v1/timelines?{span}")).json()["timelines"]) == {camera}
        refused = await client.get(f"/api/v1/timelines?{span}&cameras={camera},{other}")
        assert (refused.status_code, refused.json()["code"]) == (403, "camera_not_allowed")
    async with node.client(node.ticket(actions=("live",))) as client:
        assert (await client.get(f"/api/v1/timelines?{span}")).status_code == 403


async def test_the_list_and_the_changes_hold_the_tickets_cameras_alone(node: Node) -> None:
    mine, other = node.add_camera("mine"), node.add_camera("other")
    async with node.client(node.ticket(cameras=(mine,))) as client:
        listed = (await client.get("/api/v1/cameras")).json()["cameras"]
        assert [camera["id"] for camera in listed] == [mine]
        assert "192.0.2.1" not in json.dumps(listed)
        async with client.stream("GET", "/api/v1/changes") as answer:
            lines = answer.aiter_lines()
            node.directory.remove(other)
            node.directory.remove(mine)
            seen: list[str] = []
            async with asyncio.timeout(60):
                async for line in lines:
                    seen.append(line)
                    if line == "event: removed":
                        seen.append(await anext(lines))
                        break
    assert other not in "".join(seen)
    assert mine in seen[-1]


async def test_a_code_signs_in_once_and_signing_out_ends_the_session_everywhere(node: Node) -> None:
    code = node.store.new_sign_in_code(Grant(subject="operator", actions=tuple(Action)))
    async with node.client() as client:
        answer = await client.post("/api/v1/session", json={"code": code})
        assert answer.status_code == 200, answer.text
        assert answer.json()["subject"] == "operator"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie  # no TLS here
        assert (await client.get("/api/v1/session")).json()["actions"] == ["clip", "live", "past", "still"]
        assert (await client.post("/api/v1/session", json={"code": code})).status_code == 401
        token = client.cookies["xomyen_session"]
        assert (await client.delete("/api/v1/session")).status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401
    async with node.client(token) as client:
        assert (await client.get("/api/v1/session")).json()["code"] == "ticket_revoked"


async def test_guessing_codes_is_slowed_down(node: Node) -> None:
    async with node.client() as client:
        answers = [await client.post("/api/v1/session", json={"code": "guess"}) for _ in range(8)]
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("behind_proxy", [False, True])
async def test_who_asks_is_told_by_a_proxy_only_where_there_is_one(tmp_path: Path, behind_proxy: bool) -> None:
    async with running_node(tmp_path, behind_proxy=behind_proxy) as node, node.client() as client:

        async def tries(forwarded: list[str]) -> list[int]:
            return [
                (
                    await client.post("/api/v1/session", json={"code": "x" * 32}, headers={"X-Forwarded-For": one})
                ).status_code
                for one in forwarded
            ]

        from_many = await tries([f"192.0.2.{number}" for number in range(8)])
        from_one = await tries([f"198.51.100.{number}, 203.0.113.5" for number in range(8)])
    assert (429 in from_many) == (not behind_proxy)
    assert 429 in from_one, "what the asker itself wrote does not count"


async def test_bodies_are_small_readable_and_from_our_own_pages(node: Node) -> None:
    async with node.client() as client:
        for _ in range(20):  # the connection stays usable, however the body's pieces arrive
            large = await client.post("/api/v1/session", content=b"x" * 600_000)
            assert large.status_code == 413
            assert "Connection" not in large.headers
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"POST /api/v1/session HTTP/1.1\r\nHost: node\r\nContent-Length: 99999999999\r\n\r\nx")
        endless = (await reader.read()).lower()
        assert endless.startswith(b"http/1.1 413 ")
        assert b"\r\nconnection: close\r\n" in endless
        writer.close()
        torn = await client.post("/api/v1/session", content=b"{")
        assert (torn.status_code, torn.json()["code"]) == (422, "bad_request")
        other = await client.post(
            "/api/v1/session", json={"code": "x"}, headers={"Origin": "https://elsewhere.example"}
        )
        assert (other.status_code, other.json()["code"]) == (403, "wrong_origin")


async def test_every_answer_has_the_security_headers(node: Node) -> None:
    async with node.client(node.ticket()) as client:
        for path in ("/", "/api/v1/cameras", "/api/v1/nothing", "/assets/nothing.js"):
            answer = await client.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "script-src 'self'" in policy
            assert "unsafe-inline" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (await client.get("/api/v1/nothing")).json()["code"] == "not_found"
        assert (await client.put("/api/v1/cameras")).json()["code"] == "method_not_allowed"


async def test_health_and_metrics_are_not_told_through_a_proxy(node: Node) -> None:
    async with node.client() as client:
        assert "xomyen_gateway_live_sockets" in (await client.get("/metrics")).text
        assert (await client.get("/healthz")).json()["node"] == node.id
        for path in ("/metrics", "/healthz"):
            proxied = await client.get(path, headers={"X-Forwarded-For": "198.51.100.7"})
            assert proxied.status_code == 403


async def test_each_use_is_told_once_with_who_and_what(node: Node) -> None:
    camera, start, _ = await _footage(node)
    span = f"from={format_utc(start)}&to={format_utc(start + seconds(3))}"
    async with node.client(node.ticket(subject="Lan", purpose="vụ việc 0142")) as client:
        for _ in range(3):
            await client.get(f"/api/v1/cameras/{camera}/main/index.m3u8?{span}")
        await client.get(f"/api/v1/cameras/{camera}/clip?{span}")
    async with node.client(node.ticket(actions=("live",), subject="Minh")) as client:
        await client.get(f"/api/v1/cameras/{camera}/clip?{span}")
    events = await _access_events(node, 3)
    told = [(event["subject"], event["action"], event["purpose"]) for event in events]
    assert told == [("Lan", "past", "vụ việc 0142"), ("Lan", "clip", "vụ việc 0142"), ("Minh", "refused", "")]
    assert all(event["cameras"] == [camera] for event in events)
    assert events[0]["start_ns"] == start


async def _access_events(node: Node, count: int) -> list[dict[str, Any]]:
    subscription = await node.bus.jetstream().subscribe(f"xy.{node.id}.event.access")
    found = [json.loads((await subscription.next_msg(timeout=60)).data) for _ in range(count)]
    await subscription.unsubscribe()
    return found


async def test_a_download_breaks_off_when_its_ticket_is_revoked(node: Node) -> None:
    from xomyen.node.gateway.tickets import Gate

    class Told:
        def tell(self, event: object) -> None: ...

    revoked: set[str] = set()

    class Revoked:
        def is_revoked(self, ticket_id: str) -> bool:
            return ticket_id in revoked

        def is_ended(self, _subject: str, _issued_s: int) -> bool:
            return False

    checker = TicketChecker(node.id, [node.issuer.public], node.clock, Revoked())
    gate = Gate(checker, node.directory, Told(), node.clock)
    ticket = checker.read(node.ticket())

    async def chunks() -> Any:
        for number in range(1000):
            if number == 2:
                revoked.add(ticket.id)
            await asyncio.sleep(0.05)
            yield b"x"

    got = []

    async def download() -> None:
        async for chunk in gate.while_valid(ticket, chunks(), {}):
            got.append(chunk)  # noqa: PERF401 - what came before the break is looked at

    with pytest.raises(TicketRevoked):
        await download()
    assert 0 < len(got) < 500
