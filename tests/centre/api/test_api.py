"""What the API answers: within one's units, in pages, with ETags, and refusals as problems."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.api.conftest import Program
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import Appointment
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Camera, CameraClass, Site
from xomyen.centre.permissions.roles import Role

Speak = Callable[..., Program]


@pytest.fixture
def head(province: Province, appoint: Appoint, program: Speak) -> Program:
    """The head of the commune's police."""
    return program(appoint(Role.POLICE_HEAD, unit=province.commune))


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    found: dict[str, Any] = answer.json()
    assert (found["type"], found["status"]) == (f"urn:xomyen:{code}", status)
    assert found["title"]
    return found


def test_the_description_is_open_and_tells_of_every_kind_of_thing(db: None) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    kinds = {path.split("/")[3] for path in paths}
    assert kinds >= {"units", "people", "appointments", "nodes", "sites", "cameras", "tickets", "audit", "me"}


def test_without_a_token_that_counts_nothing_is_answered(province: Province, signed_in: Any, appoint: Appoint) -> None:
    answer = Client().get("/api/v1/cameras")
    problem(answer, 401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    problem(Program("xyc_no").get("cameras"), 401, "unauthorized")
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    problem(signed_in(person).get("/api/v1/cameras"), 401, "unauthorized")


def test_a_token_allows_no_more_than_its_scopes(province: Province, appoint: Appoint, program: Speak) -> None:
    own = program(appoint(Role.POLICE_HEAD, unit=province.commune), ["units:read"], **{"Accept-Language": "en"})
    assert own.get("units").status_code == 200
    found = problem(own.get("cameras"), 403, "scope_missing")
    assert found["detail"] == "The token may not be used for this: cameras:read."


def test_a_role_allows_no_more_than_on_the_pages(province: Province, appoint: Appoint, program: Speak) -> None:
    own = program(appoint(Role.GROUP_HEAD, unit=province.group))
    assert [one["code"] for one in own.get("cameras").json()["items"]] == ["C14"]
    problem(own.get("people"), 403, "forbidden")
    problem(own.get("audit"), 403, "forbidden")
    problem(own.send("PATCH", f"cameras/{province.public.pk}", {"name": "Khác"}), 403, "forbidden")
    assert own.get(f"cameras/{province.public.pk}").json()["technical"] is None


def test_what_lies_outside_ones_units_is_not_there(province: Province, head: Program) -> None:
    for path in (
        f"cameras/{province.secret.pk}",
        f"sites/{province.secret.site_id}",
        f"nodes/{province.other_node.pk}",
        f"units/{province.other_commune.pk}",
        f"cameras/{uuid.uuid4()}",
    ):
        problem(head.get(path), 404, "not_found")
    problem(
        head.send("PATCH", f"cameras/{province.secret.pk}", {"name": "Khác"}, **{"If-Match": "*"}), 404, "not_found"
    )
    problem(head.send("POST", "tickets", {"cameras": [province.secret.pk]}), 404, "not_found")
    problem(head.get("nothing"), 404, "not_found")


def test_problems_are_in_the_callers_language(province: Province, appoint: Appoint, program: Speak) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    vietnamese = problem(program(person).get(f"cameras/{uuid.uuid4()}"), 404, "not_found")
    english = program(person, **{"Accept-Language": "en"}).get("cameras", {"limit": 0})
    found = problem(english, 422, "invalid")
    assert found["errors"] == [
        {"field": "query.limit", "code": "greater_than_equal", "text": "This number is too small."}
    ]
    assert vietnamese["title"] == "Không tìm thấy nội dung này."


def test_lists_come_in_pages_that_hold_everything_once(province: Province, head: Program) -> None:
    for number in range(5):
        make_camera(province.group, province.node, f"C3{number}", f"Máy {number}")
    seen: list[str] = []
    cursor = ""
    while True:
        answer = head.get("cameras", {"limit": 3, "cursor": cursor}).json()
        assert len(answer["items"]) <= 3
        seen += [one["code"] for one in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert sorted(seen) == ["C01", "C14", "C21", "C30", "C31", "C32", "C33", "C34"]
    problem(head.get("cameras", {"cursor": "é"}), 422, "invalid_cursor")


def test_lists_are_narrowed_down(province: Province, head: Program) -> None:
    def codes(**query: Any) -> list[str]:
        return sorted(one["code"] for one in head.get("cameras", query).json()["items"])

    assert codes(q="nha van hoa") == ["C14"]
    assert codes(unit=province.other_group.pk) == ["C01"]
    assert codes(unit=province.other_commune.pk) == []
    assert codes(acceptance="planned") == []
    units = head.get("units", {"kind": "group"}).json()["items"]
    assert {one["code"] for one in units} == {"90001-01", "90001-03"}
    assert {one["parent"] for one in units} == {str(province.commune.pk)}


def test_what_the_caller_has_is_not_sent_again(province: Province, head: Program) -> None:
    first = head.get(f"cameras/{province.public.pk}")
    again = head.get(f"cameras/{province.public.pk}", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    province.public.refused = "khác"
    province.public.save()
    assert head.get(f"cameras/{province.public.pk}", **{"If-None-Match": first["ETag"]}).status_code == 200
    listed = head.get("cameras")
    assert head.get("cameras", **{"If-None-Match": f'"x", {listed["ETag"]}'}).status_code == 304


def test_a_change_wants_the_version_it_is_of(province: Province, head: Program) -> None:
    path = f"cameras/{province.public.pk}"
    tag = head.get(path)["ETag"]
    problem(head.send("PATCH", path, {"name": "Sân mới"}), 428, "version_missing")
    changed = head.send("PATCH", path, {"name": "Sân mới"}, **{"If-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "Sân mới")
    problem(head.send("PATCH", path, {"name": "Sân cũ"}, **{"If-Match": tag}), 412, "stale")
    assert head.send("PATCH", path, {"purpose": "Khác"}, **{"If-Match": changed["ETag"]}).status_code == 200
    chain_pending()
    row = Record.objects.filter(action="camera.changed", thing=str(province.public.pk)).earliest("sequence")
    assert row.details["changes"] == {"name": ["Sân nhà văn hóa", "Sân mới"]}
    assert row.person_name == "Lương Khê Số 1"


def test_a_camera_is_entered_by_the_rules_of_the_pages(province: Province, head: Program) -> None:
    site = head.send("POST", "sites", {"unit": province.group.pk, "code": "S50", "name": "Cổng làng"})
    assert site.status_code == 201
    new = {
        "site": site.json()["id"], "code": "C50", "name": "Cổng làng", "purpose": "Trật tự",
        "camera_class": CameraClass.objects.earliest("id").pk, "node": province.node.pk,
        "main_url": "rtsp://192.0.2.9/1",
    }  # fmt: skip
    made = head.send("POST", "cameras", new)
    assert made.status_code == 201, made.content
    assert made.json()["technical"]["main_url"] == "rtsp://192.0.2.9/1"
    again = problem(head.send("POST", "cameras", new), 422, "invalid")
    assert again["errors"]
    elsewhere = new | {"site": province.secret.site_id, "code": "C51", "name": "Bến đò"}
    refused = problem(head.send("POST", "cameras", elsewhere), 422, "invalid")
    assert [one["field"] for one in refused["errors"]] == ["body.site"]
    assert Camera.objects.filter(code="C51").count() == 0
    assert Site.objects.filter(code="S50").count() == 1


def test_a_camera_goes_from_state_to_state(province: Province, head: Program) -> None:
    path = f"cameras/{province.public.pk}/steps"
    problem(head.send("POST", path, {"state": "planned"}), 409, "no_such_step")
    problem(head.send("POST", path, {"state": "suspended"}), 422, "reason_missing")
    done = head.send("POST", path, {"state": "suspended", "note": "Sửa cột"})
    assert done.json()["acceptance"] == "suspended"


def test_the_password_of_a_camera_is_never_told(province: Province, head: Program) -> None:
    province.public.sealed_password = "niêm phong"
    province.public.save()
    answer = head.get(f"cameras/{province.public.pk}")
    assert answer.json()["technical"]["password_set"] is True
    assert "niêm phong" not in answer.content.decode()


def test_somebody_is_appointed_and_dismissed(province: Province, appoint: Appoint, program: Speak) -> None:
    head = program(appoint(Role.POLICE_HEAD, unit=province.commune))
    officer = appoint(Role.SECURITY_TEAM, unit=province.commune)
    made = head.send(
        "POST", "appointments", {"person": officer.pk, "role": "duty_officer", "unit": province.commune.pk}
    )
    assert made.status_code == 201, made.content
    listed = head.get("people", {"role": "duty_officer"}).json()["items"]
    assert [one["id"] for one in listed] == [str(officer.pk)]
    assert head.send("POST", f"appointments/{made.json()['id']}/end").status_code == 204
    assert not Appointment.objects.filter(pk=made.json()["id"]).exists()
    above = {"person": officer.pk, "role": "duty_officer", "unit": province.province.pk}
    problem(head.send("POST", "appointments", above), 404, "not_found")


def test_tickets_are_issued_for_ones_cameras_and_recorded(province: Province, appoint: Appoint, program: Speak) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    wish = {"cameras": [province.public.pk, province.secret.pk], "use": "live", "purpose": "Tuần tra"}
    answer = program(officer).send("POST", "tickets", wish)
    assert answer.status_code == 201, answer.content
    assert [one["cameras"] for one in answer.json()["tickets"]] == [[str(province.public.pk)]]
    chain_pending()
    row = Record.objects.get(action="ticket.issued")
    assert (row.person, row.thing, row.purpose) == (str(officer.pk), str(province.public.pk), "Tuần tra")


def test_the_audit_log_is_read_and_that_is_recorded(province: Province, appoint: Appoint, program: Speak) -> None:
    own = program(appoint(Role.AUDITOR, unit=province.commune))
    chain_pending()
    rows = own.get("audit", {"camera": "C14"}).json()["items"]
    assert [row["action"] for row in rows] == ["camera.added"]
    assert own.get(f"audit/{rows[0]['sequence']}").json() == rows[0]
    hidden = Record.objects.get(action="camera.added", thing=str(province.secret.pk))
    problem(own.get(f"audit/{hidden.sequence}"), 404, "not_found")
    chain_pending()
    assert Record.objects.filter(action="audit.read").count() == 2


def test_a_method_that_there_is_not_is_a_problem(head: Program) -> None:
    answer = head.send("DELETE", "cameras")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_a_body_that_is_no_json_is_a_problem(head: Program) -> None:
    answer = head._client.generic("POST", "/api/v1/sites", b"{", content_type="application/json", headers=head._headers)
    problem(answer, 400, "unreadable")


def test_the_number_of_queries_does_not_grow_with_the_rows(
    province: Province, head: Program, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        make_camera(province.group, province.node, f"C5{number}", f"Máy {number}")
    for path, most in (("cameras", 12), ("sites", 12), ("units", 14), ("people", 14), ("nodes", 12)):
        with django_assert_max_num_queries(most):
            assert head.get(path).status_code == 200
