"""The pages of cameras: who sees which, what is found, what is saved."""

import datetime
from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.cameras.filling import filled
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import enact
from xomyen.centre.api.tokens import make_token
from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, Node, Site
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import DocumentKind, MandateDocument
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]


@pytest.fixture
def officer(province: Province, appoint: Appoint, signed_in: SignedIn) -> Client:
    return signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))


def test_a_list_shows_the_cameras_of_ones_units_and_nothing_of_others(officer: Client, province: Province) -> None:
    text = officer.get("/cameras/").content.decode()
    assert "Sân nhà văn hóa" in text
    assert "Cổng hộ số 17" in text
    assert "bí mật" not in text


def test_a_group_head_sees_the_public_cameras_of_the_group_alone(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    head = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    text = head.get("/cameras/").content.decode()
    assert "Sân nhà văn hóa" in text
    assert "Cổng hộ số 17" not in text
    page = head.get(f"/cameras/{province.public.pk}/").content.decode()
    assert "192.0.2.1" not in page
    for path in ("", "edit/", "state/"):
        assert head.get(f"/cameras/{province.private.pk}/{path}").status_code == 404
    assert head.get(f"/cameras/{province.public.pk}/edit/").status_code == 403
    assert head.get("/cameras/add/").status_code == 403
    assert head.get("/recorders/").status_code == 403


@pytest.mark.parametrize(
    ("typed", "found"),
    [("san nha", True), ("Sân nhà", True), ("sán nhà", False), ("c14", True), ("khong co", False)],
)
def test_search_ignores_marks_unless_they_are_typed(officer: Client, typed: str, found: bool) -> None:
    text = officer.get("/cameras/", {"q": typed}).content.decode()
    assert ("C14 Sân nhà văn hóa" in text) is found


def test_the_list_is_narrowed_by_unit_state_and_owner(officer: Client, province: Province) -> None:
    Camera.objects.filter(pk=province.neighbour.pk).update(acceptance=Acceptance.SUSPENDED, owner="household")
    for query in (
        {"unit": province.other_group.pk},
        {"state": "suspended"},
        {"owner": "household"},
        {"unit": province.commune.pk, "state": "suspended"},
    ):
        text = officer.get("/cameras/", query).content.decode()
        assert "Vào xã" in text, query
        assert "C14" not in text, query


def test_retired_cameras_are_shown_only_where_they_are_asked_for(officer: Client, province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(acceptance=Acceptance.RETIRED)
    assert "C14" not in officer.get("/cameras/").content.decode()
    assert "C14" in officer.get("/cameras/", {"state": "retired"}).content.decode()


@pytest.mark.parametrize("query", [{"unit": "x"}, {"state": "x", "owner": "y"}, {"page": "999"}, {"node": "1"}])
def test_what_cannot_be_read_in_an_address_is_as_if_it_were_not_there(officer: Client, query: dict[str, str]) -> None:
    assert "C14" in officer.get("/cameras/", query).content.decode()


def test_the_number_of_queries_does_not_grow_with_cameras(
    officer: Client, province: Province, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(60):
        make_camera(province.group, province.node, f"N{number:02}", f"Ngõ {number}")
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        first = officer.get("/cameras/").content.decode()
    assert first.count('class="camera-name"') == 50
    assert officer.get("/cameras/", {"page": 2}).content.decode().count('class="camera-name"') == 13


def test_a_camera_is_entered_by_typing(technician: Client, province: Province) -> None:
    answer = technician.post("/cameras/add/", filled(province))
    camera = Camera.objects.get(code="C50")
    assert answer.status_code == 302
    assert answer["Location"] == f"/cameras/{camera.pk}/"
    assert (camera.standing, camera.acceptance, camera.main_url) == ("pending", "installed", "rtsp://192.0.2.7/main")
    assert [step.state for step in camera.steps.all()] == ["installed"]
    page = technician.get(f"/cameras/{camera.pk}/").content.decode()
    assert "Trục thôn" in page
    assert "rtsp://192.0.2.7/main" in page


def test_where_there_is_but_one_to_choose_it_is_chosen(technician: Client, province: Province) -> None:
    form = technician.get("/cameras/add/").context["form"]
    assert str(form["node"].value()) == str(province.node.pk)
    assert (form["site"].value(), form["camera_class"].value()) == (None, None)  # of several
    CameraClass.objects.exclude(pk=province.public.camera_class_id).delete()
    form = technician.get("/cameras/add/").context["form"]
    assert form["camera_class"].value() == province.public.camera_class_id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": ""}, "code"),
        ({"main_url": "192.0.2.7"}, "main_url"),
        ({"main_url": "rtsp:///main"}, "main_url"),
        ({"main_url": "file:///etc/passwd"}, "main_url"),
        ({"main_url": "rtsp://a b/"}, "main_url"),
        ({"main_url": "", "sub_url": "rtsp://192.0.2.7/sub"}, "main_url"),
        ({"masks": "[[[0,0],[2,0],[1,1]]]"}, "masks"),
        ({"masks": "[[[0,0],[1,1]]]"}, "masks"),
        ({"masks": "[[[0,0],[0.5,0.5],[1,1]]]"}, "masks"),
        ({"masks": "{"}, "masks"),
        ({"azimuth_deg": "400"}, "azimuth_deg"),
        ({"code": "c14", "name": "SAN nha van hoa", "site": "other"}, "name"),
        ({"user": "a:b"}, "user"),
        ({"password": "x", "node": ""}, "password"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    technician: Client, province: Province, changes: dict[str, object], field: str
) -> None:
    if changes.get("site") == "other":
        changes = {**changes, "site": province.neighbour.site_id}
    answer = technician.post("/cameras/add/", filled(province, **changes))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not Camera.objects.filter(code="C50").exists()


def test_nobody_enters_a_camera_at_a_site_of_another_unit_or_on_its_recorder(
    technician: Client, province: Province
) -> None:
    for changes in ({"site": province.secret.site_id}, {"node": province.other_node.pk}):
        answer = technician.post("/cameras/add/", filled(province, **changes))
        assert list(answer.context["form"].errors) == list(changes)
    text = technician.get("/cameras/add/").content.decode()
    assert "Bên Sông" not in text


def test_who_may_not_accept_cannot_enter_an_accepted_camera(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    head = signed_in(appoint(Role.POLICE_HEAD, unit=province.commune))
    answer = head.post("/cameras/add/", filled(province, acceptance="accepted"))
    assert list(answer.context["form"].errors) == ["acceptance"]
    assert head.post("/cameras/add/", filled(province)).status_code == 302
    camera = Camera.objects.get(code="C50")
    assert head.post(f"/cameras/{camera.pk}/step/", {"state": "accepted"}).status_code == 403


def test_of_two_who_edit_the_later_one_is_told_and_nothing_is_overwritten(
    technician: Client, province: Province
) -> None:
    camera = province.public
    page = f"/cameras/{camera.pk}/edit/"
    form = filled(province, code="C14", name="Sân", revision=camera.revision)
    assert technician.post(page, form).status_code == 302
    late = technician.post(page, {**form, "name": "Sân lễ"})
    assert late.status_code == 409
    assert late.context["form"].non_field_errors()
    camera.refresh_from_db()
    assert camera.name == "Sân"
    assert camera.revision == form["revision"] + 1


def test_a_camera_goes_through_its_states_with_who_when_and_why(
    technician: Client, province: Province, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    technician.post("/cameras/add/", filled(province, acceptance="planned", node="", main_url=""))
    camera = Camera.objects.get(code="C50")
    page = f"/cameras/{camera.pk}/step/"
    for state in ("installed", "accepted"):
        technician.post(page, {"state": state, "note": "Biên bản 12"})
    technician.post(page, {"state": "planned"})  # not from here
    technician.post(page, {"state": "retired"})  # no reason
    camera.refresh_from_db()
    assert camera.acceptance == "accepted"
    technician.post(page, {"state": "retired", "note": "Cột đổ"})
    camera.refresh_from_db()
    assert camera.acceptance == "retired"
    assert [(one.state, one.note) for one in camera.steps.all()] == [
        ("planned", ""),
        ("installed", "Biên bản 12"),
        ("accepted", "Biên bản 12"),
        ("retired", "Cột đổ"),
    ]
    assert all(one.by is not None for one in camera.steps.all())


def test_who_accepts_a_camera_is_told_where_it_waits_for_that(officer: Client, province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(acceptance="installed", standing="in_force")
    assert "Phòng Kỹ thuật hình sự" in officer.get(f"/cameras/{province.public.pk}/").content.decode()


def test_the_page_answers_nothing_while_nothing_changed(technician: Client, province: Province) -> None:
    first = technician.get(f"/cameras/{province.public.pk}/state/")
    mark = first.context["mark"]
    assert technician.get(f"/cameras/{province.public.pk}/state/", {"seen": mark}).status_code == 204
    Camera.objects.filter(pk=province.public.pk).update(standing="away")
    assert technician.get(f"/cameras/{province.public.pk}/state/", {"seen": mark}).status_code == 200


def test_the_history_says_who_changed_what(technician: Client, province: Province) -> None:
    form = filled(province, code="C14", name="Sân", revision=province.public.revision)
    technician.post(f"/cameras/{province.public.pk}/edit/", form)
    changes = technician.get(f"/cameras/{province.public.pk}/").context["changes"]
    assert "tên" in " ".join(changes[0].what).lower()
    assert changes[0].by.startswith("Lương Khê")


def test_a_camera_without_a_history_has_its_page_all_the_same(technician: Client, province: Province) -> None:
    Camera.history.all().delete()
    assert technician.get(f"/cameras/{province.public.pk}/").context["changes"] == []


def test_sites_are_entered_changed_and_found(technician: Client, province: Province) -> None:
    form = {"unit": province.group.pk, "code": "S06", "name": "Nhà văn hóa", "latitude": "21.0338"}
    answer = technician.post("/sites/add/", form)
    assert answer.context["form"].non_field_errors()
    answer = technician.post("/sites/add/?then=camera", {**form, "longitude": "106.0918"})
    site = Site.objects.get(code="S06")
    assert answer["Location"] == f"/cameras/add/?site={site.pk}"
    assert "S06" in technician.get("/sites/", {"q": "nha van"}).content.decode()
    page = f"/sites/{site.pk}/edit/"
    half = technician.post(page, {**form, "revision": 1})
    assert (bool(half.context["form"].errors), None in half.context["start"]["box"]) == (True, False)
    change = {**form, "longitude": "106.0918", "name": "Nhà văn hóa thôn Đông", "revision": 1}
    assert technician.post(page, change).status_code == 302
    assert technician.post(page, change).status_code == 409
    assert technician.post("/sites/add/", {**form, "unit": province.other_commune.pk}).context["form"].errors["unit"]
    assert technician.get(f"/sites/{province.secret.site_id}/").status_code == 404


def test_the_search_finds_cameras_by_a_sites_new_name(technician: Client, province: Province) -> None:
    site = province.public.site
    form = {"unit": province.group.pk, "code": site.code, "name": "Ngã năm", "revision": site.revision}
    assert technician.post(f"/sites/{site.pk}/edit/", form).status_code == 302
    assert "C14" in technician.get("/cameras/", {"q": "nga nam"}).content.decode()


def test_a_group_head_sees_no_site_of_private_cameras_alone(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    head = signed_in(person)
    Camera.objects.filter(pk=province.neighbour.pk).update(site=province.public.site, is_public=False)
    shown = list(head.get("/sites/").context["page"])
    assert [(site.pk, site.number) for site in shown] == [(province.public.site_id, 1)]
    assert head.get(f"/sites/{province.private.site_id}/").status_code == 404
    _token, secret = make_token(person, "t", ["cameras:read"], datetime.timedelta(days=2))
    answer = Client().get("/api/v1/sites", HTTP_AUTHORIZATION=f"Bearer {secret}").json()
    assert [site["id"] for site in answer["items"]] == [str(province.public.site_id)]
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert officer.get(f"/sites/{province.private.site_id}/").status_code == 200
    assert {site.number for site in officer.get("/sites/").context["page"]} == {0, 1, 2}


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://camera.giakhe.example:8460", True),
        ("http://[fe80::1]:8460", True),
        ("http://127.0.0.1:8460/", True),
        ("https://a.example;script-src-elem", False),
        ("https://a.example,https://b.example", False),
        ("https://*.example", False),
        ("https://a.example:123456", False),
        ("https://a.example/path", False),
        ("https://a.example'unsafe-inline'", False),
    ],
)
def test_a_recorders_address_is_an_origin_and_nothing_that_widens_the_pages_policy(
    technician: Client, province: Province, address: str, good: bool
) -> None:
    node = province.node
    version = technician.get(f"/recorders/{node.pk}/edit/").context["form"]["version"].value()
    form = {"name": node.name, "unit": node.unit_id, "address": address, "version": version}
    assert technician.post(f"/recorders/{node.pk}/edit/", form).status_code == (302 if good else 200)


def test_an_address_that_is_no_origin_becomes_no_part_of_the_policy(officer: Client, province: Province) -> None:
    Node.objects.filter(pk=province.node.pk).update(address="https://a.example;script-src-elem https://b.example")
    assert "script-src-elem" not in officer.get("/live").headers["Content-Security-Policy"]


def test_classes_are_changed_by_those_who_set_rules_wherever_the_class_is_used(
    technician: Client, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    used = province.public.camera_class
    assert used.name in technician.get("/cameras/classes/").content.decode()
    form = {"name": used.name, "retention_days": 20}
    assert technician.post(f"/cameras/classes/{used.pk}/", form).status_code == 403
    chief = signed_in(appoint(Role.POLICE_HEAD, unit=province.commune))
    # Cameras of another commune are of this class as well.
    assert chief.post(f"/cameras/classes/{used.pk}/", form).status_code == 403
    above = signed_in(appoint(Role.ADMINISTRATOR, unit=province.province))
    assert above.post(f"/cameras/classes/{used.pk}/", {**form, "retention_days": 400}).status_code == 200
    version = above.get(f"/cameras/classes/{used.pk}/").context["form"]["version"].value()
    assert above.post(f"/cameras/classes/{used.pk}/", {**form, "version": version}).status_code == 302
    used.refresh_from_db()
    assert used.retention_days == 20
    assert chief.post("/cameras/classes/add/", {"name": "Bến xe", "retention_days": 30}).status_code == 302


def test_recorders_are_found_by_name(technician: Client, province: Province) -> None:
    assert "Đầu ghi Gia Khê" in technician.get("/recorders/", {"q": "gia khe"}).content.decode()
    assert list(technician.get("/recorders/", {"q": "bên sông"}).context["page"]) == []


def test_a_camera_names_the_paper_it_rests_on(technician: Client, province: Province) -> None:
    day = datetime.date(2026, 3, 2)
    own, above, others = (
        MandateDocument.objects.create(
            unit=unit, kind=DocumentKind.DECISION, number=number, title="Lắp đặt camera", issuer="UBND", issued=day
        )
        for unit, number in (
            (province.commune, "12/QĐ-UBND"),
            (province.province, "7/QĐ-UBND"),
            (province.other_commune, "9/QĐ-UBND"),
        )
    )
    answer = technician.post("/cameras/add/", filled(province, document=others.pk))
    assert list(answer.context["form"].errors) == ["document"]
    for paper in (own, above):
        assert technician.post("/cameras/add/", filled(province, document=paper.pk)).status_code == 302
        camera = Camera.objects.get(code="C50")
        assert paper.number in technician.get(f"/cameras/{camera.pk}/").content.decode()
        listed = technician.get("/cameras/", {"document": paper.pk}).content.decode()
        assert "C50" in listed
        assert "C01" not in listed
        camera.delete()
    assert f"?document={own.pk}" in technician.get(f"/documents/{own.pk}/").content.decode()
    form = {"select": "id_document", "name": "document", "q": "qd-ubnd"}
    found = technician.get("/cameras/pick/document/", form).content.decode()
    assert "12/QĐ-UBND" in found
    assert "9/QĐ-UBND" not in found


def test_who_turns_a_camera_sees_its_picture_beside_the_buttons(
    province: Province, appoint: Appoint, signed_in: Callable[[User], Client]
) -> None:
    turning = {"ptz": True, "onvif_address": "http://192.0.2.1/onvif", "ptz_profile": "main", "in_force": {"id": "x"}}
    Camera.objects.filter(pk=province.public.pk).update(**turning)
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    page = officer.get(f"/cameras/{province.public.pk}/")
    assert "<xy-camera-live" in page.content.decode()
    assert "http://testserver:8460" in page["Content-Security-Policy"]  # the node beside this centre
    still = officer.get(f"/cameras/{province.neighbour.pk}/")
    assert "<xy-camera-live" not in still.content.decode()
    assert "http://testserver:8460" not in still["Content-Security-Policy"]
    # The page does not ask for a picture that would lead away from it, to the regulation.
    enact(province.commune, None, today(), "Quy chế", "Điều 1")
    waiting = officer.get(f"/cameras/{province.public.pk}/")
    assert waiting.status_code == 200
    assert "<xy-camera-live" not in waiting.content.decode()
    assert "http://testserver:8460" not in waiting["Content-Security-Policy"]
