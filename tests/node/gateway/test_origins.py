"""Pages of the centre use a node of another origin; pages of anybody else do not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateway_node import Node, running_node, seconds
from tests.live_page import page as live_page
from websockets.exceptions import ConnectionClosed

from xomyen.access.tickets import Action
from xomyen.terms.time import NS_PER_SECOND, format_utc

CENTRE, FOREIGN = "https://centre.example", "https://elsewhere.example"
WISH = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path, origins=frozenset({CENTRE})) as running:
        yield running


async def test_the_centres_page_may_ask_with_a_ticket_and_read_the_answer(node: Node) -> None:
    async with node.client() as client:
        asked = await client.options("/api/v1/cameras", headers={"Origin": CENTRE, **WISH})
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == CENTRE
        assert "Authorization" in asked.headers["access-control-allow-headers"]
        assert "Range" in asked.headers["access-control-allow-headers"]
        bearer = {"Origin": CENTRE, "Authorization": f"Bearer {node.ticket()}"}
        answer = await client.get("/api/v1/cameras", headers=bearer)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == CENTRE
        assert "Content-Range" in answer.headers["access-control-expose-headers"]
        refused = await client.get("/api/v1/cameras", headers={"Origin": CENTRE})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, CENTRE)
        for told in (asked, answer, refused):
            assert "access-control-allow-credentials" not in told.headers
            assert "Origin" in told.headers["vary"]


async def test_a_page_of_another_origin_reads_nothing(node: Node) -> None:
    async with node.client() as client:
        asked = await client.options("/api/v1/cameras", headers={"Origin": FOREIGN, **WISH})
        answer = await client.get(
            "/api/v1/cameras", headers={"Origin": FOREIGN, "Authorization": f"Bearer {node.ticket()}"}
        )
        for told in (asked, answer):
            assert not [name for name in told.headers if name.startswith("access-control-")]
            assert told.headers["vary"] == "Origin"


@pytest.mark.parametrize("kind", ["clip", "export"])
async def test_a_form_of_the_centres_page_brings_its_ticket_along_for_a_download(node: Node, kind: str) -> None:
    camera = node.add_camera()
    start = (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND
    await node.record(camera, 100, start)
    stretch = {"from": format_utc(start), "to": format_utc(start + seconds(3))}
    path = f"/api/v1/cameras/{camera}/{kind}"
    async with node.client() as client:
        taken = await client.post(path, params=stretch, data={"ticket": node.ticket()}, headers={"Origin": CENTRE})
        assert taken.status_code == 200
        assert taken.headers["content-disposition"].startswith("attachment")
        other = await client.post(path, params=stretch, data={"ticket": node.ticket()}, headers={"Origin": FOREIGN})
        assert other.status_code == 403
        # The cookie of somebody signed in here does not stand in for the ticket that the form lacks.
        cookies = {"Cookie": f"xomyen_session={node.ticket()}", "Origin": CENTRE}
        assert (await client.post(path, params=stretch, data={}, headers=cookies)).status_code == 401
        narrow = node.ticket(actions=(Action.LIVE, Action.PAST))
        refused = await client.post(path, params=stretch, data={"ticket": narrow}, headers={"Origin": CENTRE})
        assert refused.status_code == 403


async def test_a_page_that_renews_its_ticket_goes_on_watching_what_the_new_one_covers(node: Node) -> None:
    seen, taken_away = node.add_camera("one"), node.add_camera("two")
    both = node.ticket(actions=(Action.LIVE,), cameras=(seen, taken_away))
    async with live_page(node, both) as page:
        await page.say(type="watch", view=1, camera=seen)
        await page.say(type="watch", view=2, camera=taken_away)
        await page.hear("state", view=2, state="connecting")
        await page.say(type="ticket", ticket=node.ticket(actions=(Action.LIVE,), cameras=(seen,)))
        told = await page.hear("state", view=2, state="refused")
        assert told["reason"] == "camera_not_allowed"
        # Asked for again under the new ticket: it is covered.
        await page.say(type="watch", view=3, camera=seen)
        await page.hear("state", view=3, state="connecting")
        assert not [one for one in page.said if one.get("view") == 1 and one.get("state") == "refused"]


@pytest.mark.parametrize("change", [{"subject": "another"}, {"actions": (Action.PAST,)}])
async def test_a_page_cannot_go_on_as_somebody_else(node: Node, change: dict[str, object]) -> None:
    async with live_page(node, node.ticket(actions=(Action.LIVE,))) as page:
        await page.say(type="ticket", ticket=node.ticket(**{"actions": (Action.LIVE,), **change}))
        with pytest.raises(ConnectionClosed) as ended:
            await page.hear("state")
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4401
