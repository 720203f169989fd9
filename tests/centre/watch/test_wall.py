"""The wall of the centre: pictures of the cameras one may see, straight from their node."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from tests.browser import advanced, picture_of, state_of
from tests.centre.conftest import Appoint
from tests.centre.watch.conftest import GATE, YARD, Watched
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

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
    expect(page.get_by_text("2/2")).to_be_visible()
