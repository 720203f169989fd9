"""A site gets its position on a map, on the way from a found camera to the camera's form."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser import serious
from tests.centre.conftest import Province

from xomyen.centre.cameras.models import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_a_site_is_placed_by_a_click_on_the_map_or_with_the_arrow_keys(
    opened: Callable[..., Page], province: Province
) -> None:
    page = opened("/sites/add/?then=camera&model=XC-1")
    page.locator("#id_unit").select_option(str(province.group.pk))
    page.locator("#id_code").fill("S60")
    page.locator("#id_name").fill("Ngã ba mới")
    # The cameras there are help to find one's way.
    expect(page.locator(".place-map .site-name").first).to_be_visible()
    ground = page.locator(".place-map canvas")
    ground.click(position={"x": 150, "y": 200})
    latitude, longitude = page.locator("#id_latitude"), page.locator("#id_longitude")
    expect(latitude).to_have_value(re.compile(r"21\.03\d{4}"))
    expect(page.locator(".place-map .site-name", has_text="Điểm này")).to_be_visible()
    clicked = float(longitude.input_value())
    assert clicked < 106.08
    ground.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Chọn điểm giữa bản đồ").click()
    expect(longitude).not_to_have_value(f"{clicked:.6f}")
    assert serious(page) == []
    page.get_by_role("button", name="Lưu", exact=True).click()
    page.wait_for_url(re.compile("/cameras/add/"))
    # What was found of the camera comes along.
    expect(page.locator("#id_model")).to_have_value("XC-1")
    site = Site.objects.get(code="S60")
    assert (page.locator("#id_site").input_value(), round(site.latitude or 0, 2)) == (str(site.pk), 21.03)
