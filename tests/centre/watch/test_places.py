"""What the map is told: sites while they are few, else how many lie where and in which unit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera, Site
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import places

SignedIn = Callable[[User], Client]


@pytest.fixture
def of_province(province: Province, appoint: Appoint, signed_in: SignedIn) -> Client:
    Site.objects.filter(cameras=province.secret).update(latitude=21.5, longitude=106.5)
    return signed_in(appoint(Role.COMMAND_CENTRE, unit=province.province))


def _told(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get("/watch/map/places", query)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def _names(told: dict[str, Any]) -> list[str]:
    return [site["name"] for site in told["sites"]]


def test_few_sites_come_at_once_with_their_cameras_and_units(province: Province, of_province: Client) -> None:
    Unit.objects.filter(pk=province.group.pk).update(latitude=21.04, longitude=106.09)
    Camera.objects.filter(pk=province.public.pk).update(streams={"main": {"state": "recording"}}, azimuth_deg=90)
    told = _told(of_province)
    assert told["box"] == [106.08, 21.03, 106.5, 21.5]
    assert told["units"] == [{"name": "Thôn Đông", "at": [106.09, 21.04]}]
    site = next(one for one in told["sites"] if one["code"] == "S-C14")
    assert (site["unit"], site["at"]) == ("Thôn Đông", [106.08, 21.03])
    (camera,) = site["cameras"]
    assert (camera["state"], camera["azimuth"], camera["watched"]) == ("live", 90, True)


def test_a_part_of_the_map_has_the_sites_that_lie_in_it(province: Province, of_province: Client) -> None:
    assert _names(_told(of_province, **{"in": "106.4,21.4,106.6,21.6"})) == ["Điểm Camera bí mật"]
    assert _names(_told(of_province, **{"in": "107,20,108,21"})) == []


def test_many_are_counted_where_they_lie_and_by_unit_with_what_is_lost(
    province: Province, of_province: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(places, "MOST_DRAWN", 3)
    Camera.objects.filter(pk=province.secret.pk).update(streams={"main": {"state": "lost"}})
    with django_assert_max_num_queries(14):
        told = _told(of_province, zoom="9")
    assert told["sites"] is None
    assert [(unit["name"], unit["sites"], unit["cameras"], unit["lost"]) for unit in told["units"]] == [
        ("Xã Bên Sông", 1, 1, 1),
        ("Thôn Thượng", 1, 1, 0),
        ("Thôn Đông", 2, 2, 0),
    ]
    near, far = told["bunches"]
    assert (near["cameras"], near["sites"], near["lost"], near["at"]) == (3, 3, 0, pytest.approx([106.08, 21.03]))
    assert (far["cameras"], far["lost"], far["box"]) == (1, 1, [106.5, 21.5, 106.5, 21.5])
    # From far away they are one.
    (all_of_them,) = _told(of_province, **{"in": "90,0,120,40", "zoom": "2"})["bunches"]
    assert all_of_them["cameras"] == 4
    # Near by they are told one by one.
    assert _names(_told(of_province, **{"in": "106.4,21.4,106.6,21.6", "zoom": "12"})) == ["Điểm Camera bí mật"]


def test_sites_are_found_anywhere_by_camera_and_unit_without_tone_marks(
    province: Province, of_province: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _names(_told(of_province, q="cong ho")) == ["Điểm Cổng hộ số 17"]
    assert _names(_told(of_province, q="ben song")) == ["Điểm Camera bí mật"]
    assert _names(_told(of_province, q="cộng")) == []
    monkeypatch.setattr(places, "MOST_DRAWN", 1)
    told = _told(of_province, q="diem")
    assert (len(told["sites"]), told["more"]) == (1, True)


def test_nothing_beyond_ones_own_units_is_told_or_counted(
    province: Province, appoint: Appoint, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert "bí mật" not in str(_told(officer))
    assert _told(officer, q="bi mat")["sites"] == []
    monkeypatch.setattr(places, "MOST_DRAWN", 1)
    assert sum(bunch["cameras"] for bunch in _told(officer)["bunches"]) == 3
    # The head of a group learns of public cameras alone.
    head = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    assert _names(_told(head)) == ["Điểm Sân nhà văn hóa"]


def test_what_is_no_part_of_a_map_is_not_found(of_province: Client) -> None:
    for wrong in ("1,2,3", "a,b,c,d", "nan,0,1,2", "inf,0,1,2"):
        assert of_province.get("/watch/map/places", {"in": wrong}).status_code == 404
    assert of_province.get("/watch/map/places", {"in": "0,0,1,1", "zoom": "far"}).status_code == 404
    assert _told(of_province, **{"in": "-1e300,-1e300,1e300,1e300", "zoom": "1e9"})["sites"]


def test_before_any_site_has_a_position_the_map_is_empty(province: Province, of_province: Client) -> None:
    Site.objects.update(latitude=None, longitude=None)
    told = _told(of_province)
    assert (told["box"], told["sites"]) == (None, [])
