"""A password that makers ship cameras with is kept, for recording must not wait, and told to who may change it."""

import base64
import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from nacl.public import PrivateKey
from tests.centre.cameras.filling import filled
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.api.tokens import make_token
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.factory_passwords import is_factory_password
from xomyen.centre.cameras.models import Camera, ImportBatch, Node
from xomyen.centre.link.merge import adopt
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
WARNING = "đang dùng mật khẩu mặc định của nhà sản xuất"
_STREAM = ("rtsp://192.0.2.1/1", "Đầu ghi Gia Khê", "admin", "1111")
HEAD = "Mã điểm,Tên điểm,Mã camera,Tên camera,Mục đích,Luồng chính,Đầu ghi,Tên đăng nhập,Mật khẩu"


@pytest.fixture(autouse=True)
def sealing(province: Province) -> None:
    """The recorder's key is known, so that passwords can be sealed to it."""
    key = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()
    Node.objects.filter(pk=province.node.pk).update(secrets_key=key)


def saved(client: Client, province: Province, **changes: Any) -> Any:
    """The answer to a new camera C50, or to changes of it."""
    known = Camera.objects.filter(code="C50").first()
    before = {"main_url": known.main_url, "user": known.user, "revision": known.revision} if known else {}
    values = filled(province, **{**before, **changes})
    answer = client.post(f"/cameras/{known.pk}/edit/" if known else "/cameras/add/", values)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer


def warnings(answer: Any) -> list[str]:
    return [str(one) for one in get_messages(answer.wsgi_request) if one.level_tag == "warning"]


@pytest.mark.parametrize(
    ("password", "user", "known"),
    [
        ("12345", "admin", True),
        ("ADMIN", "admin", True),
        ("Meinsm", "x", True),
        ("Cổng-Làng", "cổng-làng", True),
        ("", "", False),
        ("", "admin", False),
        ("12345 ", "admin", False),
        ("tre làng 7 lớp", "admin", False),
    ],
)
def test_makers_passwords_and_the_user_name_once_more_are_known_in_any_case(
    password: str, user: str, known: bool
) -> None:
    assert is_factory_password(password, user) is known


def test_a_typed_one_is_kept_with_a_warning_until_another_is_set(technician: Client, province: Province) -> None:
    answer = saved(technician, province, user="admin", password="Admin12345")
    camera = Camera.objects.get(code="C50")
    assert (camera.factory_password, bool(camera.sealed_password)) == (True, True)
    assert warnings(answer) == ["Mật khẩu vừa lưu cho camera C50 Trục thôn là mật khẩu mặc định của nhà sản xuất."]
    page = technician.get(f"/cameras/{camera.pk}/").content.decode()
    assert WARNING in page
    assert "admin12345" not in page.lower()
    assert warnings(saved(technician, province, name="Trục xóm")) == []  # nothing was said of the password
    assert Camera.objects.get(code="C50").factory_password
    assert warnings(saved(technician, province, password="tre làng 7 lớp")) == []
    assert not Camera.objects.get(code="C50").factory_password
    assert WARNING not in technician.get(f"/cameras/{camera.pk}/").content.decode()


def test_it_is_forgotten_when_the_password_is_removed(technician: Client, province: Province) -> None:
    saved(technician, province, user="congchao", password="CongChao")
    assert Camera.objects.get(code="C50").factory_password  # the same as the user name
    saved(technician, province, no_password="on")
    assert not Camera.objects.get(code="C50").factory_password


def test_one_inside_an_address_is_noticed(technician: Client, province: Province) -> None:
    answer = saved(technician, province, main_url="rtsp://root:pass@192.0.2.7/axis-media")
    camera = Camera.objects.get(code="C50")
    assert (camera.main_url, camera.factory_password) == ("rtsp://192.0.2.7/axis-media", True)
    assert len(warnings(answer)) == 1


def test_another_password_set_at_the_recorder_is_not_known_here(province: Province) -> None:
    camera = Camera(code="C50", sealed_password="one", factory_password=True)
    adopt(camera, {"user": "admin", "sealed_password": "one"})
    assert camera.factory_password
    adopt(camera, {"sealed_password": "other"})
    assert not camera.factory_password


def test_a_table_says_how_many_have_one_before_and_after_it_is_taken_in(technician: Client, province: Province) -> None:
    rows = (
        "S01,Cổng làng,C01,Vào làng,Ra vào,rtsp://192.0.2.1/1,Đầu ghi Gia Khê,admin,888888",
        "S01,,C02,Ra làng,Ra vào,rtsp://admin:ADMIN@192.0.2.2/1,Đầu ghi Gia Khê,,",
        "S01,,C03,Ra đồng,Ra vào,rtsp://192.0.2.3/1,Đầu ghi Gia Khê,admin,tre làng 7 lớp",
    )
    file = SimpleUploadedFile("camera.csv", "\n".join([HEAD, *rows]).encode())
    preview = technician.post("/cameras/import/", {"unit": province.commune.pk, "file": file}, follow=True)
    assert preview.context["checked"].number["factory_passwords"] == 2
    text = preview.content.decode()
    assert "2 camera trong bảng dùng mật khẩu mặc định" in text
    assert "888888" not in text + str(ImportBatch.objects.get().rows)
    taken = technician.post(preview.redirect_chain[-1][0])
    assert [one[:8] for one in warnings(taken)] == ["2 camera"]
    have = Camera.objects.filter(site__code="S01").order_by("code")
    assert list(have.values_list("factory_password", flat=True)) == [True, True, False]
    file = SimpleUploadedFile("camera.csv", "\n".join([HEAD, rows[0].replace("888888", "tre làng 7 lớp")]).encode())
    again = technician.post("/cameras/import/", {"unit": province.commune.pk, "file": file}, follow=True)
    technician.post(again.redirect_chain[-1][0])
    assert not have.get(code="C01").factory_password


def test_it_is_told_and_found_by_those_alone_who_may_change_the_camera(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    camera = province.public
    Camera.objects.filter(pk=camera.pk).update(factory_password=True, sealed_password="x", password_set=timezone.now())
    for role, told in ((Role.POLICE_HEAD, True), (Role.STEERING_MEMBER, False), (Role.GROUP_HEAD, False)):
        client = signed_in(appoint(role, unit=province.group if role == Role.GROUP_HEAD else province.commune))
        assert (WARNING in client.get(f"/cameras/{camera.pk}/").content.decode()) is told, role
        found = client.get("/cameras/?factory_password=yes")
        assert [one.pk for one in found.context["page"]] == [camera.pk] * told, role
        link = '<a href="?factory_password=yes"><strong>1</strong> dùng mật khẩu mặc định của nhà sản xuất</a>'
        assert (link in client.get("/cameras/").content.decode()) is told, role


def test_the_history_says_that_a_password_was_set_and_not_which_kind(
    technician: Client, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    saved(technician, province)
    saved(technician, province, user="admin", password="12345")
    camera = Camera.objects.get(code="C50")
    member = signed_in(appoint(Role.STEERING_MEMBER, unit=province.commune))
    page = member.get(f"/cameras/{camera.pk}/").content.decode()
    assert "mật khẩu của camera" in page.lower()
    assert "mặc định của nhà sản xuất" not in page.lower()
    saved(technician, province, password="k7-Hồng-rY")
    told = str(Pending.objects.filter(thing=camera.pk).values_list("details_json", flat=True))
    assert "password_set" in told
    assert "factory" not in told


def test_a_retired_camera_needs_no_other_password(technician: Client, province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(factory_password=True, acceptance="retired")
    assert WARNING not in technician.get(f"/cameras/{province.public.pk}/").content.decode()
    assert "factory_password" not in technician.get("/cameras/").content.decode()


def test_the_session_of_a_search_carries_the_mark_to_the_camera_that_is_added(
    technician: Client, province: Province
) -> None:
    for given, code in ((True, "C50"), (False, "C51")):
        session = technician.session
        scan = {"node": str(province.node.pk), "user": "admin", "sealed": "sealed"}
        session["scan"] = scan | ({"factory_password": True} if given else {})
        session.save()
        if not given:
            Camera.objects.filter(code="C50").update(code="C52")
        saved(technician, province, user="admin", code=code, name=f"Trục {code}")
        assert Camera.objects.get(code=code).factory_password is given


def test_the_password_itself_is_kept_nowhere(technician: Client, province: Province) -> None:
    saved(technician, province, user="admin", password="tlJwpbo6")
    kept = (Camera.objects.values(), Camera.history.values(), Pending.objects.values())
    assert "tljwpbo6" not in str([list(rows) for rows in kept]).lower()


def test_programs_are_told_it_where_they_may_change_the_camera(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    def speaking(role: Role) -> dict[str, str]:
        scopes, days = ["cameras:read", "cameras:write"], datetime.timedelta(days=2)
        _token, secret = make_token(appoint(role, unit=province.commune), "t", scopes, days, strong=True)
        return {"Authorization": f"Bearer {secret}"}

    page, head, member = f"/api/v1/cameras/{province.public.pk}", *map(speaking, (Role.POLICE_HEAD, Role.AUDITOR))
    for password, told in (("4321", True), ("tre làng 7 lớp", False)):
        version = Client().get(page, headers=head)["ETag"]
        body = json.dumps({"user": "admin", "password": password})
        changed = Client().patch(page, body, content_type="application/json", headers=head | {"If-Match": version})
        assert changed.json()["technical"]["factory_password"] is told, changed.content
        assert Client().get(page, headers=member).json()["technical"] is None
    table = {"unit": str(province.commune.pk), "rows": [HEAD.split(","), [*("S01", "Cổng", "C01", "A", "B"), *_STREAM]]}
    checked = Client().post("/api/v1/camera-imports", table, content_type="application/json", headers=head)
    assert checked.json()["factory_passwords"] == 1, checked.content
