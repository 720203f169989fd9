"""The pages in both languages, on a phone, for screen readers, and under the strict content policy."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, open_context, sign_in
from tests.e2e.conftest import MARKET, Commune
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with the element it means."""
    # Put in as the test's own script: the content policy of the page allows no foreign ones.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_the_language_is_switched_and_remembered(page: Page) -> None:
    expect(page.get_by_role("heading", name="Màn hình giám sát")).to_be_visible()
    page.get_by_role("button", name="EN – Chuyển sang tiếng Anh").click()
    expect(page.get_by_role("heading", name="Live wall")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Live wall")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_no_page_breaks_the_content_policy_or_throws(commune: Commune, browser: Browser) -> None:
    context = open_context(browser)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None)
    sign_in(page, commune.node)
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    page.goto(f"{commune.node.url}/camera/{commune.node.camera(MARKET)['id']}")
    page.locator("xy-timeline").wait_for()
    page.keyboard.press("i")
    page.locator("xy-clip").wait_for()
    page.locator("xy-timeline canvas").hover(position={"x": 300, "y": 60})
    advanced(page.locator("xy-picture video"))
    context.close()
    assert troubles == []


def test_axe_finds_nothing_serious(commune: Commune, browser: Browser) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{commune.node.url}/signin")
    page.get_by_role("button", name="Đăng nhập").wait_for()
    assert serious(page) == []
    sign_in(page, commune.node)
    assert serious(page) == []
    page.goto(f"{commune.node.url}/camera/{commune.node.camera(MARKET)['id']}")
    page.locator("xy-timeline").wait_for()
    page.keyboard.press("i")
    page.locator("xy-clip").wait_for()
    assert serious(page) == []
    context.close()


def test_on_a_phone_the_wall_is_a_list_of_cards_with_large_targets(commune: Commune, browser: Browser) -> None:
    context = open_context(browser, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    sign_in(page, commune.node)
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


def test_an_unknown_camera_and_a_signed_out_session_say_what_to_do(page: Page, commune: Commune) -> None:
    page.goto(f"{commune.node.url}/camera/01900000-0000-7000-8000-000000000000")
    expect(page.get_by_role("heading", name="Không có camera này")).to_be_visible()
    page.goto(f"{commune.node.url}/live")
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    wait_until(lambda: page.request.get(f"{commune.node.url}/api/v1/session").status == 401, seconds=30)
