"""Cameras to choose among: by unit when they are many, and found by everything they are called."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import listing

SignedIn = Callable[[User], Client]


@pytest.fixture
def of_province(province: Province, appoint: Appoint, signed_in: SignedIn) -> Client:
    return signed_in(appoint(Role.COMMAND_CENTRE, unit=province.province))


def _told(client: Client, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/watch/cameras", query).json()
    return found


def _codes(told: dict[str, Any]) -> list[str]:
    return [camera["code"] for unit in told["units"] for camera in unit["cameras"]]


def test_few_cameras_come_at_once_with_their_units(province: Province, of_province: Client) -> None:
    told = _told(of_province)
    assert [unit["name"] for unit in told["units"]] == ["Thôn Thượng", "Thôn Đông", "Xã Bên Sông"]
    assert (_codes(told), told["more"]) == (["C01", "C14", "C21", "X99"], False)


def test_many_come_by_commune_and_each_opens_into_what_it_has(
    province: Province, of_province: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(listing, "MOST", 3)
    with django_assert_max_num_queries(14):
        told = _told(of_province)
    first, second = told["branches"]
    assert (first["name"], first["cameras"], first["lost"], first["own"]) == ("Xã Gia Khê", 3, 0, False)
    assert (second["name"], second["cameras"]) == ("Xã Bên Sông", 1)
    assert _codes(_told(of_province, unit=first["id"])) == ["C01", "C14", "C21"]
    # A commune with too many of its own and of its groups opens into these.
    make_camera(province.commune, province.node, "C40", "Ủy ban")
    inside = _told(of_province, unit=first["id"])["branches"]
    assert [(one["name"], one["cameras"], one["own"]) for one in inside] == [
        ("Xã Gia Khê", 1, True),
        ("Thôn Thượng", 1, False),
        ("Thôn Đông", 2, False),
    ]
    assert _codes(_told(of_province, unit=first["id"], own="1")) == ["C40"]


def test_who_serves_one_commune_with_many_begins_with_its_groups(
    province: Province, appoint: Appoint, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 2)
    told = _told(signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune)))
    assert [one["name"] for one in told["branches"]] == ["Thôn Thượng", "Thôn Đông"]


def test_one_unit_with_more_than_are_told_says_so(
    province: Province, appoint: Appoint, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 1)
    told = _told(signed_in(appoint(Role.DUTY_OFFICER, unit=province.group)))
    assert (_codes(told), told["more"]) == (["C14"], True)


def test_provinces_stand_first_for_whoever_sees_very_many_communes(
    province: Province, of_province: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 1)
    # One province alone opens by itself.
    assert [one["name"] for one in _told(of_province)["branches"]] == ["Xã Gia Khê", "Xã Bên Sông"]


def test_the_search_finds_units_too_and_marks_count_where_they_are_typed(
    province: Province, of_province: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _codes(_told(of_province, q="ben song")) == ["X99"]
    assert _codes(_told(of_province, q="Thôn Đông")) == ["C14", "C21"]
    assert _codes(_told(of_province, q="Thôn Dông")) == []
    for number in range(4):
        make_camera(province.group, province.node, f"K{number}", "Công viên")
    make_camera(province.group, province.node, "K9", "Cống tiêu")
    # However many there are that have other marks.
    monkeypatch.setattr(listing, "MOST", 2)
    assert _codes(_told(of_province, q="Cống")) == ["K9"]


def test_the_tree_tells_what_the_centre_heard_of_each_camera(province: Province, of_province: Client) -> None:
    Camera.objects.filter(pk=province.public.pk).update(streams={"main": {"state": "lost"}})
    Camera.objects.filter(pk=province.private.pk).update(streams={"main": {"state": "recording"}})
    Node.objects.filter(pk=province.other_node.pk).update(answers=False, since=province.node.created)
    states = {camera["code"]: camera["state"] for unit in _told(of_province)["units"] for camera in unit["cameras"]}
    assert states == {"C01": "unknown", "C14": "lost", "C21": "live", "X99": "lost"}


def test_units_beyond_ones_own_tell_nothing(province: Province, appoint: Appoint, signed_in: SignedIn) -> None:
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert _codes(_told(officer, unit=str(province.other_commune.pk))) == []
    assert officer.get("/watch/cameras", {"unit": "xa"}).status_code == 404
