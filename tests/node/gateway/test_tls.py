"""The gateway's own TLS, with a certificate made for the test."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.certificates import self_signed
from websockets.asyncio.client import connect

from xomyen.access.store import AccessStore
from xomyen.access.tickets import Action, Grant
from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.server import BusServer
from xomyen.node.gateway.server import Address
from xomyen.node.gateway_process import gateway
from xomyen.node.home import prepare
from xomyen.node.supervisor import known_to_gateway
from xomyen.proof.keys import SigningKey
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings
from xomyen.terms.time import SystemClock


@asynccontextmanager
async def _node(root: Path) -> AsyncIterator[NodeFolder]:
    """A folder whose bus runs."""
    folder = NodeFolder(root / "node")
    node = prepare(folder)
    async with BusServer(folder, node):
        async with connected(folder, "test") as bus:
            await prepare_streams(bus, node)
        yield folder


@asynccontextmanager
async def _served(folder: NodeFolder, settings: Settings) -> AsyncIterator[Address]:
    async with gateway(folder, settings, "127.0.0.1:0", lambda: None) as address:
        yield address


async def test_over_tls_sessions_are_secure_and_live_pictures_travel_too(tmp_path: Path) -> None:
    node = self_signed(tmp_path, "node")
    trust = ssl.create_default_context(cafile=node.certificate)
    settings = Settings(tls_certificate=node.certificate, tls_key=node.key)
    async with _node(tmp_path) as folder, _served(folder, settings) as address:
        assert address.url.startswith("https://127.0.0.1:")
        code = _code(folder)
        async with httpx.AsyncClient(base_url=address.url, verify=trust, timeout=60) as client:
            answer = await client.post("/api/v1/session", json={"code": code})
            assert answer.status_code == 200, answer.text
            words = {word.strip().lower() for word in answer.headers["set-cookie"].split(";")}
            assert {"secure", "httponly", "samesite=strict", "path=/"} <= words
            assert not [word for word in words if word.startswith("domain")]
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
            assert (await client.get("/api/v1/session")).json()["subject"] == "trực ban"
            token = client.cookies["__Host-xomyen_session"]
            gone = await client.delete("/api/v1/session")
            assert "secure" in {word.strip().lower() for word in gone.headers["set-cookie"].split(";")}
            code = _code(folder)
            token = (await client.post("/api/v1/session", json={"code": code})).cookies["__Host-xomyen_session"]
        url = address.url.replace("https", "wss", 1) + "/api/v1/live"
        headers = {"Cookie": f"__Host-xomyen_session={token}"}
        async with connect(url, ssl=trust, additional_headers=headers, origin=address.url) as socket:
            await socket.send(json.dumps({"type": "hello"}))
            assert json.loads(await asyncio.wait_for(socket.recv(), 60))["type"] == "ready"


def _code(folder: NodeFolder) -> str:
    with AccessStore(folder.access, SystemClock()) as store:
        return store.new_sign_in_code(Grant(subject="trực ban", actions=tuple(Action)))


async def test_a_port_with_tls_says_nothing_without_it_and_nothing_older(tmp_path: Path) -> None:
    node = self_signed(tmp_path, "node")
    settings = Settings(tls_certificate=node.certificate, tls_key=node.key)
    async with _node(tmp_path) as folder, _served(folder, settings) as address:
        async with httpx.AsyncClient(timeout=60) as client:
            with pytest.raises(httpx.HTTPError):
                await client.get(f"http://127.0.0.1:{address.port}/")
        old = ssl.create_default_context(cafile=node.certificate)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(verify=old, timeout=60) as client:
            with pytest.raises(httpx.HTTPError):
                await client.get(address.url)


async def test_behind_a_proxy_that_ends_tls_the_cookie_is_secure_as_well(tmp_path: Path) -> None:
    async with (
        _node(tmp_path) as folder,
        _served(folder, Settings(behind_tls=True, hsts_subdomains=False)) as address,
        httpx.AsyncClient(base_url=address.url, timeout=60) as client,
    ):
        answer = await client.post("/api/v1/session", json={"code": _code(folder)})
        assert "secure" in {word.strip().lower() for word in answer.headers["set-cookie"].split(";")}
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        # What plain HTTP or another host could have set is nobody's session.
        planted = {"Cookie": f"xomyen_session={answer.cookies['__Host-xomyen_session']}"}
        client.cookies.clear()
        assert (await client.get("/api/v1/session", headers=planted)).status_code == 401


async def test_it_says_which_keys_and_pages_it_knows_of_others(tmp_path: Path) -> None:
    key = SigningKey.generate().public
    async with _node(tmp_path) as folder:
        folder.issuers.mkdir(parents=True)
        (folder.issuers / "centre.pem").write_bytes(key.pem)
        folder.centre_pages.write_text("https://xa.example\n")
        async with _served(folder, Settings(origins=("https://province.example",))):
            (folder.issuers / "centre.pem").write_bytes(SigningKey.generate().public.pem)
            assert known_to_gateway(folder) == {key.fingerprint, "https://xa.example", "https://province.example"}


@pytest.mark.parametrize("wrong", ["one alone", "no such file", "no PEM", "of another"])
async def test_a_certificate_that_cannot_be_used_is_told_before_anything_listens(tmp_path: Path, wrong: str) -> None:
    node = self_signed(tmp_path, "node")
    values: dict[str, Path | None] = {"tls_certificate": node.certificate, "tls_key": node.key}
    if wrong == "one alone":
        values["tls_key"] = None
    elif wrong == "no such file":
        values["tls_key"] = tmp_path / "none.key"
    elif wrong == "no PEM":
        node.certificate.write_text("nothing")
    else:
        values["tls_key"] = self_signed(tmp_path, "other").key
    async with _node(tmp_path) as folder:
        with pytest.raises(InvalidConfiguration, match="tls_"):
            async with asyncio.timeout(60), _served(folder, Settings(**values)):
                pass  # it must not come so far
        assert not (folder.run / "gateway.json").exists()
