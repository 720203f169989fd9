"""The demo's commune in the centre: what is there, and that people's changes stay."""

import datetime
import tomllib
from importlib import resources
from typing import Any

import pytest

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera, Node, Owner, Site
from xomyen.centre.demo.commune import Place, fill
from xomyen.centre.demo.places import Recorded
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may_in, visible
from xomyen.terms.ids import new_id

LAST_DAY_OF_THE_OLD = datetime.date(2025, 6, 30)
FIRST_DAY_OF_THE_NEW = datetime.date(2025, 7, 1)


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return tomllib.loads(resources.files("xomyen.cli").joinpath("demo.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recorded(table: dict[str, Any]) -> list[Recorded]:
    names = [(camera["code"], camera["name"]) for site in table["site"] for camera in site["cameras"]]
    return [
        Recorded(new_id(), code, name, order, f"rtsp://192.0.2.1/{order}", f"rtsp://192.0.2.1/{order}/sub")
        for order, (code, name) in enumerate(names, start=1)
    ]


NODE = Place(new_id(), "http://127.0.0.1:8460")


@pytest.fixture
def people(db: None, table: dict[str, Any], recorded: list[Recorded]) -> dict[str, User]:
    return {person.username: person for person in fill(table, NODE, recorded)}


def codes(units: Any) -> set[str]:
    return set(units.values_list("code", flat=True))


def test_the_tree_of_each_day_is_the_one_of_that_day(people: dict[str, User]) -> None:
    commune = Unit.objects.get(code="90001")
    today = Unit.objects.below(commune.id)
    assert codes(today) == {"90001", "90001-01", "90001-02", "90001-03", "90001-04"}
    old = Unit.objects.get(code="90003")
    assert codes(Unit.objects.below(old.id, LAST_DAY_OF_THE_OLD)) == {"90003", "90001-03", "90001-04"}
    assert codes(Unit.objects.above(old.id, LAST_DAY_OF_THE_OLD)) == {"90003", "27"}
    assert not old.holds(FIRST_DAY_OF_THE_NEW)
    assert old.holds(LAST_DAY_OF_THE_OLD)
    assert {row.predecessor.name for row in commune.took_over_from.all()} == {"Khê Thượng", "Khê Hạ"}


def test_the_cameras_are_those_of_the_node(people: dict[str, User], recorded: list[Recorded]) -> None:
    assert {str(camera.id) for camera in Camera.objects.all()} == {camera.id for camera in recorded}
    assert Site.objects.count() == 11
    owners = list(Camera.objects.values_list("owner", flat=True))
    counts = {owner: owners.count(owner) for owner in Owner.values}
    assert counts == {"commune": 14, "agency": 2, "group": 6, "enterprise": 2, "household": 1}
    gate = Camera.objects.get(code="C10")
    assert (gate.azimuth_deg, gate.camera_class.retention_days, gate.is_public) == (150, 15, False)
    assert gate.steps.get().by == people["ta.huy"]
    assert str(Node.objects.get().id) == NODE.node


def test_each_person_may_do_what_the_role_says(people: dict[str, User]) -> None:
    commune = Unit.objects.get(code="90001")
    cameras = Camera.objects.all()
    seen = {name: visible(person, Action.VIEW_LIVE, cameras).count() for name, person in people.items()}
    assert seen == {
        "luong.man": 25,
        "ha.vinh": 25,
        "do.tung": 25,
        "ngo.dinh": 7,  # those of thôn Đông
        "vu.lan": 7,
        "ta.huy": 25,
        "bui.hai": 25,
        "dao.minh": 0,  # looks after records, not into cameras
        "quan.tri": 0,
    }
    assert may_in(people["luong.man"], Action.USER_EDIT, commune)
    assert not may_in(people["do.tung"], Action.USER_EDIT, commune)
    assert may_in(people["quan.tri"], Action.UNIT_EDIT, commune)


def test_the_next_demo_keeps_what_people_changed(
    people: dict[str, User], table: dict[str, Any], recorded: list[Recorded]
) -> None:
    camera = Camera.objects.get(code="C04")
    camera.name = "Hướng chợ mới"
    camera.save()
    people["vu.lan"].appointments.all().delete()
    moved = [
        Recorded(one.id, one.code, one.name, one.order, one.main_url.replace("192.0.2.1", "192.0.2.9"), one.sub_url)
        for one in recorded
    ]
    more = Recorded(new_id(), "C26", "Camera thêm", 26, "rtsp://192.0.2.9/26", "")
    again = fill(table, Place(NODE.node, "http://127.0.0.1:9999"), [*moved, more])
    assert [person.username for person in again] == list(people)
    camera.refresh_from_db()
    assert (camera.name, camera.main_url) == ("Hướng chợ mới", "rtsp://192.0.2.1/4")
    assert not people["vu.lan"].appointments.exists()
    assert Camera.objects.count() == 26
    assert Camera.objects.get(code="C26").site.name == "Xã Gia Khê"
    assert Node.objects.get().address == "http://127.0.0.1:9999"
    assert User.objects.count() == len(people)


def test_official_units_that_are_there_already_are_used(
    db: None, table: dict[str, Any], recorded: list[Recorded]
) -> None:
    official = Unit.objects.create(
        code="24", kind="province", type_name="Tỉnh", name="Bắc Ninh", valid_from=FIRST_DAY_OF_THE_NEW
    )
    fill(table, NODE, recorded[:1])
    assert codes(Unit.objects.above(Unit.objects.get(code="90001").id)) == {"90001", "24"}
    assert Unit.objects.filter(code="24", valid_to=None).get() == official
