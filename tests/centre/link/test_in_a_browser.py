"""A browser on the page of a camera: what came of saving appears by itself; nothing stands in anybody's way."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser import serious
from tests.centre.conftest import Province
from tests.centre.link.conftest import RealNode, now
from tests.waiting import wait_until

from xomyen.centre.cameras.models import Camera, Site
from xomyen.centre.cameras.widgets import MOST_SHOWN
from xomyen.centre.folding import fold
from xomyen.centre.link.apply import bring
from xomyen.centre.link.duty import look
from xomyen.centre.link.soon import soon

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_the_page_shows_by_itself_that_the_node_was_away_came_back_and_took_the_change(
    opened: Callable[..., Page], real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.go_away()
    page = opened(f"/cameras/{yard.pk}/edit/")
    page.get_by_label("Tên", exact=False).and_(page.locator("#id_name")).fill("Sân kho mới")
    page.get_by_role("button", name="Lưu", exact=True).click()
    state = page.locator("#state")
    expect(state).to_contain_text("Chờ đầu ghi kết nối lại")
    expect(state).to_contain_text("C30 Sân kho mới")
    assert serious(page) == []
    soon.finish()
    real_node.start()
    wait_until(lambda: look() or now(yard).standing == "in_force")
    expect(state).to_contain_text("Đã áp dụng")
    assert "C30 Sân kho mới" in real_node.cameras()


def test_pages_are_open_to_everybody_on_a_pc_and_on_a_telephone(
    opened: Callable[..., Page], real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    paths = [
        "/cameras/",
        f"/cameras/{yard.pk}/",
        f"/cameras/{yard.pk}/edit/",
        "/cameras/import/",
        f"/sites/{yard.site_id}/",
        "/recorders/",
        f"/recorders/{yard.node_id}/",
        f"/recorders/{yard.node_id}/discover/",
    ]
    for size in ({"width": 1366, "height": 768}, {"width": 390, "height": 844}):
        page = opened(paths[0], viewport=size)
        origin = page.url.removesuffix(paths[0])
        for path in paths:
            page.goto(origin + path)
            assert serious(page) == [], path
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path


def test_of_many_sites_one_is_found_by_typing_and_nothing_is_sent_by_that(
    opened: Callable[..., Page], province: Province
) -> None:
    Site.objects.bulk_create(
        Site(unit=province.group, code=f"N{number:03}", name=f"Ngõ {number}", folded=fold(f"N{number:03} Ngõ {number}"))
        for number in range(MOST_SHOWN + 5)
    )
    page = opened("/cameras/add/")
    page.get_by_label("Tìm trong danh sách").first.fill("ngo 44")
    expect(page.locator("#id_site option:checked")).to_contain_text("N044 Ngõ 44")
    page.keyboard.press("Enter")
    expect(page.locator("#id_site-found")).not_to_be_empty()
    assert page.url.endswith("/cameras/add/")
    assert serious(page) == []
