"""The web's files and the parts of the gateway that need no node."""

import gzip
from pathlib import Path

import httpx
import pytest

from xomyen.node.gateway.pages import Pages
from xomyen.node.gateway.problems import TooMany
from xomyen.node.gateway.ranges import parse_range
from xomyen.node.gateway.throttle import Throttle
from xomyen.terms.time import NS_PER_SECOND, ManualClock


def client_of(folder: Path) -> httpx.AsyncClient:
    """Asks the pages directly, without a server between."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(Pages(folder)), base_url="http://node")


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Xóm Yên</title>")
    script = b"export const name = 'xomyen';" * 100
    (folder / "assets" / "index-DiwrgTda.js").write_bytes(script)
    (folder / "assets" / "index-DiwrgTda.js.gz").write_bytes(gzip.compress(script))
    (tmp_path / "secret.pem").write_text("secret")
    return folder


async def test_assets_are_kept_for_a_year_and_pages_are_asked_for_each_time(web: Path) -> None:
    client = client_of(web)
    page = await client.get("/")
    assert page.text.startswith("<!doctype html>")
    assert page.headers["Cache-Control"] == "no-cache"
    assert (await client.get("/", headers={"If-None-Match": page.headers["ETag"]})).status_code == 304
    asset = await client.get("/assets/index-DiwrgTda.js", headers={"Accept-Encoding": "identity"})
    assert "immutable" in asset.headers["Cache-Control"]
    assert asset.headers["content-type"].startswith("text/javascript")
    packed = await client.get("/assets/index-DiwrgTda.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == asset.content
    assert int(packed.headers["Content-Length"]) < len(asset.content)


async def test_an_address_of_the_page_gets_the_page_and_a_missing_file_does_not(web: Path) -> None:
    client = client_of(web)
    assert (await client.get("/signin")).text.startswith("<!doctype html>")
    assert (await client.get("/camera/1/2026-11-21")).text.startswith("<!doctype html>")
    assert (await client.get("/assets/gone-DiwrgTda.js")).status_code == 404
    assert (await client.get("/api/v1/other")).json()["code"] == "not_found"
    assert (await client.post("/")).status_code == 405


@pytest.mark.parametrize(
    "path", ["/../secret.pem", "/..%2fsecret.pem", "/assets/..%2f..%2fsecret.pem", "/.env", "/%00"]
)
async def test_nothing_outside_the_folder_is_served(web: Path, path: str) -> None:
    assert "secret" not in (await client_of(web).get(path)).text


async def test_without_built_pages_the_answer_says_so(tmp_path: Path) -> None:
    assert (await client_of(tmp_path / "none").get("/")).json()["code"] == "web_missing"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=-", None),
    ],
)
def test_ranges_are_read_as_rfc_9110_says(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_body_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(ValueError, match=r"end|suffix"):
        parse_range(header, 100)


def test_a_throttle_lets_a_burst_through_and_then_one_at_a_time() -> None:
    clock = ManualClock()
    throttle = Throttle(clock, burst=2, seconds=10)
    throttle.take("one")
    throttle.take("one")
    throttle.take("other")
    with pytest.raises(TooMany):
        throttle.take("one")
    clock.advance(10 * NS_PER_SECOND)
    throttle.take("one")
    with pytest.raises(TooMany) as refused:
        throttle.take("one")
    assert refused.value.retry_after_s == 11


def test_all_addresses_of_an_ipv6_network_try_as_one() -> None:
    throttle = Throttle(ManualClock(), burst=2, seconds=10)
    throttle.take("2001:db8::1")
    throttle.take("2001:db8::2")
    with pytest.raises(TooMany):
        throttle.take("2001:db8::3")
    for other in ("2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1", ""):
        throttle.take(other)
    with pytest.raises(TooMany):
        throttle.take("192.0.2.1")
