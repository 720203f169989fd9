"""A device with a grant gets tickets by its key alone; nobody else does, and nobody twice with one proof."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from tests.gateway_node import Node, running_node
from tests.live_page import page

from xomyen.access.device_proof import thumbprint
from xomyen.access.grants import grant_of, issue_grant
from xomyen.access.tickets import Action, Grant, ticket_for
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import NS_PER_SECOND

CENTRE = "https://centre.example"
SCREEN = "screen:019c0000-0000-7000-8000-000000000001"
PATH = "/api/v1/session/by-key"
DAY_S = 86_400


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path, origins=frozenset({CENTRE})) as running:
        yield running


class Device:
    """A television: its key, and what it signs."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))

    def grant(self, lifetime_s: int = 7 * DAY_S, issuer: SigningKey | None = None, **limits: Any) -> str:
        """As the centre issues one; by default for live pictures."""
        issuer = issuer or self.node.issuer
        allowed = Grant(subject=SCREEN, actions=(Action.LIVE,), **limits)
        node = self.node
        ticket = ticket_for(allowed, node=node.id, issuer=issuer, clock=node.clock, lifetime_s=lifetime_s)
        return issue_grant(issuer, grant_of(ticket, thumbprint(self.public)))

    def proof(self, grant: str, nonce: str | None = None, **changed: Any) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(grant.encode()).digest()).rstrip(b"=").decode()
        claims = {
            "jti": "1",
            "htm": "POST",
            "htu": self.node.address.url + PATH,
            "iat": 0,  # a television's clock
            "ath": digest,
            "nonce": nonce,
            **changed,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self.key, "ES256", headers={"typ": "dpop+jwt", "jwk": self.public})

    async def ask(self, grant: str, proof: str = "") -> httpx.Response:
        headers: Mapping[str, str] = {"Authorization": f"DPoP {grant}", "DPoP": proof, "Origin": CENTRE}
        async with self.node.client() as client:
            return await client.post(PATH, headers=headers)

    async def nonce(self, grant: str) -> str:
        answer = await self.ask(grant, self.proof(grant))
        assert (answer.status_code, answer.json()["code"]) == (401, "use_dpop_nonce")
        return answer.headers["DPoP-Nonce"]

    async def ticket(self, grant: str) -> str:
        answer = await self.ask(grant, self.proof(grant, await self.nonce(grant)))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        found: str = answer.json()["ticket"]
        return found


@pytest.fixture
def device(node: Node) -> Device:
    return Device(node)


def _claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


async def test_a_device_with_its_key_gets_a_short_ticket_for_what_was_granted(node: Node, device: Device) -> None:
    camera = node.add_camera()
    token = await device.ticket(device.grant(cameras=(camera,), greatest_width=640))
    claims = _claims(token)
    assert (claims["sub"], claims["cameras"], claims["width"], claims["actions"]) == (SCREEN, [camera], 640, ["live"])
    assert claims["exp"] - claims["iat"] == 600
    async with node.client(token) as client:
        assert (await client.get("/api/v1/session")).json()["subject"] == SCREEN


async def test_a_grant_alone_is_no_ticket_and_opens_nothing(node: Node, device: Device) -> None:
    grant = device.grant()
    async with node.client(grant) as client:
        assert (await client.get("/api/v1/session")).json()["code"] == "ticket_malformed"
    assert (await device.ask(grant)).json()["code"] == "invalid_dpop_proof"
    assert (await device.ask(node.ticket(), device.proof(node.ticket()))).json()["code"] == "ticket_malformed"


async def test_a_proof_counts_once(device: Device) -> None:
    grant = device.grant()
    proof = device.proof(grant, await device.nonce(grant))
    assert [(await device.ask(grant, proof)).status_code for _ in range(2)] == [200, 401]


async def test_a_proof_by_another_key_or_for_something_else_is_refused(node: Node, device: Device) -> None:
    grant, thief = device.grant(), Device(node)
    nonce = await device.nonce(grant)
    elsewhere = f"https://elsewhere.example{PATH}"
    wrong = [
        thief.proof(grant, nonce),
        device.proof(grant, nonce, htu=elsewhere),
        device.proof(grant, nonce, htm="GET"),
        device.proof(device.grant(lifetime_s=DAY_S), nonce),
        device.proof(grant, nonce)[:-4] + "AAAA",
        jwt.encode({"nonce": nonce}, "a shared secret of thirty-two bytes", headers={"typ": "dpop+jwt"}),
        "x" * 5000,
    ]
    for proof in wrong:
        assert (await device.ask(grant, proof)).json()["code"] == "invalid_dpop_proof"
    # It was not used up by these.
    assert (await device.ask(grant, device.proof(grant, nonce))).status_code == 200


async def test_a_key_that_is_no_point_of_the_curve_proves_nothing(node: Node, device: Device) -> None:
    device.public = {**device.public, "x": "A" * 42 + "A", "y": "A" * 42 + "E"}
    grant = device.grant()
    assert (await device.ask(grant, device.proof(grant, "AAAA"))).json()["code"] == "invalid_dpop_proof"


async def test_a_number_of_nobody_is_refused_and_another_is_given(device: Device) -> None:
    grant = device.grant()
    for nonce in ("", "AAAA", "A" * 43, "é"):
        answer = await device.ask(grant, device.proof(grant, nonce))
        assert answer.json()["code"] == "use_dpop_nonce"
        assert answer.headers["DPoP-Nonce"]


async def test_a_grant_of_an_unknown_issuer_or_one_that_has_run_out_gives_nothing(node: Node, device: Device) -> None:
    foreign = device.grant(issuer=SigningKey.generate())
    assert (await device.ask(foreign, device.proof(foreign))).json()["code"] == "ticket_issuer_unknown"
    allowed = Grant(subject=SCREEN, actions=(Action.LIVE,))
    old = ticket_for(allowed, node=node.id, issuer=node.issuer, clock=node.clock, lifetime_s=DAY_S)
    old = old.model_copy(update={"not_before_s": old.not_before_s - DAY_S, "expires_s": old.not_before_s})
    over = issue_grant(node.issuer, grant_of(old, thumbprint(device.public)))
    assert (await device.ask(over, device.proof(over))).json()["code"] == "ticket_expired"


async def test_the_end_of_a_screen_ends_its_grant_and_the_tickets_by_it_whatever_the_nodes_clock(
    node: Node, device: Device
) -> None:
    grant = device.grant()
    token = await device.ticket(grant)
    now_s = node.clock.wall_ns() // NS_PER_SECOND
    # The ticket bears the node's time; that of the grant counts.
    node.store.end([(SCREEN, _claims(grant)["iat"], now_s + 7 * DAY_S)])
    assert (await device.ask(grant, device.proof(grant))).json()["code"] == "ticket_revoked"
    async with node.client(token) as client:
        assert (await client.get("/api/v1/session")).json()["code"] == "ticket_revoked"


async def test_live_pictures_go_on_from_the_centres_ticket_to_the_nodes(node: Node, device: Device) -> None:
    camera = node.add_camera()
    first = node.ticket(subject=SCREEN, actions=(Action.LIVE,))
    async with page(node, first) as viewer:
        await viewer.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state")
        await viewer.say(type="ticket", ticket=await device.ticket(device.grant()))
        await viewer.say(type="watch", view=1, camera=camera, stream="main", codecs=["h264"])
        await viewer.hear("state")
        assert viewer.socket.close_code is None


async def test_the_page_of_the_centre_may_ask_so_and_read_the_number(node: Node, device: Device) -> None:
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,dpop"}
    async with node.client() as client:
        asked = await client.options(PATH, headers={"Origin": CENTRE, **wish})
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "DPoP" in asked.headers["access-control-allow-headers"]
    answer = await device.ask(device.grant(), device.proof(device.grant()))
    assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
