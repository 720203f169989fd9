"""What programs write of schemes, documents, ended units and tables of cameras, and read of a camera's course."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from tests.centre.api.conftest import Program, refused
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import Regulation
from xomyen.centre.cameras import services
from xomyen.centre.cameras.models import Acceptance, Camera, Site
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import DocumentKind, MandateDocument, Scheme
from xomyen.centre.permissions.roles import Role

Speak = Callable[..., Program]
DAY = datetime.timedelta(days=1)


def paper(unit: Any, number: str = "27/QĐ-UBND") -> MandateDocument:
    return MandateDocument.objects.create(
        unit=unit, kind=DocumentKind.DECISION, number=number, title="Lắp camera", issuer="UBND", issued=today()
    )


def test_a_scheme_is_entered_changed_and_ended(province: Province, head: Program) -> None:
    own, above = paper(province.commune), paper(province.province, "9/NQ")
    new = {"unit": province.commune.pk, "name": "Camera an ninh", "groups": [province.group.pk], "documents": [own.pk]}
    made = head.send("POST", "schemes", new)
    assert made.status_code == 201, made.content
    path = f"schemes/{made.json()['id']}"
    scheme = Scheme.objects.get()
    scheme.documents.add(above)
    tag = head.get(path)["ETag"]
    both = [province.group.pk, province.other_group.pk]
    changed = head.send("PATCH", path, {"groups": both, "documents": []}, **{"If-Match": tag})
    assert (len(changed.json()["groups"]), changed.json()["documents"]) == (2, []), changed.content
    assert [one.pk for one in scheme.documents.all()] == [above.pk]  # nobody drops what they do not see
    cleared = head.send("PATCH", path, {"groups": None, "launched": None}, **{"If-Match": "*"})
    assert len(cleared.json()["groups"]) == 2
    assert len(head.get("schemes", {"q": "an ninh"}).json()["items"]) == 1
    assert head.get("schemes", {"q": "àn ninh"}).json()["items"] == []
    refused(head.send("PATCH", path, {"name": "Khác"}, **{"If-Match": tag}), 412, "stale")
    outside = {"groups": [province.other_commune.pk]}
    refused(head.send("PATCH", path, outside, **{"If-Match": "*"}), 422, "invalid")
    assert head.get("schemes", {"document": above.pk}).json()["items"] == []
    ended = head.send("POST", f"{path}/end", {"valid_to": str(today() + DAY)})
    assert ended.json()["valid_to"] == str(today() + DAY)
    refused(head.send("POST", f"{path}/end", {"valid_to": str(today() + 2 * DAY)}), 422, "invalid")


def test_schemes_and_documents_of_others_are_not_there(province: Province, head: Program, program: Speak) -> None:
    scheme = Scheme.objects.create(unit=province.other_commune, name="Bên Sông")
    far = paper(province.other_commune)
    for path in (f"schemes/{scheme.pk}", f"documents/{far.pk}"):
        refused(head.get(path), 404, "not_found")
        refused(head.send("PATCH", path, {}, **{"If-Match": "*"}), 404, "not_found")
    refused(head.send("POST", f"schemes/{scheme.pk}/end", {"valid_to": str(today())}), 404, "not_found")
    refused(head.send("POST", "schemes", {"unit": province.other_commune.pk, "name": "X"}), 404, "not_found")


def test_a_documents_entry_is_mended(province: Province, appoint: Appoint, program: Speak, head: Program) -> None:
    found = paper(province.commune)
    path = f"documents/{found.pk}"
    refused(head.send("PATCH", path, {"title": "Khác"}), 428, "version_missing")
    tag = head.get(path)["ETag"]
    until = {"title": "Lắp camera khu dân cư", "valid_to": str(today() + DAY)}
    changed = head.send("PATCH", path, until, **{"If-Match": tag})
    assert (changed.json()["title"], changed.json()["valid_to"]) == (until["title"], until["valid_to"])
    assert changed.json()["number"] == "27/QĐ-UBND"
    refused(head.send("PATCH", path, {"title": "Khác"}, **{"If-Match": tag}), 412, "stale")
    officer = program(appoint(Role.DUTY_OFFICER, unit=province.commune))
    refused(officer.send("PATCH", path, {"title": "Khác"}, **{"If-Match": "*"}), 403, "forbidden")


def test_what_an_ended_unit_leaves_is_told_and_handed_over(
    province: Province, appoint: Appoint, program: Speak, head: Program
) -> None:
    office = program(appoint(Role.ADMINISTRATOR, unit=province.province))
    group, other = province.group, province.other_group
    closing = {"successor": other.pk, "basis": "Sáp nhập"}
    assert office.send("POST", f"units/{group.pk}/close", closing).status_code == 200
    (matters,) = office.get("open-matters").json()["items"]
    assert (matters["unit"], len(matters["sites"])) == (str(group.pk), 2)
    assert office.get("open-matters", {"limit": 1}).json()["next"] is None
    path = f"units/{group.pk}/hand-over"
    refused(head.send("POST", path, {"successor": other.pk}), 403, "forbidden")
    refused(office.send("POST", path, {"successor": province.other_commune.pk}), 422, "invalid")
    assert office.send("POST", path, {"successor": other.pk}).status_code == 200
    assert Site.objects.filter(unit=other).count() == 3
    assert office.get("open-matters").json()["items"] == []
    technician = program(appoint(Role.TECHNICIAN, unit=province.province))
    refused(technician.get("open-matters"), 403, "forbidden")


def test_a_table_of_cameras_is_checked_then_taken_in_as_a_whole(
    province: Province, appoint: Appoint, head: Program, program: Speak
) -> None:
    rows = [["Mã điểm", "site_name", "code", "name", "purpose"], ["S80", "Đình làng", "C80", "Cổng đình", "Trật tự"]]
    table = {"unit": province.group.pk, "rows": [*rows, ["S80", "", "", "", ""]]}
    wrong = head.send("POST", "camera-imports", table)
    assert wrong.status_code == 201, wrong.content
    assert [one["row"] for one in wrong.json()["faults"]] == [3]
    refused(head.send("POST", f"camera-imports/{wrong.json()['id']}/take-in"), 409, "import_has_faults")
    checked = head.send("POST", "camera-imports", table | {"rows": rows}).json()
    assert (checked["new"], checked["faults"], checked["taken_in"]) == (1, [], False)
    path = f"camera-imports/{checked['id']}"
    assert head.get(path).json() == checked
    refused(program(appoint(Role.POLICE_HEAD, unit=province.commune)).get(path), 404, "not_found")
    refused(head.get(f"camera-imports/{wrong.json()['id']}"), 404, "not_found")
    assert head.send("POST", f"{path}/take-in").json()["taken_in"] is True
    assert Camera.objects.get(code="C80").site.unit == province.group
    refused(head.send("POST", f"{path}/take-in"), 409, "taken_in_already")
    refused(head.send("POST", "camera-imports", table | {"unit": province.other_commune.pk}), 404, "not_found")
    refused(head.send("POST", "camera-imports", table | {"rows": [["x"], ["y"]]}), 422, "invalid")


def test_how_a_camera_came_to_its_state_is_told_as_on_its_page(
    province: Province, appoint: Appoint, head: Program, program: Speak
) -> None:
    camera = make_camera(province.group, province.node, "C60", "Cổng chợ", owner_name="Hộ ông Tư", funding="Góp")
    technician = appoint(Role.TECHNICIAN, unit=province.commune)
    services.take_step(camera, Acceptance.SUSPENDED, technician, "Sửa cột")
    services.take_step(Camera.objects.get(pk=camera.pk), Acceptance.ACCEPTED, technician)
    path = f"cameras/{camera.pk}"
    steps = head.get(f"{path}/steps").json()["items"]
    assert [(one["state"], one["note"]) for one in steps] == [("suspended", "Sửa cột"), ("accepted", "")]
    assert steps[0]["by"] == technician.full_name
    assert head.get(f"{path}/changes").json()[0]["what"] == ["state"]
    state = head.get(f"{path}/state").json()
    assert (state["standing"], state["records"], state["next_steps"]) == ("pending", True, ["suspended", "retired"])
    assert head.get(path).json()["owner_name"] == "Hộ ông Tư"
    group = program(appoint(Role.GROUP_HEAD, unit=province.group))
    assert {(one["by"], one["note"]) for one in group.get(f"{path}/steps").json()["items"]} == {("", "")}
    shown = group.get(path).json()
    assert (shown["owner_name"], shown["funding"], shown["node"], shown["technical"]) == ("", "", None, None)
    refused(group.get(f"{path}/changes"), 403, "forbidden")
    for what in ("state", "steps", "changes"):
        refused(head.get(f"cameras/{province.secret.pk}/{what}"), 404, "not_found")


def test_what_a_recorder_refused_is_sent_again(province: Province, head: Program) -> None:
    Camera.objects.filter(pk=province.public.pk).update(standing="refused", refused="no", refused_field="main")
    path = f"cameras/{province.public.pk}"
    assert "main stream" in head.get(f"{path}/state").json()["refusal"]
    assert head.send("POST", f"{path}/try-again").json()["standing"] == "pending"
    refused(head.send("POST", f"{path}/take-recorders"), 412, "stale")
    refused(head.send("POST", f"cameras/{province.secret.pk}/try-again"), 404, "not_found")


def test_a_camera_names_the_document_it_rests_on_to_those_who_see_it(province: Province, head: Program) -> None:
    own, above = paper(province.commune), paper(province.province, "9/NQ")
    path = f"cameras/{province.public.pk}"
    changed = head.send("PATCH", path, {"document": own.pk}, **{"If-Match": "*"})
    assert changed.json()["document"] == str(own.pk), changed.content
    assert [one["code"] for one in head.get("cameras", {"document": own.pk}).json()["items"]] == ["C14"]
    Camera.objects.filter(pk=province.public.pk).update(document=above)
    assert head.get(path).json()["document"] is None
    refused(head.send("PATCH", path, {"document": uuid.uuid4()}, **{"If-Match": "*"}), 422, "invalid")


def test_a_site_goes_to_another_unit_of_ones_own(province: Province, head: Program) -> None:
    path = f"sites/{province.public.site_id}"
    moved = head.send("PATCH", path, {"unit": province.other_group.pk}, **{"If-Match": head.get(path)["ETag"]})
    assert moved.json()["unit"] == str(province.other_group.pk)
    refused(head.send("PATCH", path, {"unit": province.other_commune.pk}, **{"If-Match": "*"}), 422, "invalid")


def test_lists_ask_no_more_for_more_rows(province: Province, head: Program, django_assert_max_num_queries: Any) -> None:
    future = today() + DAY
    for number in range(20):
        Regulation.objects.create(unit=province.commune, version=number, title=f"{number}", text="", valid_from=future)
        found = paper(province.commune, f"{number}/QĐ")
        Camera.objects.filter(pk=province.public.pk).update(document=found)
        made = make_camera(province.group, province.node, f"C5{number}", f"Máy {number}", document=found)
        scheme = Scheme.objects.create(unit=province.commune, name=f"Mô hình {number}")
        scheme.groups.add(province.group)
        scheme.documents.add(found)
        made.steps.create(state="accepted", at=made.created)
    for path in ("cameras", "schemes", "documents", "regulations", "camera-classes", f"cameras/{made.pk}/steps"):
        with django_assert_max_num_queries(14):
            assert head.get(path).status_code == 200
