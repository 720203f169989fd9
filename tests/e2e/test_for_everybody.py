"""The pages in both languages, on a phone, for screen readers, and under the strict content policy."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser import advanced, open_context, serious, sign_in
from tests.e2e.conftest import MARKET, Commune
from tests.recorded_node import recorded_node
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


def open_wall(page: Page, commune: Commune) -> None:
    page.goto(f"{commune.url}/live")
    page.locator("xy-picture").first.wait_for()


def test_the_language_is_switched_and_remembered(page: Page) -> None:
    expect(page.get_by_role("heading", name="Màn hình giám sát")).to_be_visible()
    page.get_by_role("button", name="EN – Chuyển sang tiếng Anh").click()
    expect(page.get_by_role("heading", name="Live wall")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Live wall")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_no_page_breaks_the_content_policy_or_throws(commune: Commune, context: BrowserContext) -> None:
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None)
    open_wall(page, commune)
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    page.goto(commune.player(MARKET))
    page.locator("xy-timeline").wait_for()
    page.keyboard.press("i")
    page.locator("xy-clip").wait_for()
    page.locator("xy-timeline canvas").hover(position={"x": 300, "y": 60})
    advanced(page.locator("xy-picture video"))
    assert troubles == []


def test_axe_finds_nothing_serious(commune: Commune, browser: Browser, context: BrowserContext) -> None:
    stranger = open_context(browser)
    page = stranger.new_page()
    page.goto(f"{commune.url}/signin")
    page.get_by_role("button", name="Đăng nhập").wait_for()
    assert serious(page) == []
    stranger.close()
    page = context.new_page()
    open_wall(page, commune)
    assert serious(page) == []
    page.goto(commune.player(MARKET))
    page.locator("xy-timeline").wait_for()
    page.keyboard.press("i")
    page.locator("xy-clip").wait_for()
    assert serious(page) == []
    page.keyboard.press("g")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    wait_until(lambda: page.evaluate(_FOCUSED) is None)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
    page.goto(f"{commune.player(MARKET)}?at=2020-01-01T00:00:00Z")
    expect(page.get_by_role("heading", name="Không có bản ghi tại thời điểm này")).to_be_visible()
    assert serious(page) == []


# What has the focus now, through all shadow roots: its name, and whether a ring shows it.
_FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {
    name: at.getAttribute('aria-label') || at.title || at.textContent.trim(),
    ring: outline || style.boxShadow !== 'none',
    seen: box.width > 0 && box.height > 0,
  };
}"""


def tabbed(page: Page, stops: int) -> list[dict[str, Any]]:
    """The elements that Tab leads to, one after the other."""
    found = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        found.append(page.evaluate(_FOCUSED))
    return [one for one in found if one is not None]


def test_every_control_is_reached_by_tab_and_shows_that_it_is(page: Page, commune: Commune) -> None:
    on_the_wall = tabbed(page, 20)
    page.goto(commune.player(MARKET))
    page.locator("xy-timeline").wait_for()
    on_the_player = tabbed(page, 30)
    assert [one for one in on_the_wall + on_the_player if not (one["ring"] and one["seen"] and one["name"])] == []
    names = " | ".join(one["name"] for one in on_the_wall)
    assert all(name in names for name in (MARKET, "Toàn màn hình", "Phím tắt", "Đăng xuất"))
    names = " | ".join(one["name"] for one in on_the_player)
    assert all(name in names for name in ("Tạm dừng", "Dòng thời gian", "Trích xuất", "Về màn hình giám sát"))


def test_nothing_moves_for_those_who_asked_for_stillness(commune: Commune, browser: Browser) -> None:
    context = open_context(browser, storage_state=commune.session, reduced_motion="reduce")
    page = context.new_page()
    open_wall(page, commune)
    page.keyboard.press("?")
    moving = """() => document.getAnimations().filter(a => a.effect.getComputedTiming().duration > 0).length"""
    assert page.evaluate(moving) == 0
    context.close()


def test_without_cameras_there_is_nothing_to_lay_out_and_the_way_to_begin(tmp_path: Path, browser: Browser) -> None:
    with recorded_node(tmp_path) as node:
        context = open_context(browser, viewport={"width": 390, "height": 844})
        node.sign_in(context)
        page = context.new_page()
        page.goto(f"{node.url}/live")
        expect(page.get_by_role("heading", name="Chưa có camera")).to_be_visible()
        expect(page.get_by_text("xomyen camera add")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        middle = page.locator("xy-wall .middle").bounding_box()
        assert middle is not None
        assert middle["width"] <= 390
        page.set_viewport_size({"width": 1366, "height": 768})
        expect(page.get_by_role("group", name="Số hình")).to_have_count(0)
        context.close()


def test_on_a_phone_the_wall_is_a_list_of_cards_with_large_targets(commune: Commune, browser: Browser) -> None:
    context = open_context(
        browser, storage_state=commune.session, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    open_wall(page, commune)
    expect(page.locator("xy-cards button")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    advanced(page.locator("xy-cards video").first)
    page.locator("xy-cards button").first.tap()
    page.wait_for_url("**/camera/**")
    page.locator("xy-transport").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = page.locator("xy-transport button:visible").evaluate_all(
        "buttons => buttons.map(b => b.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert all(width >= 44 and height >= 44 for width, height in sizes), sizes
    context.close()


def test_an_unknown_camera_and_a_signed_out_session_say_what_to_do(commune: Commune, browser: Browser) -> None:
    # A session of its own: signing out ends it.
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, commune.node)
    page.goto(f"{commune.url}/camera/01900000-0000-7000-8000-000000000000")
    expect(page.get_by_role("heading", name="Không có camera này")).to_be_visible()
    page.goto(f"{commune.url}/live")
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    wait_until(lambda: page.request.get(f"{commune.url}/api/v1/session").status == 401)
    context.close()
