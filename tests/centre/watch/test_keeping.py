"""Layouts and bookmarks: who may keep them, who sees them, and what is found."""

import datetime
import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.models import Pending
from xomyen.centre.audit.words import label_of
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import Bookmark, Layout

SignedIn = Callable[[User], Client]


def _send(client: Client, address: str, **body: Any) -> Any:
    return client.post(address, json.dumps(body), content_type="application/json")


def test_layouts_are_kept_by_those_who_may_for_posts_of_their_own_units(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    commander = signed_in(appoint(Role.DUTY_COMMANDER, post=province.duty_room))
    cells = [str(province.public.pk), str(province.secret.pk)]
    wish = {"post": str(province.duty_room.pk), "name": "Ngày", "size": 4, "cells": cells}
    made = _send(commander, "/watch/layouts", **wish)
    assert made.status_code == 201
    # A camera of elsewhere is not kept, nor told of.
    assert made.json()["cells"] == [str(province.public.pk)]
    assert _send(commander, "/watch/layouts", **{**wish, "size": 9}).status_code == 201
    assert Layout.objects.get().size == 9
    assert Layout.history.count() == 2
    assert _send(commander, "/watch/layouts", **{**wish, "cells": [str(province.secret.pk)]}).status_code == 422
    assert _send(commander, "/watch/layouts", **{**wish, "size": 5}).status_code == 422
    officer = signed_in(appoint(Role.DUTY_OFFICER, post=province.duty_room))
    told = officer.get("/watch/layouts").json()
    assert ([one["name"] for one in told["layouts"]], told["posts"]) == (["Ngày"], [])
    assert _send(officer, "/watch/layouts", **wish).status_code == 403
    address = f"/watch/layouts/{told['layouts'][0]['id']}"
    assert officer.delete(address).status_code == 403
    elsewhere = signed_in(appoint(Role.DUTY_COMMANDER, unit=province.other_commune))
    assert elsewhere.get("/watch/layouts").json()["layouts"] == []
    assert _send(elsewhere, "/watch/layouts", **wish).status_code == 404
    assert elsewhere.delete(address).status_code == 404
    assert commander.delete(address).status_code == 204
    assert not Layout.objects.exists()


def test_the_layouts_of_a_post_of_two_communes_are_not_kept_by_the_commander_of_one(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    province.duty_room.jurisdictions.create(unit=province.other_commune)
    cells = [str(province.public.pk), str(province.secret.pk)]
    kept = Layout.objects.create(post=province.duty_room, name="Ngày", size=4, cells=cells)
    one = signed_in(appoint(Role.DUTY_COMMANDER, unit=province.commune))
    wish = {"post": str(province.duty_room.pk), "name": "Ngày", "size": 1, "cells": cells[:1]}
    told = one.get("/watch/layouts").json()
    assert ([layout["name"] for layout in told["layouts"]], told["posts"]) == (["Ngày"], [])
    assert _send(one, "/watch/layouts", **wish).status_code == 403
    assert one.delete(f"/watch/layouts/{kept.pk}").status_code == 403
    kept.refresh_from_db()
    assert (kept.size, kept.cells) == (4, cells)
    # Who commands both keeps them, and so does the one of the commune that is left.
    both = signed_in(appoint(Role.DUTY_COMMANDER, post=province.duty_room))
    assert _send(both, "/watch/layouts", **{**wish, "size": 9}).status_code == 201
    ended = today() - datetime.timedelta(days=1)
    province.duty_room.jurisdictions.filter(unit=province.other_commune).update(valid_to=ended)
    assert _send(one, "/watch/layouts", **wish).status_code == 201


def test_the_head_of_a_group_is_told_of_its_public_cameras_of_a_layout_alone(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    cells = [str(one.pk) for one in (province.neighbour, province.private, province.public)]
    Layout.objects.create(post=province.duty_room, name="Đêm", size=4, cells=cells)
    province.duty_room.jurisdictions.create(unit=province.group)
    head = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    (layout,) = head.get("/watch/layouts").json()["layouts"]
    assert layout["cells"] == [str(province.public.pk)]


def test_bookmarks_are_made_seen_and_taken_away(province: Province, appoint: Appoint, signed_in: SignedIn) -> None:
    maker = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = signed_in(maker)
    wish = {"camera": str(province.public.pk), "at": "2026-11-20T15:36:00.250Z", "note": "Tụ tập"}
    made = _send(client, "/watch/bookmarks", **wish)
    assert (made.status_code, made.json()["at"]) == (201, "2026-11-20T15:36:00.250Z")
    assert _send(client, "/watch/bookmarks", **{**wish, "note": " "}).status_code == 422
    later = (timezone.now() + datetime.timedelta(hours=1)).isoformat()
    assert _send(client, "/watch/bookmarks", **{**wish, "at": later}).status_code == 422
    assert _send(client, "/watch/bookmarks", **{**wish, "camera": str(province.secret.pk)}).status_code == 404
    colleague = signed_in(appoint(Role.INVESTIGATOR, unit=province.commune))
    (mark,) = colleague.get("/watch/bookmarks", {"camera": str(province.public.pk)}).json()["bookmarks"]
    assert (mark["note"], mark["who"], mark["mine"]) == ("Tụ tập", maker.full_name, False)
    address = f"/watch/bookmarks/{mark['id']}"
    assert colleague.delete(address).status_code == 403
    stranger = signed_in(appoint(Role.DUTY_OFFICER, unit=province.other_commune))
    assert stranger.get("/watch/bookmarks", {"camera": str(province.public.pk)}).json()["bookmarks"] == []
    assert stranger.delete(address).status_code == 404
    assert signed_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/watch/bookmarks").status_code == 403
    assert client.delete(address).status_code == 204


def test_bookmarks_that_are_made_and_taken_away_stand_in_the_audit_log(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    maker = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = signed_in(maker)
    wish = {"camera": str(province.public.pk), "at": "2026-11-20T15:36:00.250Z", "note": "Tụ tập"}
    key = _send(client, "/watch/bookmarks", **wish).json()["id"]
    colleague = signed_in(appoint(Role.INVESTIGATOR, unit=province.commune))
    assert colleague.delete(f"/watch/bookmarks/{key}").status_code == 403
    assert client.delete(f"/watch/bookmarks/{key}").status_code == 204
    rows = Pending.objects.filter(action__startswith="camera.bookmark").order_by("at_ns")
    assert [(row.action, label_of(row.action)) for row in rows] == [
        ("camera.bookmark", "Đánh dấu thời điểm"),
        ("camera.bookmark_removed", "Bỏ đánh dấu thời điểm"),
    ]
    for row in rows:
        assert (row.person, row.thing, row.unit) == (str(maker.pk), str(province.public.pk), province.group.pk)
        assert json.loads(row.details_json) == {"at": "2026-11-20T15:36:00.250Z"}


def test_the_list_of_bookmarks_is_searched_and_paged_without_more_questions(
    province: Province, appoint: Appoint, signed_in: SignedIn, django_assert_max_num_queries: Any
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = signed_in(person)
    assert "Chưa đánh dấu thời điểm nào" in client.get("/bookmarks").content.decode()
    for number in range(30):
        Bookmark.objects.create(camera=province.public, at=timezone.now(), note=f"Lần {number}", made_by=person)
    Bookmark.objects.create(camera=province.secret, at=timezone.now(), note="Bí mật", made_by=None)
    with django_assert_max_num_queries(16):
        page = client.get("/bookmarks", {"q": "san nha"}).content.decode()
    assert page.count("Lần ") == 25
    assert "Bí mật" not in client.get("/bookmarks", {"page": 2}).content.decode()
    assert "Không tìm thấy" in client.get("/bookmarks", {"q": "không có"}).content.decode()


def test_the_bookmarks_are_on_the_way_round_of_those_who_keep_some(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    for role, shown in ((Role.DUTY_OFFICER, True), (Role.GROUP_HEAD, False)):
        page = signed_in(appoint(role, unit=province.group)).get("/me/").content.decode()
        assert ('href="/bookmarks"' in page) == shown


def test_cameras_are_listed_by_unit_and_found_without_their_tone_marks(
    province: Province, appoint: Appoint, signed_in: SignedIn, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    for number in range(20):
        make_camera(province.group, province.node, f"N{number:02}", f"Ngõ {number}")

    def found(text: str) -> list[str]:
        units = client.get("/watch/cameras", {"q": text}).json()["units"]
        return [camera["code"] for unit in units for camera in unit["cameras"]]

    with django_assert_max_num_queries(12):
        assert len(found("")) == 23
    assert (found("san nha van hoa"), found("Sân nhà văn hoá"), found("sàn nhà")) == (["C14"], ["C14"], [])
    assert found("bi mat") == []
