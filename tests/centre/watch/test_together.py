"""Several cameras side by side show the same moment of the past."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser import advanced, counter, serious, wall_ns
from tests.centre.conftest import Appoint
from tests.centre.watch.conftest import GATE, YARD, Watched
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role
from xomyen.terms.time import NS_PER_SECOND, SystemClock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Entered = Callable[[User], BrowserContext]


def _films(page: Page) -> list[Locator]:
    films = page.locator("xy-together xy-stage video")
    expect(films).to_have_count(2)
    return films.all()


def _apart_s(films: list[Locator]) -> float | None:
    """How far apart the moments on the screen are, by what is burnt into the pictures."""
    now = SystemClock().wall_ns()
    shown = [wall_ns(film, now) for film in films]
    times = [one for one in shown if one is not None]
    return (max(times) - min(times)) / NS_PER_SECOND if len(times) == len(films) else None


def test_two_cameras_are_looked_back_at_together_and_stay_together(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    person = appoint(Role.INVESTIGATOR, unit=watched.province.commune)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=300, seconds=60)
    page.get_by_role("button", name="Xem lại cùng lúc").click()
    page.get_by_role("button", name="Chọn tối đa 9 camera").click()
    page.get_by_role("navigation", name="Camera theo đơn vị").get_by_role("button", name=GATE).click()
    films = _films(page)
    page.get_by_role("button", name="−5 s").click()
    wait_until(lambda: (apart := _apart_s(films)) is not None and apart < 1.0, seconds=60)
    before = [counter(film) for film in films]
    page.get_by_role("button", name="Phát").click()
    for film, first in zip(films, before, strict=True):
        assert first is not None
        assert advanced(film, pictures=20) > first
    page.get_by_role("button", name="Tạm dừng").click()
    wait_until(lambda: (apart := _apart_s(films)) is not None and apart < 0.5, seconds=60)
    assert f"{watched.public.pk},{watched.private.pk}" in page.url
    assert serious(page) == []


def test_what_asks_for_a_purpose_asks_here_too_and_roles_without_the_past_do_not_come_here(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    kept = watched.public.camera_class
    kept.past_needs_purpose = True
    kept.save()
    page = entered(appoint(Role.INVESTIGATOR, unit=watched.province.commune)).new_page()
    address = f"{watched.url}/together?cameras={watched.public.pk},{watched.private.pk}"
    page.goto(address)
    page.get_by_label("Mục đích xem lại").fill("Xác minh vụ 0138")
    page.get_by_role("button", name="Xem lại", exact=True).click()
    assert len(_films(page)) == 2
    head = entered(appoint(Role.GROUP_HEAD, unit=watched.province.group)).new_page()
    answer = head.goto(address)
    assert answer is not None
    assert answer.status == 403
    head.goto(f"{watched.url}/live")
    expect(head.locator("xy-picture")).to_contain_text(YARD)
    expect(head.get_by_role("button", name="Xem lại cùng lúc")).to_have_count(0)
