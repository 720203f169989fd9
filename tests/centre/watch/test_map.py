"""The map: sites and how their cameras are, on plain ground or the operator's own map, and as a list."""

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, expect
from tests.browser import advanced, serious
from tests.centre.conftest import Appoint, Province
from tests.centre.watch.conftest import YARD, Watched
from tests.pmtiles_file import map_of_water
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Site
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import places

Entered = Callable[[User], BrowserContext]
SignedIn = Callable[[User], Client]
WATER = (0x0D, 0x24, 0x30)  # as `map-drawing.ts` draws it


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_very_many_are_counted_and_one_that_is_found_is_shown_alone_with_its_picture(
    watched: Watched, appoint: Appoint, entered: Entered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_DRAWN", 1)
    Site.objects.filter(cameras=watched.private).update(latitude=21.3, longitude=106.4)
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    page.goto(f"{watched.url}/map")
    expect(page.get_by_role("button", name="Thôn Đông")).to_contain_text("2 điểm · 2 camera")
    expect(page.locator(".bunch-name")).to_have_text(["1", "1"])
    assert serious(page) == []
    page.get_by_role("searchbox").fill("san nha")
    page.get_by_role("button", name=f"Điểm {YARD}").click()
    expect(page.locator(".site-name")).to_have_text([f"Điểm {YARD}"])
    advanced(page.get_by_role("region", name=f"Điểm {YARD}").locator("video"), pictures=5)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Xem toàn bộ").click()
    expect(page.locator(".bunch-name")).to_have_count(2)


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_sites_are_drawn_with_their_state_and_a_live_picture_is_one_click_away(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.goto(f"{watched.url}/map")
    site = page.get_by_role("button", name=f"Điểm {YARD}")
    expect(site).to_have_class("site live")
    page.locator(".map-ground canvas.maplibregl-canvas").wait_for()
    # What is drawn is drawn in sight: the whole side, with the name beside its point.
    expect(page.locator(".site-name").first).to_be_visible()
    box = page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    assert box["height"] > 600
    site.click()
    card = page.get_by_role("region", name=f"Điểm {YARD}")
    advanced(card.locator("video"), pictures=5)
    assert serious(page) == []
    assert [text for text in told if "Content Security Policy" in text] == []
    page.get_by_role("searchbox").fill("cong ho")
    expect(page.locator(".map-list .site")).to_have_count(1)
    card.get_by_role("link", name="Xem", exact=True).click()
    page.wait_for_url(f"**/camera/{watched.public.pk}")


def test_the_map_tells_of_places_of_ones_own_units_alone(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    province.public.azimuth_deg = 45
    province.public.save()
    auditor = signed_in(appoint(Role.AUDITOR, unit=province.commune))
    assert auditor.get("/map").status_code == 200
    sites = auditor.get("/watch/map/places").json()["sites"]
    cameras = {camera["code"]: camera for site in sites for camera in site["cameras"]}
    assert set(cameras) == {"C01", "C14", "C21"}
    assert (cameras["C14"]["azimuth"], cameras["C14"]["watched"]) == (45, False)
    nobody = signed_in(appoint())
    assert nobody.get("/watch/map/places").status_code == 403


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_operators_map_is_drawn_under_the_sites(
    watched: Watched, appoint: Appoint, entered: Entered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "map.pmtiles"
    file.write_bytes(map_of_water())
    monkeypatch.setattr(settings, "CENTRE", settings.CENTRE.model_copy(update={"map_file": file}))
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    page.goto(f"{watched.url}/map")
    ground = page.locator("canvas.maplibregl-canvas")
    wait_until(lambda: _commonest(ground.screenshot()) == WATER, seconds=60)
    expect(page.locator(".site-name").first).to_be_visible()


def _commonest(png: bytes) -> tuple[int, ...]:
    """The colour of most of a picture."""
    with av.open(io.BytesIO(png)) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgb24").reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return tuple(int(part) for part in colours[counts.argmax()])


def test_the_operators_map_is_read_in_pieces(
    province: Province, appoint: Appoint, signed_in: SignedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert client.get("/watch/map/tiles").status_code == 404
    file = tmp_path / "map.pmtiles"
    file.write_bytes(bytes(range(256)) * 4)
    monkeypatch.setattr(settings, "CENTRE", settings.CENTRE.model_copy(update={"map_file": file}))
    part = client.get("/watch/map/tiles", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.headers["Content-Range"]) == (206, "bytes 10-19/1024")
    assert b"".join(part) == bytes(range(10, 20))
    assert client.get("/watch/map/tiles", headers={"Range": "bytes=2000-"}).status_code == 416
    assert len(b"".join(client.get("/watch/map/tiles"))) == 1024
