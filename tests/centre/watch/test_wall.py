"""The wall of the centre: pictures of the cameras one may see, straight from their node."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.browser import advanced, picture_of, serious, state_of
from tests.centre.conftest import Appoint, make_camera
from tests.centre.watch.conftest import GATE, YARD, Watched, end_at
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Node
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import tickets
from xomyen.centre.watch.models import Layout

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Entered = Callable[[User], BrowserContext]


def test_a_duty_officer_sees_the_cameras_of_the_commune_live(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=watched.province.commune)
    page = entered(person).new_page()
    page.goto(f"{watched.url}/live")
    for name in (YARD, GATE):
        picture = picture_of(page, name)
        advanced(picture.locator("video"), pictures=10)
        wait_until(lambda picture=picture: state_of(picture) == "live", seconds=60)
    # On a busy machine the first may be late again by the time the second is there.
    expect(page.locator("xy-wall .count")).to_contain_text("2/2", timeout=60_000)
    assert picture_of(page, YARD).locator("xy-watermark").evaluate("mark => mark.text").startswith(person.full_name)
    assert serious(page) == []


def test_cameras_are_found_without_tone_marks_and_shown_large(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    page.goto(f"{watched.url}/live")
    page.get_by_role("button", name="Danh sách camera").click()
    tree = page.get_by_role("navigation", name="Camera theo đơn vị")
    expect(tree.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("searchbox").fill("cong ho")
    expect(tree.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".big xy-picture")).to_contain_text(GATE)
    page.get_by_role("searchbox").fill("thon dong")
    expect(tree.get_by_role("listitem")).to_have_count(2)
    tree.get_by_role("button", name="Đưa lên màn hình: Thôn Đông").click()
    expect(page.get_by_label("Bố cục đã lưu")).to_have_value("passing")
    expect(page.locator("xy-wall xy-picture")).to_have_count(2)
    page.get_by_role("searchbox").fill("khong co gi nhu vay")
    expect(tree.get_by_text("Không tìm thấy camera nào")).to_be_visible()
    assert serious(page) == []


def test_a_commander_saves_a_layout_that_everybody_at_the_post_can_choose(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    page = entered(appoint(Role.DUTY_COMMANDER, post=watched.province.duty_room)).new_page()
    page.goto(f"{watched.url}/live")
    expect(page.locator("xy-picture")).to_have_count(2)
    page.keyboard.press("1")
    expect(page.locator("xy-picture")).to_have_count(1)
    page.get_by_role("button", name="Lưu bố cục").click()
    page.get_by_label("Tên bố cục").fill("Đêm")
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.get_by_text("Đã lưu bố cục “Đêm”.")).to_be_visible()
    saved = Layout.objects.get()
    assert (saved.post, saved.name, saved.size) == (watched.province.duty_room, "Đêm", 1)
    assert saved.cells == [str(watched.public.pk), str(watched.private.pk)]
    other = entered(appoint(Role.DUTY_OFFICER, post=watched.province.duty_room)).new_page()
    other.goto(f"{watched.url}/live")
    expect(other.locator("xy-picture")).to_have_count(2)
    other.get_by_label("Bố cục đã lưu").select_option(label="Đêm")
    expect(other.locator("xy-picture")).to_have_count(1)
    advanced(picture_of(other, YARD).locator("video"), pictures=5)
    expect(other.get_by_role("button", name="Lưu bố cục")).to_have_count(0)


def test_on_a_phone_the_menu_and_the_cameras_are_within_reach(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{watched.url}/live")
    advanced(picture_of(page, YARD).locator("video"), pictures=5)
    page.get_by_role("button", name="Menu").or_(page.get_by_role("button", name="Trình đơn")).click()
    expect(page.get_by_role("link", name="Xem trực tiếp")).to_be_visible()
    assert serious(page) == []
    # Nothing speaks against installing it as an app, but that the windows of tests are private ones.
    errors = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] == ["in-incognito"]


def test_a_camera_whose_node_is_away_stands_on_the_wall_and_says_so(
    watched: Watched, appoint: Appoint, entered: Entered
) -> None:
    away = Node.objects.create(unit=watched.province.commune, name="Đầu ghi xa", address="http://127.0.0.1:9")
    make_camera(watched.province.group, away, "C30", "Đầu đê")
    page = entered(appoint(Role.DUTY_OFFICER, unit=watched.province.commune)).new_page()
    page.goto(f"{watched.url}/live")
    lost = picture_of(page, "Đầu đê")
    wait_until(lambda: state_of(lost) == "lost", seconds=60)
    expect(lost.locator(".over")).to_contain_text("Mất tín hiệu")
    wait_until(lambda: state_of(picture_of(page, YARD)) == "live", seconds=60)


def test_a_wall_goes_on_over_the_end_of_its_tickets_and_ends_with_the_role(
    watched: Watched, appoint: Appoint, entered: Entered, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Renewed when three fifths are over: eight seconds are left for that.
    monkeypatch.setattr(tickets, "LIFETIME_S", 20)
    person = appoint(Role.DUTY_OFFICER, unit=watched.province.commune)
    page = entered(person).new_page()
    closed: list[str] = []
    page.on("websocket", lambda socket: socket.on("close", lambda _: closed.append(socket.url)))
    page.goto(f"{watched.url}/live")
    film = picture_of(page, YARD).locator("video")
    advanced(film, pictures=10)
    page.evaluate("window.sameDocument = true")
    # Twenty-five pictures a second: more than the life of the first ticket.
    advanced(film, pictures=525, seconds=120)
    assert closed == []
    # Longer ones, so that none is fetched but because of an end.
    monkeypatch.setattr(tickets, "LIFETIME_S", 600)
    with page.expect_response("**/watch/tickets"):
        pass
    site = watched.private.site
    site.unit = watched.province.other_commune
    site.save()
    with page.expect_response("**/watch/tickets", timeout=60_000):
        end_at(watched.node, f"user:{person.pk}")
    expect(picture_of(page, GATE)).to_have_count(0)
    advanced(film, pictures=10, seconds=60)
    assert page.evaluate("window.sameDocument")
    person.appointments.all().delete()
    end_at(watched.node, f"user:{person.pk}")
    expect(page.locator("xy-picture")).to_have_count(0)
    expect(page.get_by_role("heading", name="Chưa có camera")).to_be_visible()
