"""The Caddyfile we give as an example, before a centre and a node that run."""

import asyncio
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.centre.operation.conftest import OWN, python, running_centre
from tests.running_node import running_node
from tests.waiting import wait_until
from websockets.asyncio.client import connect
from websockets.typing import Origin

from xomyen.centre.configuration import CentreFolder
from xomyen.terms.folder import NodeFolder

pytestmark = pytest.mark.timeout(300)
EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "Caddyfile"
SPOOFED = "203.0.113.9"


@dataclass(frozen=True)
class Box:
    """A centre and a node behind Caddy."""

    folder: Path  # the centre's
    pages: str
    pictures: str
    link: str  # that signs in at the node, as the node knows itself
    token: str  # a ticket of the node
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    root = tmp_path_factory.mktemp("caddy")
    outer = _free_ports(3)
    pages, pictures = (f"https://localhost:{port}" for port in outer[:2])
    inner = outer[2]
    node, centre = NodeFolder(root / "node"), CentreFolder(root / "centre")
    for folder, text in (
        (node.settings, f'behind_tls = true\norigins = ["{pages}"]\n'),
        (centre.settings, 'behind_tls = true\nhosts = ["localhost"]\n'),
    ):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text(text)
    with (
        running_node(node.root) as recorder,
        running_centre(centre.root, "--listen", f"127.0.0.1:{inner}"),
        _caddy(root, {pages: inner, pictures: urlsplit(recorder.url).port}) as authority,
    ):
        trust = ssl.create_default_context(cafile=authority)
        yield Box(centre.root, pages, pictures, recorder.link, recorder.ticket(), trust)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def _caddy(root: Path, ways: dict[str, int | None]) -> Iterator[Path]:
    """Caddy with our example, its names and ports exchanged for this machine's; its authority's certificate."""
    text = EXAMPLE.read_text()
    for (name, port), (outer, inner) in zip(
        re.findall(r"^([a-z.]+) \{\s+reverse_proxy 127\.0\.0\.1:(\d+)", text, re.MULTILINE), ways.items(), strict=True
    ):
        text = text.replace(f"\n{name} {{", f"\n{outer} {{\n\tbind 127.0.0.1").replace(
            f"127.0.0.1:{port}", f"127.0.0.1:{inner}"
        )
    # No certificate authority of the world can be asked here; nothing else listens, nothing is installed.
    options = "{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    (root / "Caddyfile").write_text(options + text)
    home = {"HOME": str(root / "home"), "XDG_DATA_HOME": str(root / "data"), "XDG_CONFIG_HOME": str(root / "config")}
    with (root / "caddy.log").open("w") as log:
        command = ["caddy", "run", "--config", str(root / "Caddyfile"), "--adapter", "caddyfile"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**OWN, **home})
    try:
        authority = root / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        wait_until(lambda: authority.exists() and all(map(_answers, ways)), seconds=60)
        yield authority
    finally:
        process.terminate()
        process.wait(60)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, verify=False, timeout=60).status_code < 500  # it is told nothing
    except httpx.HTTPError:
        return False


def test_pages_come_over_tls_and_forms_are_taken(box: Box) -> None:
    with httpx.Client(base_url=box.pages, verify=box.trust, timeout=60) as client:
        page = client.get("/account/login/")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"].startswith("max-age=")
        cookies = page.headers.get_list("set-cookie")
        assert cookies
        assert all("secure" in cookie.lower() for cookie in cookies)
        code = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert code is not None
        # A header that a client made up names nobody's address.
        headers = {"Origin": box.pages, "Referer": f"{box.pages}/account/login/", "X-Forwarded-For": SPOOFED}
        form = {"login": "nobody", "password": "wrong password here", "csrfmiddlewaretoken": code[1]}
        answer = client.post("/account/login/", data=form, headers=headers)
        assert answer.status_code == 200, answer.text[:500]
        headers["Origin"] = "https://elsewhere.example"
        assert client.post("/account/login/", data=form, headers=headers).status_code == 403
    query = "from xomyen.centre.audit.models import Record\n"
    query += "print(set(Record.objects.exclude(address='').values_list('address', flat=True)))"
    assert python(query, box.folder).strip() == "{'127.0.0.1'}"


def test_a_link_made_on_the_machine_leads_through_the_proxy(box: Box) -> None:
    with httpx.Client(base_url=box.pictures, verify=box.trust, timeout=60) as client:
        code = box.link.partition("#")[2]
        answer = client.post("/api/v1/session", json={"code": code}, headers={"Origin": box.pictures})
        assert answer.status_code == 200, answer.text
        assert "secure" in answer.headers["set-cookie"].lower()
        assert client.get("/api/v1/session").status_code == 200


async def test_live_pictures_of_the_recorder_pass_for_the_centres_pages_and_no_others(box: Box) -> None:
    url = box.pictures.replace("https", "wss", 1) + "/api/v1/live"
    async with connect(url, ssl=box.trust, origin=Origin(box.pages)) as live:
        await live.send(json.dumps({"type": "hello", "ticket": box.token}))
        assert json.loads(await asyncio.wait_for(live.recv(), 60))["type"] == "ready"
    async with httpx.AsyncClient(base_url=box.pictures, verify=box.trust, timeout=60) as client:
        bearer = {"Authorization": f"Bearer {box.token}"}
        allowed = await client.get("/api/v1/cameras", headers={**bearer, "Origin": box.pages})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, box.pages)
        other = await client.get("/api/v1/cameras", headers={**bearer, "Origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in other.headers
