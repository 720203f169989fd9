"""The player of the centre: the past, clips and signed packages of a camera, straight from its node."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser import advanced, counter, deck_state, film, serious
from tests.centre.conftest import Appoint
from tests.centre.watch.conftest import YARD, Watched, end_at
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import Bookmark
from xomyen.centre.watch.services import watched as watched_by
from xomyen.centre.watch.tickets import Use, Wish, give
from xomyen.terms.time import NS_PER_SECOND, SystemClock, format_utc

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Entered = Callable[[User], BrowserContext]


def _past(page: Page) -> None:
    """Goes five seconds back and waits for a picture of the recording."""
    page.get_by_role("button", name="Lùi 5 giây").click()
    wait_until(lambda: deck_state(page) in ("ready", "end"), seconds=60)
    wait_until(lambda: counter(film(page)) is not None, seconds=60)


def test_from_live_into_the_past_and_out_with_a_clip(
    watched: Watched, appoint: Appoint, entered: Entered, tmp_path: Any
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=watched.province.commune)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=150)
    _past(page)
    assert page.locator("xy-stage xy-watermark").evaluate("mark => mark.text").startswith(person.full_name)
    page.keyboard.press("Space")
    page.keyboard.press("i")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Tải đoạn trích xuất").click()
    assert coming.value.suggested_filename.endswith(".mp4")
    assert coming.value.path().stat().st_size > 10_000
    with page.expect_download() as coming:
        page.locator("xy-clip button.outlined").last.click()
    assert coming.value.suggested_filename.endswith(".zip")
    assert "ticket" not in coming.value.url
    assert serious(page) == []


def test_where_the_class_wants_it_the_past_opens_once_a_purpose_is_given(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    kept = watched.public.camera_class
    kept.past_needs_purpose = True
    kept.save()
    person = appoint(Role.INVESTIGATOR, unit=watched.province.commune)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=60)
    expect(page.locator("xy-timeline")).to_have_count(0)
    field = page.get_by_label("Mục đích xem lại")
    field.fill("xem")
    field.press("Enter")
    expect(page.get_by_text("ít nhất 5 ký tự")).to_be_visible()
    field.fill("Xác minh vụ 0138")
    field.press("Enter")
    expect(page.locator("xy-timeline")).to_be_visible()
    _past(page)
    # What was given has ended: the page asks for other tickets, and goes on with the past for what was said.
    with page.expect_response("**/watch/tickets", timeout=60_000):
        end_at(watched.node, f"user:{person.pk}")
    expect(page.locator("xy-timeline")).to_be_visible()
    _past(page)


def test_a_moment_is_bookmarked_and_found_again(watched: Watched, appoint: Appoint, entered: Entered) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=watched.province.commune)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=100)
    _past(page)
    page.keyboard.press("?")
    expect(page.locator("xy-keys dd", has_text="Đánh dấu")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.get_by_label("Ghi chú").fill("Xe máy dựng giữa đường")
    page.get_by_role("button", name="Lưu đánh dấu").click()
    expect(page.get_by_role("button", name="Xe máy dựng giữa đường").first).to_be_visible()
    mark = Bookmark.objects.get()
    assert (str(mark.camera_id), mark.made_by) == (watched.public.pk, person)
    page.goto(f"{watched.url}/bookmarks?q=may")
    page.get_by_role("cell", name="Xe máy dựng giữa đường").wait_for()
    assert serious(page) == []
    page.locator("tbody a").click()
    page.wait_for_url("**/camera/**")
    wait_until(lambda: deck_state(page) in ("ready", "end"), seconds=60)


def test_the_node_refuses_the_head_of_a_group_all_but_reduced_live_pictures_of_its_public_cameras(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    head = appoint(Role.GROUP_HEAD, unit=watched.province.group)
    page = entered(head).new_page()
    page.goto(f"{watched.url}/live")
    advanced(page.locator("xy-picture video"), pictures=10)
    expect(page.locator("xy-picture")).to_have_count(1)
    expect(page.locator("xy-picture")).to_contain_text(YARD)
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=10)
    expect(page.locator("xy-timeline")).to_have_count(0)
    assert page.goto(f"{watched.url}/camera/{watched.private.pk}").status == 404  # type: ignore[union-attr]
    (given,) = give(head, watched_by(head), Wish(Use.PAST)).tickets
    now = SystemClock().wall_ns()
    stretch = {"from": format_utc(now - 20 * NS_PER_SECOND), "to": format_utc(now - 10 * NS_PER_SECOND)}
    bearer = {"Authorization": f"Bearer {given.token}"}
    with httpx.Client(base_url=watched.node.url, headers=bearer, timeout=60) as node:
        own, other = (f"/api/v1/cameras/{one.pk}" for one in (watched.public, watched.private))
        for path in ("timeline", "clip", "export", "main/index.m3u8"):
            refused = node.get(f"{own}/{path}", params=stretch)
            assert (refused.status_code, refused.json()["code"]) == (403, "action_not_allowed")
        still = node.get(f"{own}/still", params={"at": stretch["from"]})
        assert (still.status_code, still.json()["code"]) == (403, "action_not_allowed")
        assert node.get(f"{other}/timeline", params=stretch).status_code == 403
        assert [camera["id"] for camera in node.get("/api/v1/cameras").json()["cameras"]] == [str(watched.public.pk)]


def test_the_security_team_keeps_a_picture_of_what_it_sees_now_and_has_no_past(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    person = appoint(Role.SECURITY_TEAM, unit=watched.province.group)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/camera/{watched.public.pk}")
    advanced(page.locator("xy-picture video"), pictures=10)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Lưu ảnh").click()
    assert coming.value.suggested_filename.startswith(YARD)
    assert coming.value.path().read_bytes().startswith(b"\xff\xd8")
    expect(page.get_by_role("button", name="Lùi 5 giây")).to_be_disabled()
    assert serious(page) == []


def test_while_the_node_is_away_the_player_says_so_and_not_what_the_person_may_not(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.other_commune)).new_page()
    page.goto(f"{watched.url}/camera/{watched.province.secret.pk}")
    expect(page.get_by_text("chưa xem lại được")).to_be_visible()
    expect(page.get_by_text("chỉ được xem trực tiếp")).to_have_count(0)
