"""Which cameras' pictures a look at a stream does not show."""

from typing import Any

import pytest
from tests.centre.conftest import Appoint, Province, make_camera, make_unit

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.looking import guarded, unmasked
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.organisation.models import Unit, UnitKind
from xomyen.centre.permissions.roles import Role

MASK = [[[0, 0], [0.2, 0], [0.2, 0.3]]]


def at(url: str, unit: Unit, node: Node, **fields: Any) -> Camera:
    camera = make_camera(unit, node, f"L{Camera.objects.count()}", "Ngõ", **fields)
    Camera.objects.filter(pk=camera.pk).update(main_url=url)
    return camera


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    return appoint(Role.TECHNICIAN, unit=province.commune)


def test_what_one_may_not_watch_on_the_recorder_is_guarded(person: User, province: Province) -> None:
    at("rtsp://192.168.1.10/1", province.group, province.node)
    at("rtsp://192.168.1.12/1", province.other_commune, province.node)
    found = guarded(person, province.node, None)
    assert found is not None
    assert found.here == ("192.168.1.12",)
    assert found.elsewhere == ()


def test_masks_guard_from_those_who_may_not_look_behind_them(
    person: User, province: Province, appoint: Appoint
) -> None:
    masked = at("rtsp://192.168.1.11/1", province.group, province.node, masks=MASK)
    Camera.objects.filter(pk=masked.pk).update(in_force={"main": {"url": "rtsp://192.168.1.13/1"}, "sub": None})
    masked.refresh_from_db()
    kept = guarded(person, province.node, masked)
    assert kept is not None
    assert kept.here == ()
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    found = guarded(officer, province.node, None)
    assert found is not None
    assert found.here == ("192.168.1.11", "192.168.1.13")
    assert guarded(officer, province.node, masked) is None


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("rtsp://192.168.1.20/1", ()),
        ("rtsp://[fd00::20]/1", ()),
        ("rtsp://127.0.0.1/1", ()),
        ("rtsp://203.162.4.190/1", ("203.162.4.190",)),
        ("rtsp://10.24.3.20/1", ("10.24.3.20",)),
        ("rtsp://100.64.1.20/1", ("100.64.1.20",)),
        ("rtsp://Cam.Example/1", ("cam.example",)),
        ("file:///video.mp4", ()),
    ],
)
def test_of_another_commune_what_means_the_same_machine_everywhere_is_guarded(
    url: str, hosts: tuple[str, ...], person: User, province: Province
) -> None:
    at(url, province.other_commune, province.other_node, masks=MASK)
    found = guarded(person, province.node, None)
    assert found is not None
    assert found.elsewhere == hosts


@pytest.mark.parametrize("above", [False, True], ids=["of the commune", "of the province"])
def test_a_recorder_near_by_may_share_the_network(above: bool, province: Province, appoint: Appoint) -> None:
    unit = province.province if above else province.other_group
    node = Node.objects.create(unit=unit, name="Gần", address="https://gan.example")
    at("rtsp://192.168.1.20/1", province.other_commune, node, masks=MASK)
    found = guarded(appoint(Role.TECHNICIAN, unit=province.commune), province.node, None)
    assert found is not None
    assert found.elsewhere == ("192.168.1.20",)


def test_who_watches_nothing_there_gets_no_picture(province: Province, appoint: Appoint) -> None:
    stranger = make_unit("90077", UnitKind.COMMUNE, "Xã", "Xa", province.province)
    assert guarded(appoint(Role.TECHNICIAN, unit=stranger), province.node, None) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://192.168.1.11/cam?channel=1", True),
        ("rtsp://[::ffff:192.168.1.11]:554/cam/?channel=1&x=2", True),
        ("rtsp+udp://192.168.1.11/cam?channel=1", True),
        ("rtsp://192.168.1.11/cam?channel=2", False),
        ("rtsp://192.168.1.11:8554/cam?channel=1", False),
        ("rtsp://192.168.1.12/cam?channel=1", False),
    ],
)
def test_a_look_is_noted_of_the_camera_whose_stream_it_is_however_it_is_written_and_of_no_other_communes(
    url: str, shown: bool, province: Province
) -> None:
    main = "rtsp://192.168.1.11/cam?channel=1"
    own = at(main, province.group, province.node, masks=MASK)
    # Private addresses are the same everywhere.
    at(main, province.other_commune, province.other_node, masks=MASK)
    assert unmasked(url, province.node, None) == ([own] if shown else [])
    assert unmasked("rtsp://192.0.2.1/new", province.node, own) == [own]
