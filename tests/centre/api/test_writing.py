"""What programs write besides cameras: units, posts, recorders, people, screens, layouts, bookmarks, and exports."""

import datetime
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from tests.centre.api.conftest import Program, refused
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Appointment, PairedScreen, Regulation, User
from xomyen.centre.audit.export import verify_export
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Node
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Change, DocumentKind, MandateDocument, Post, Scheme, Unit
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import Bookmark, Layout

Speak = Callable[..., Program]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def office(province: Province, appoint: Appoint, program: Speak) -> Program:
    """The administrator of the province."""
    return program(appoint(Role.ADMINISTRATOR, unit=province.province), **{"Accept-Language": "en"})


def test_a_group_is_set_up_corrected_and_undone(province: Province, office: Program) -> None:
    new = {"parent": province.commune.pk, "kind": "group", "type_name": "Thôn", "name": "Hạ"}
    made = office.send("POST", "units", new)
    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["parent"]) == ("Thôn Hạ", str(province.commune.pk))
    assert made.json()["code"].startswith("90001-")
    path = f"units/{made.json()['id']}"
    refused(office.send("PATCH", path, {"name": "Hạ Khê"}), 428, "version_missing")
    tag = office.get(path)["ETag"]
    mended = office.send("PATCH", path, {"name": "Hạ Khê", "latitude": 21.2}, **{"If-Match": tag})
    assert (mended.json()["name"], mended.json()["latitude"]) == ("Thôn Hạ Khê", 21.2)
    refused(office.send("PATCH", path, {"name": "Hạ"}, **{"If-Match": tag}), 412, "stale")
    changes = office.get(f"{path}/changes").json()
    assert [one["kind"] for one in changes] == ["correct", "create"]
    assert [one["can_be_undone"] for one in changes] == [True, False]
    for one in changes:
        assert office.send("POST", f"unit-changes/{one['id']}/undo").status_code == 204
    assert not Unit.objects.filter(name__startswith="Hạ").exists()


def test_a_unit_is_renamed_and_moved_from_a_day_on_a_document(province: Province, office: Program) -> None:
    paper = MandateDocument.objects.create(
        unit=province.province, kind=DocumentKind.RESOLUTION, number="9/NQ", title="Đổi tên", issuer="HĐND",
        issued=today(),
    )  # fmt: skip
    path = f"units/{province.group.pk}"
    new = {"type_name": "Thôn", "name": "Đông Khê", "document": paper.pk}
    assert office.send("POST", f"{path}/rename", new).json()["name"] == "Thôn Đông Khê"
    assert Change.objects.get(kind="name").document == paper
    moved = office.send("POST", f"{path}/move", {"parent": province.other_commune.pk, "basis": "Theo quy hoạch"})
    assert moved.json()["parent"] == str(province.other_commune.pk)
    refused(office.send("POST", f"{path}/move", {"parent": province.other_commune.pk}), 422, "invalid")
    refused(office.send("POST", f"{path}/rename", new | {"document": uuid.uuid4()}), 404, "not_found")


def test_units_merge_divide_and_close(province: Province, office: Program) -> None:
    group, other = province.group, province.other_group
    both = {"others": [other.pk], "new": {"type_name": "Thôn", "name": "Đông Thượng"}}
    refused(office.send("POST", f"units/{group.pk}/merge", {"others": [other.pk]}), 422, "into_one_of_them_or_new")
    merged = office.send("POST", f"units/{group.pk}/merge", both)
    assert merged.json()["name"] == "Thôn Đông Thượng", merged.content
    assert Unit.objects.get(pk=other.pk).valid_to == today()
    told = office.get(f"units/{merged.json()['id']}/lineage").json()
    assert {one["unit"] for one in told["predecessors"]} == {str(group.pk), str(other.pk)}
    (became,) = office.get(f"units/{other.pk}/lineage").json()["successors"]
    assert (became["name"], became["whole"]) == ("Thôn Đông Thượng", True)
    parts = [{"type_name": "Thôn", "name": name} for name in ("Một", "Hai")]
    dividing = {"parts": parts, "day": str(today() + DAY)}
    divided = office.send("POST", f"units/{merged.json()['id']}/split", dividing)
    assert divided.status_code == 200, divided.content
    assert [one["name"] for one in divided.json()] == ["Thôn Một", "Thôn Hai"]
    closing = {"day": str(today() + DAY), "successor": province.commune.pk}
    path = f"units/{province.other_commune.pk}"
    assert office.send("POST", f"{path}/close", closing).json()["valid_to"] == closing["day"]
    refused(office.send("POST", f"{path}/close", closing), 422, "invalid")


def test_communes_go_on_when_they_take_in_others(province: Province, office: Program) -> None:
    into = {"others": [province.other_commune.pk], "into": province.commune.pk}
    assert office.send("POST", f"units/{province.commune.pk}/merge", into).json()["code"] == "90001"
    outside = [{"unit": province.group.pk, "part": 2}]
    parts = [{"type_name": "Xã", "name": "Mới", "code": "90010"}]
    dividing = {"parts": parts, "goes_on": True, "children": outside}
    refused(office.send("POST", f"units/{province.commune.pk}/split", dividing), 422, "no_such_part")
    done = office.send("POST", f"units/{province.commune.pk}/split", dividing | {"children": [
        {"unit": province.group.pk, "part": 0}]})  # fmt: skip
    assert office.get(f"units/{province.group.pk}").json()["parent"] == done.json()[0]["id"]


def test_units_are_written_by_whom_the_role_lets(province: Province, office: Program, head: Program) -> None:
    new = {"parent": province.commune.pk, "kind": "group", "type_name": "Thôn", "name": "Hạ"}
    refused(head.send("POST", "units", new), 403, "forbidden")
    refused(head.send("POST", f"units/{province.group.pk}/close", {}), 403, "forbidden")
    narrow = Program(office.token)
    narrow_scope = narrow.send("POST", "units", new | {"parent": uuid.uuid4()})
    refused(narrow_scope, 404, "not_found")
    refused(office.send("POST", "units", new | {"name": " "}), 422, "invalid")
    refused(office.send("POST", "units", new | {"day": "0001-01-01"}), 422, "invalid")


def test_a_post_is_entered_changed_and_ended(province: Province, head: Program) -> None:
    new = {"name": "Nhà văn hóa thôn Đông", "kind": "culture_house", "units": [province.group.pk]}
    made = head.send("POST", "posts", new)
    assert made.status_code == 201, made.content
    assert [one["unit"] for one in made.json()["answers_for"]] == [str(province.group.pk)]
    path = f"posts/{made.json()['id']}"
    tag = head.get(path)["ETag"]
    changed = head.send("PATCH", path, {"name": "Nhà văn hóa Đông"}, **{"If-Match": tag})
    assert (changed.json()["name"], changed.json()["kind"]) == ("Nhà văn hóa Đông", "culture_house")
    refused(head.send("PATCH", path, {"name": "Khác"}, **{"If-Match": tag}), 412, "stale")
    more = head.send("POST", f"{path}/units", {"unit": province.other_group.pk})
    assert more.status_code == 201
    tomorrow = {"valid_to": str(today() + DAY)}
    second = next(one["id"] for one in more.json()["answers_for"] if one["unit"] == str(province.other_group.pk))
    ended = head.send("POST", f"jurisdictions/{second}/end", tomorrow)
    assert {one["valid_to"] for one in ended.json()["answers_for"]} == {None, tomorrow["valid_to"]}
    assert head.send("POST", f"{path}/end", tomorrow).json()["valid_to"] == tomorrow["valid_to"]
    listed = [one["name"] for one in head.get("posts", {"q": "nha van hoa"}).json()["items"]]
    assert listed == ["Nhà văn hóa Đông"]


def test_posts_of_others_are_not_there_nor_are_their_units(province: Province, head: Program) -> None:
    far = Post.objects.create(name="Phòng trực ban Bên Sông", kind="duty_room")
    far.jurisdictions.create(unit=province.other_commune)
    shared = Post.objects.create(name="Cụm hai xã", kind="duty_room")
    for unit in (province.commune, province.other_commune):
        shared.jurisdictions.create(unit=unit)
    refused(head.get(f"posts/{far.pk}"), 404, "not_found")
    refused(head.send("POST", f"posts/{far.pk}/end", {"valid_to": str(today())}), 404, "not_found")
    seen = {one["name"]: one for one in head.get("posts").json()["items"]}
    assert set(seen) == {"Cụm hai xã", province.duty_room.name}
    assert [one["unit"] for one in seen["Cụm hai xã"]["answers_for"]] == [str(province.commune.pk)]
    refused(head.send("POST", f"posts/{shared.pk}/end", {"valid_to": str(today() + DAY)}), 403, "forbidden")
    refused(head.send("POST", "posts", {"name": "X", "kind": "police", "units": [province.other_commune.pk]}), 404,
            "not_found")  # fmt: skip


def test_documents_are_entered_and_schemes_are_seen(province: Province, head: Program) -> None:
    new = {
        "unit": province.commune.pk, "kind": "decision", "number": "27/QĐ-UBND", "title": "Lắp camera",
        "issuer": "UBND xã", "issued": "2026-04-01", "valid_to": str(today() + 90 * DAY),
    }  # fmt: skip
    made = head.send("POST", "documents", new)
    assert (made.status_code, made.json()["valid_to"]) == (201, new["valid_to"]), made.content
    refused(head.send("POST", "documents", new), 422, "invalid")
    refused(head.send("POST", "documents", new | {"unit": province.other_commune.pk}), 404, "not_found")
    assert [one["number"] for one in head.get("documents", {"q": "lap camera"}).json()["items"]] == ["27/QĐ-UBND"]
    far = MandateDocument.objects.create(
        unit=province.province, kind=DocumentKind.RESOLUTION, number="9/NQ", title="Tỉnh", issuer="HĐND", issued=today()
    )
    refused(head.get(f"documents/{far.pk}"), 404, "not_found")
    scheme = Scheme.objects.create(unit=province.commune, name="Camera an ninh Gia Khê")
    scheme.groups.add(province.group)
    scheme.documents.add(far, made.json()["id"])
    shown = head.get(f"schemes/{scheme.pk}").json()
    assert (shown["groups"], shown["documents"]) == ([str(province.group.pk)], [made.json()["id"]])
    assert head.get("schemes").json()["items"] == [shown]


def test_a_recorder_is_made_known_and_changed(province: Province, office: Program, head: Program) -> None:
    new = {"id": uuid.uuid4(), "unit": province.commune.pk, "name": "Đầu ghi 2", "address": "https://ghi.example:8460/"}
    refused(head.send("POST", "nodes", new), 403, "forbidden")
    made = office.send("POST", "nodes", new)
    assert (made.status_code, made.json()["address"]) == (201, "https://ghi.example:8460"), made.content
    refused(office.send("POST", "nodes", new), 422, "invalid")
    refused(office.send("POST", "nodes", new | {"id": uuid.uuid4(), "address": "rtsp://x"}), 422, "invalid")
    path = f"nodes/{new['id']}"
    tag = office.get(path)["ETag"]
    changed = office.send("PATCH", path, {"name": "Đầu ghi phụ"}, **{"If-Match": tag})
    assert (changed.json()["name"], changed.json()["unit"]) == ("Đầu ghi phụ", str(province.commune.pk))
    refused(office.send("PATCH", path, {"name": "Khác"}, **{"If-Match": tag}), 412, "stale")
    refused(head.send("PATCH", path, {"name": "Khác"}, **{"If-Match": "*"}), 403, "forbidden")
    assert Node.objects.get(pk=new["id"]).name == "Đầu ghi phụ"


def test_somebody_is_invited_with_a_link_that_is_told_once(province: Province, head: Program) -> None:
    new = {"full_name": "Đỗ Khắc Tùng", "username": "Tung.DK", "role": "duty_officer", "unit": province.commune.pk}
    made = head.send("POST", "people", new)
    assert made.status_code == 201, made.content
    assert "#" in made.json()["link"]
    assert made["Cache-Control"] == "no-store"
    person = User.objects.get(username="tung.dk")
    assert [one.role for one in person.appointments.all()] == ["duty_officer"]
    refused(head.send("POST", "people", new), 422, "invalid")
    other = new | {"username": "khac"}
    refused(head.send("POST", "people", other | {"role": "administrator"}), 403, "forbidden")
    refused(head.send("POST", "people", other | {"unit": province.other_commune.pk}), 404, "not_found")
    refused(head.send("POST", "people", other | {"post": province.duty_room.pk}), 422, "unit_or_post")
    assert not User.objects.filter(username="khac").exists()
    told = [row.details for row in Record.objects.filter(action__startswith="invitation.")]
    assert made.json()["link"].partition("#")[2] not in json.dumps(told)


def test_a_screen_is_turned_off(province: Province, head: Program) -> None:
    now = timezone.now()
    own, far = (
        PairedScreen.objects.create(name="Ti vi", unit=unit, confirmed=now, code_expires=now, digest=unit.code)
        for unit in (province.group, province.other_commune)
    )
    assert [one["id"] for one in head.get("screens").json()["items"]] == [str(own.pk)]
    refused(head.get(f"screens/{far.pk}"), 404, "not_found")
    refused(head.send("POST", f"screens/{far.pk}/revoke"), 404, "not_found")
    assert head.send("POST", f"screens/{own.pk}/revoke").status_code == 204
    refused(head.get(f"screens/{own.pk}"), 404, "not_found")
    assert [one["id"] for one in head.get("screens", {"turned_off": True}).json()["items"]] == [str(own.pk)]
    assert head.get(f"screens/{own.pk}/still-open").json() == []
    refused(head.get(f"screens/{far.pk}/still-open"), 404, "not_found")
    chain_pending()
    assert Record.objects.filter(action="screen.revoked", thing=str(own.pk)).count() == 1


def test_layouts_are_saved_seen_and_removed(province: Province, head: Program) -> None:
    cells = [province.public.pk, province.secret.pk]
    new = {"post": province.duty_room.pk, "name": "Ban ngày", "size": 4, "cells": cells}
    made = head.send("POST", "layouts", new)
    assert (made.status_code, made.json()["cells"]) == (201, [str(province.public.pk)]), made.content
    again = head.send("POST", "layouts", new | {"size": 9})
    assert (again.json()["id"], Layout.objects.count()) == (made.json()["id"], 1)
    refused(head.send("POST", "layouts", new | {"name": "Đêm", "cells": [province.secret.pk]}), 422, "invalid")
    path = f"layouts/{made.json()['id']}"
    refused(head.send("DELETE", path, **{"If-Match": made["ETag"]}), 412, "stale")
    assert head.send("DELETE", path, **{"If-Match": again["ETag"]}).status_code == 204
    assert head.get("layouts").json()["items"] == []


def test_bookmarks_are_made_found_and_removed_by_their_maker(
    province: Province, appoint: Appoint, head: Program, program: Speak
) -> None:
    moment = timezone.now() - DAY
    made = head.send("POST", "bookmarks", {"camera": province.public.pk, "at": moment, "note": "Xe tải"})
    assert made.status_code == 201, made.content
    refused(head.send("POST", "bookmarks", {"camera": province.secret.pk, "at": moment, "note": "X"}), 404, "not_found")
    late = {"camera": province.public.pk, "at": timezone.now() + DAY, "note": "Xe"}
    refused(head.send("POST", "bookmarks", late), 422, "invalid")
    assert [one["note"] for one in head.get("bookmarks", {"q": "xe tai"}).json()["items"]] == ["Xe tải"]
    path = f"bookmarks/{made.json()['id']}"
    officer = program(appoint(Role.DUTY_OFFICER, unit=province.commune))
    refused(officer.send("DELETE", path, **{"If-Match": "*"}), 403, "forbidden")
    assert head.send("DELETE", path, **{"If-Match": "*"}).status_code == 204
    assert not Bookmark.objects.exists()


def test_the_wall_and_its_bookmarks_want_the_regulation_accepted(province: Province, head: Program) -> None:
    Regulation.objects.create(unit=province.commune, version=1, title="Quy chế", text="Không chia sẻ hình ảnh.")
    for path in ("layouts", "bookmarks"):
        refused(head.get(path), 403, "regulation")


def test_the_log_is_exported_as_a_file_that_can_be_checked(
    province: Province, appoint: Appoint, program: Speak
) -> None:
    chain_pending()
    auditor = program(appoint(Role.AUDITOR, unit=province.commune))
    answer = auditor.send("POST", "audit/export", {"camera": "C14"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/jsonl")
    content = b"".join(answer.streaming_content)
    assert verify_export(io.BytesIO(content), None).findings == []
    rows = [json.loads(line) for line in content.splitlines()[1:-1]]
    assert [row["row"]["action"] for row in rows if "row" in row] == ["camera.added"]
    assert "bí mật" not in content.decode()
    chain_pending()
    assert Record.objects.get(action="audit.exported").details["camera"] == "C14"
    reader = program(appoint(Role.ADMINISTRATOR, unit=province.commune))
    refused(reader.send("POST", "audit/export", {}), 403, "forbidden")


def test_each_kind_of_writing_wants_its_scope(province: Province, appoint: Appoint, program: Speak) -> None:
    person = appoint(Role.ADMINISTRATOR, unit=province.province)
    reads = ["units:read", "people:read", "cameras:read", "watch:read", "screens:read", "audit:read"]
    narrow = program(person, reads)
    some = uuid.uuid4()
    for path, body in (
        ("units", {"parent": some, "kind": "group", "type_name": "Thôn", "name": "Hạ"}),
        (
            "documents",
            {"unit": some, "kind": "letter", "number": "1", "title": "X", "issuer": "X", "issued": "2026-01-01"},
        ),
        ("posts", {"name": "Nhà", "kind": "police", "units": [some]}),
        ("nodes", {"id": some, "unit": some, "name": "X", "address": "https://x.example"}),
        ("people", {"full_name": "A", "username": "a", "role": "auditor", "unit": some}),
        (f"screens/{some}/revoke", None),
        ("layouts", {"post": some, "name": "X", "size": 1, "cells": [some]}),
        ("bookmarks", {"camera": some, "at": "2026-01-01T00:00:00Z", "note": "X"}),
        ("audit/export", {}),
    ):
        refused(narrow.send("POST", path, body), 403, "scope_missing")
    assert Appointment.objects.count() == 1


def test_lists_ask_no_more_for_more_rows(province: Province, head: Program, django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    maker = User.objects.earliest("created")
    for number in range(20):
        post = Post.objects.create(name=f"Nhà văn hóa {number}", kind="culture_house")
        post.jurisdictions.create(unit=province.group)
        Layout.objects.create(post=post, name="Ngày", size=1, cells=[str(province.public.pk)])
        Bookmark.objects.create(camera=province.public, at=now, note=f"{number}", made_by=maker)
        PairedScreen.objects.create(
            name=f"{number}", unit=province.group, confirmed=now, code_expires=now, digest=f"{number}"
        )
    for path in ("posts", "layouts", "bookmarks", "screens"):
        with django_assert_max_num_queries(14):
            assert len(head.get(path).json()["items"]) >= 20
