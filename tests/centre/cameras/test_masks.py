"""The page of a camera's masks: who draws them, who sees what they hide, and two who draw at once."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import enact
from xomyen.centre.cameras.models import Camera
from xomyen.centre.cameras.services import may_turn
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
DOOR = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.5], [0.1, 0.5]]
WINDOW = [[0.6, 0.2], [0.7, 0.2], [0.7, 0.3]]


def page_of(camera: Camera) -> str:
    return f"/cameras/{camera.pk}/masks/"


def drawn(*masks: object, before: object = ()) -> dict[str, str]:
    return {"masks": json.dumps(masks), "before": json.dumps(before)}


def test_masks_are_saved_and_brought_to_the_recorder(technician: Client, province: Province) -> None:
    camera = province.public
    assert page_of(camera) in technician.get(f"/cameras/{camera.pk}/").content.decode()
    assert technician.post(page_of(camera), drawn(DOOR, WINDOW)).status_code == 302
    before, revision = camera.masks, camera.revision
    camera.refresh_from_db()
    assert (camera.masks, camera.revision, camera.standing) == ([DOOR, WINDOW], revision + 1, "pending")
    assert before == []
    assert technician.post(page_of(camera), drawn(before=[DOOR, WINDOW])).status_code == 302
    camera.refresh_from_db()
    assert camera.masks == []


def test_of_two_who_draw_the_later_one_is_told_keeps_the_drawing_and_may_replace(
    technician: Client, province: Province
) -> None:
    camera = province.public
    technician.post(page_of(camera), drawn(DOOR))
    late = technician.post(page_of(camera), drawn(WINDOW))
    assert late.status_code == 409
    form = late.context["form"]
    assert "1" in form.non_field_errors()[0]
    assert json.loads(form["masks"].value()) == [WINDOW]
    camera.refresh_from_db()
    assert camera.masks == [DOOR]
    again = {name: form[name].value() for name in ("masks", "before")}
    assert technician.post(page_of(camera), again).status_code == 302
    camera.refresh_from_db()
    assert camera.masks == [WINDOW]


@pytest.mark.parametrize("masks", ["", "{", "[[[0,0],[1,1]]]", "[[[0,0],[2,0],[1,1]]]", "[[[0,0],[0.5,0.5],[1,1]]]"])
def test_what_hides_nothing_is_not_saved(technician: Client, province: Province, masks: str) -> None:
    answer = technician.post(page_of(province.public), {"masks": masks, "before": "[]"})
    assert answer.context["form"].errors["masks"]
    province.public.refresh_from_db()
    assert province.public.masks == []


def test_the_form_of_a_camera_leaves_its_masks_alone(technician: Client, province: Province) -> None:
    camera = province.public
    Camera.objects.filter(pk=camera.pk).update(masks=[DOOR])
    form = technician.get(f"/cameras/{camera.pk}/edit/").context["form"]
    values = {name: form[name].value() for name in form.fields if name != "masks"}
    kept = {name: value for name, value in values.items() if value is not None and value is not False}
    assert technician.post(f"/cameras/{camera.pk}/edit/", {**kept, "name": "Sân lễ"}).status_code == 302
    camera.refresh_from_db()
    assert (camera.name, camera.masks) == ("Sân lễ", [DOOR])


def test_only_who_may_change_a_camera_draws_its_masks(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    page = page_of(province.public)
    for role, code in ((Role.DUTY_OFFICER, 403), (Role.AUDITOR, 403), (Role.POLICE_HEAD, 200)):
        person = signed_in(appoint(role, unit=province.commune))
        assert person.get(page).status_code == code, role
        assert person.post(f"{page}look/").status_code == code, role
    stranger = signed_in(appoint(Role.TECHNICIAN, unit=province.other_commune))
    assert stranger.get(page).status_code == stranger.post(f"{page}look/").status_code == 404


def test_a_camera_with_masks_is_turned_only_by_who_may_see_what_they_hide(province: Province, appoint: Appoint) -> None:
    camera = province.public
    camera.ptz, camera.onvif_address, camera.ptz_profile = True, "http://192.0.2.1/onvif", "main"
    camera.in_force = {"sealed_password": camera.sealed_password}
    officer, head = (appoint(role, unit=province.commune) for role in (Role.DUTY_OFFICER, Role.POLICE_HEAD))
    stranger = appoint(Role.POLICE_HEAD, unit=province.other_commune)
    assert [may_turn(person, camera) for person in (officer, head, stranger)] == [True, True, False]
    camera.masks = [DOOR]
    assert [may_turn(person, camera) for person in (officer, head, stranger)] == [False, True, False]


def test_who_sees_no_live_pictures_draws_on_a_plain_ground(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    keeper = signed_in(appoint(Role.ADMINISTRATOR, unit=province.commune))
    page = page_of(province.public)
    assert 'look=""' in keeper.get(page).content.decode()
    assert keeper.post(f"{page}look/").status_code == 403
    assert keeper.get(f"{page}look/{province.public.pk}/").status_code == 403
    assert keeper.post(page, drawn(DOOR)).status_code == 302


def test_the_picture_without_masks_wants_the_regulation(technician: Client, province: Province) -> None:
    enact(province.commune, None, today(), "Quy chế", "Điều 1")
    page = page_of(province.public)
    for answer in (technician.get(page), technician.post(f"{page}look/")):
        assert answer.headers["Location"].startswith("/account/regulations/")


def test_a_recorder_that_is_away_is_told_of_beside_the_plain_ground(technician: Client, province: Province) -> None:
    assert technician.post(f"{page_of(province.public)}look/").json()["trouble"]
