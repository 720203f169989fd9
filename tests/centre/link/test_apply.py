"""What is wanted comes into force on the real configuration service, and what was changed there is taken over."""

import asyncio
import uuid
from collections.abc import Callable

import nats.errors
import pytest
from django.test import Client
from django.utils import timezone
from nats.js.kv import KeyValue
from tests.centre.conftest import Province, make_camera
from tests.centre.link.conftest import MOST, RealNode, be_patient, now
from tests.waiting import wait_until

from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.centre.accounts.models import User
from xomyen.centre.cameras import services
from xomyen.centre.cameras.desired import wanted
from xomyen.centre.cameras.models import Camera, CameraClass, Node, Removal
from xomyen.centre.link import apply
from xomyen.centre.link.apply import bring
from xomyen.centre.link.duty import bring_to_silent, waiting
from xomyen.centre.link.soon import soon
from xomyen.terms.ids import new_id

SignedIn = Callable[[User], Client]


def edited(camera: Camera, **changes: object) -> dict[str, object]:
    """The filled form of a camera with some fields changed."""
    return {
        "revision": camera.revision,
        "site": camera.site_id,
        "code": camera.code,
        "name": camera.name,
        "order": camera.order,
        "purpose": camera.purpose,
        "owner": camera.owner,
        "camera_class": camera.camera_class_id,
        "is_public": "on",
        "node": camera.node_id,
        "main_url": camera.main_url,
        "enabled": "on",
        "masks": "[]",
        **changes,
    }


def test_saving_a_page_puts_the_camera_into_force_and_the_page_says_so(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    page = f"/cameras/{yard.pk}/"
    assert technician.post(f"{page}edit/", edited(yard, sub_url="rtsp://192.0.2.1/2")).status_code == 302
    wait_until(lambda: now(yard).standing == "in_force")
    config = real_node.cameras()["C30 Sân kho"].config
    assert (config.id, config.enabled, config.site, config.retention_days) == (str(yard.pk), True, "Điểm Sân kho", 30)
    assert (config.main.url, config.sub) == ("rtsp://192.0.2.1/1", StreamConfig(url="rtsp://192.0.2.1/2", record=False))
    assert technician.get(f"{page}state/").context["differences"] == []


def test_a_camera_waits_while_its_node_is_away_and_is_brought_when_it_is_back(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.go_away()
    technician.post(f"/cameras/{yard.pk}/edit/", edited(now(yard), name="Sân kho cũ"))
    wait_until(lambda: now(yard).standing == "away")
    state = technician.get(f"/cameras/{yard.pk}/state/")
    assert [(one.wanted, one.in_force) for one in state.context["differences"]] == [("C30 Sân kho cũ", "C30 Sân kho")]
    assert not Node.objects.get(pk=yard.node_id).answers
    soon.finish()
    real_node.start()
    assert [node.pk for node in waiting()] == [yard.node_id]
    wait_until(lambda: bring_to_silent() or now(yard).standing == "in_force")
    assert list(real_node.cameras()) == ["C30 Sân kho cũ"]
    assert Node.objects.get(pk=yard.node_id).answers
    assert not waiting()


def test_no_camera_waits_behind_nodes_that_hang(
    real_node: RealNode, yard: Camera, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_patient(monkeypatch, 100)  # so long they hang
    free = asyncio.Event()
    hanging = [
        Node.objects.create(unit=province.commune, name=f"Treo {number}", address="", since=timezone.now())
        for number in range(8)
    ]
    for node in hanging:
        real_node.answer_late(str(node.pk), free)
    soon.now(*(node.pk for node in hanging))
    soon.now(yard.node_id)
    wait_until(lambda: now(yard).standing == "in_force")
    assert not Node.objects.filter(name__startswith="Treo", answers=True).exists()
    assert not waiting()
    real_node.free(free)
    soon.finish()
    assert Node.objects.filter(name__startswith="Treo", answers=True).count() == 8


def test_a_refusal_is_told_with_what_to_do_and_mended_by_the_next_change(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    other = CameraConfig(id=new_id(), name="c30 SAN KHO", main=StreamConfig(url="rtsp://192.0.2.9/1"))
    real_node.ask(lambda asked: asked.put(other, 0))
    bring(yard.node_id)
    camera = now(yard)
    assert (camera.standing, camera.refused_field, camera.in_force) == ("refused", "name", None)
    text = technician.get(f"/cameras/{yard.pk}/").content.decode()
    assert camera.refused.split("'")[0] in text.replace("&#x27;", "'")
    assert technician.get(f"/cameras/{yard.pk}/").context["refusal"]
    assert not waiting()  # it is not asked again and again
    technician.post(f"/cameras/{yard.pk}/edit/", edited(camera, name="Sân kho mới"))
    wait_until(lambda: now(yard).standing == "in_force")
    assert now(yard).refused == ""


def test_a_node_whose_disk_is_too_slow_has_refused_nothing(
    real_node: RealNode, yard: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_yet(*_written: object, **_options: object) -> int:
        raise nats.errors.TimeoutError

    with monkeypatch.context() as slow:
        slow.setattr(KeyValue, "create", not_yet)
        bring(yard.node_id)
    assert (now(yard).standing, now(yard).refused) == ("away", "")
    assert [node.pk for node in waiting()] == [yard.node_id]  # it is asked again
    bring_to_silent()
    assert now(yard).standing == "in_force"


def test_a_node_that_is_full_refuses_and_takes_the_camera_when_tried_again(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    for number in range(MOST):
        config = CameraConfig(id=new_id(), name=f"Khác {number}", main=StreamConfig(url="rtsp://192.0.2.9/1"))
        real_node.ask(lambda asked, config=config: asked.put(config, 0))
    bring(yard.node_id)
    assert now(yard).refused_field == "cameras"
    real_node.remove("Khác 0")
    technician.post(f"/cameras/{yard.pk}/try-again/")
    wait_until(lambda: now(yard).standing == "in_force")


def test_a_camera_records_only_while_it_is_accepted(technician: Client, real_node: RealNode, yard: Camera) -> None:
    for state, meant in (("suspended", False), ("accepted", True)):
        technician.post(f"/cameras/{yard.pk}/step/", {"state": state, "note": "Quyết định 3"})
        wait_until(lambda: now(yard).standing == "in_force")
        assert real_node.cameras()["C30 Sân kho"].config.enabled is meant


def test_a_retired_camera_leaves_its_node(technician: Client, real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    technician.post(f"/cameras/{yard.pk}/step/", {"state": "retired", "note": "Thay cột"})
    wait_until(lambda: now(yard).standing == "nowhere")
    assert real_node.cameras() == {}
    assert now(yard).in_force is None


def test_the_class_sets_how_long_its_cameras_are_kept(real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    school = CameraClass.objects.get(pk=yard.camera_class_id)
    school.retention_days = 15
    services.save_class(school)
    soon.finish()
    assert real_node.cameras()["C30 Sân kho"].config.retention_days == 15
    assert now(yard).standing == "in_force"


def test_a_refusal_is_asked_about_again_once_its_cause_may_be_gone_and_not_before(
    real_node: RealNode, yard: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CameraConfig(id=new_id(), name="C30 Sân kho", main=StreamConfig(url="rtsp://192.0.2.9/1"))
    real_node.ask(lambda asked: asked.put(other, 0))
    bring(yard.node_id)
    bring(yard.node_id)
    assert now(yard).standing == "refused"
    asked: list[object] = []
    monkeypatch.setattr(apply, "wanted", lambda camera: asked.append(camera) or wanted(camera))
    bring(yard.node_id)
    assert asked == []
    monkeypatch.setattr(apply, "_AGAIN_S", 0)
    bring(yard.node_id)
    assert len(asked) == 1
    monkeypatch.setattr(apply, "_AGAIN_S", 300)
    real_node.remove("C30 Sân kho")
    bring(yard.node_id)
    assert now(yard).standing == "in_force"


def test_the_sites_new_name_stands_on_the_node(technician: Client, real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    site = yard.site
    form = {"unit": site.unit_id, "code": site.code, "name": "Kho thóc", "revision": site.revision}
    technician.post(f"/sites/{site.pk}/edit/", form)
    soon.finish()
    assert real_node.cameras()["C30 Sân kho"].config.site == "Kho thóc"


def test_what_is_changed_at_the_node_becomes_what_is_wanted(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    before = now(yard)
    real_node.change("C30 Sân kho", name="Sân  kho lớn", order=7, volume="đĩa 2", retention_bytes=5_000)
    bring(yard.node_id)
    after = now(yard)
    assert (after.name, after.order, after.standing) == ("Sân kho lớn", 7, "in_force")
    assert after.revision > before.revision  # whoever is editing it is told
    assert technician.get(f"/cameras/{yard.pk}/").context["changes"][0].what
    technician.post(f"/cameras/{yard.pk}/edit/", edited(after, name="Sân"))
    soon.finish()
    config = real_node.cameras()["C30 Sân"].config
    assert (config.volume, config.retention_bytes) == ("đĩa 2", 5_000)  # the node's own affair


def test_what_follows_from_rules_is_put_right_when_the_node_was_told_otherwise(
    real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.change("C30 Sân kho", retention_days=300)
    bring(yard.node_id)
    assert real_node.cameras()["C30 Sân kho"].config.retention_days == 30


def test_the_same_part_changed_on_both_sides_waits_for_a_person(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.change("C30 Sân kho", name="Tên tại chỗ", order=4)
    Camera.objects.filter(pk=yard.pk).update(name="Tên ở trung tâm", standing="pending")
    bring(yard.node_id)
    bring(yard.node_id)
    camera = now(yard)
    assert (camera.standing, camera.name, camera.order) == ("changed", "Tên ở trung tâm", 4)
    assert list(real_node.cameras()) == ["Tên tại chỗ"]
    technician.post(f"/cameras/{yard.pk}/take-recorders/")
    wait_until(lambda: now(yard).standing == "in_force")
    assert now(yard).name == "Tên tại chỗ"


def test_a_person_may_keep_what_is_wanted_here(technician: Client, real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    real_node.change("C30 Sân kho", name="Tên tại chỗ")
    Camera.objects.filter(pk=yard.pk).update(name="Tên ở trung tâm", standing="pending")
    bring(yard.node_id)
    technician.post(f"/cameras/{yard.pk}/try-again/")
    wait_until(lambda: now(yard).standing == "in_force")
    assert list(real_node.cameras()) == ["C30 Tên ở trung tâm"]


def test_a_camera_removed_at_the_node_is_told_and_not_put_back_unasked(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.remove("C30 Sân kho")
    bring(yard.node_id)
    bring(yard.node_id)
    assert now(yard).standing == "changed"
    assert real_node.cameras() == {}
    technician.post(f"/cameras/{yard.pk}/try-again/")
    wait_until(lambda: now(yard).standing == "in_force")
    assert list(real_node.cameras()) == ["C30 Sân kho"]


def test_a_camera_given_to_another_node_is_let_go_by_the_first_when_it_can_be_reached(
    technician: Client, real_node: RealNode, yard: Camera, province: Province
) -> None:
    bring(yard.node_id)
    real_node.go_away()
    technician.post(f"/cameras/{yard.pk}/edit/", edited(now(yard), node=province.node.pk))
    wait_until(lambda: now(yard).standing == "away")
    soon.finish()
    assert (now(yard).in_force, Removal.objects.count()) == (None, 1)
    real_node.start()
    wait_until(lambda: bring_to_silent() or not Removal.objects.exists())
    assert real_node.cameras() == {}


def test_an_answer_that_was_lost_does_no_harm(real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    Camera.objects.filter(pk=yard.pk).update(in_force=None, in_force_revision=0, standing="pending", name="Sân mới")
    bring(yard.node_id)
    assert now(yard).standing == "in_force"
    assert list(real_node.cameras()) == ["C30 Sân mới"]


def test_a_password_is_sealed_to_the_node_and_never_shown(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    page = f"/cameras/{yard.pk}/edit/"
    technician.post(page, edited(yard, user="admin", password="mật khẩu cũ"))
    wait_until(lambda: now(yard).standing == "in_force")
    assert real_node.secrets.open(real_node.cameras()["C30 Sân kho"].config.sealed_password) == "mật khẩu cũ"
    sealed = now(yard).sealed_password
    for address in (page, f"/cameras/{yard.pk}/"):
        text = technician.get(address).content.decode()
        assert "mật khẩu cũ" not in text
        assert sealed not in text
    technician.post(page, edited(now(yard), user="admin", name="Sân"))
    assert now(yard).sealed_password == sealed  # left empty, it stays
    technician.post(page, edited(now(yard), user="admin", password="mới"))
    soon.finish()
    assert real_node.secrets.open(real_node.cameras()["C30 Sân"].config.sealed_password) == "mới"
    technician.post(page, edited(now(yard), user="", no_password="on"))
    soon.finish()
    assert real_node.cameras()["C30 Sân"].config.sealed_password == ""


def test_a_user_and_password_in_an_address_are_taken_out_of_it(
    technician: Client, real_node: RealNode, yard: Camera
) -> None:
    url = "rtsp://admin:b%C3%AD%20m%E1%BA%ADt@192.0.2.1:554/1"
    technician.post(f"/cameras/{yard.pk}/edit/", edited(yard, main_url=url))
    soon.finish()
    config = real_node.cameras()["C30 Sân kho"].config
    assert (config.main.url, config.user) == ("rtsp://192.0.2.1:554/1", "admin")
    assert real_node.secrets.open(config.sealed_password) == "bí mật"


def test_a_nodes_own_cameras_are_shown_and_taken_over_as_they_are(
    technician: Client, real_node: RealNode, registered: Node, province: Province
) -> None:
    config = CameraConfig(
        id=new_id(),
        name="Đê",
        main=StreamConfig(url="rtsp://192.0.2.3/1"),
        user="u",
        order=3,
        sub=StreamConfig(url="rtsp://192.0.2.3/2", record=True),
        volume="v",
        retention_days=20,
        masks=(((1, 0), (3333, 0), (9999, 10_000)),),
    )
    real_node.ask(lambda asked: asked.put(config, 0))
    shown = technician.get(f"/recorders/{registered.pk}/now/")
    page = f"/recorders/{registered.pk}/take-over/{config.id}/"
    assert page in shown.content.decode()
    assert shown.context["parts"][0]["restarts"] == 2
    made = make_camera(province.group, registered, "X", "X")
    form = {
        "site": made.site_id,
        "code": "C18",
        "name": "Mặt đê",
        "purpose": "Đê",
        "owner": "group",
        "camera_class": made.camera_class_id,
        "is_public": "on",
        "acceptance": "accepted",
    }
    assert technician.post(page, form).status_code == 302
    soon.finish()
    camera = now(Camera(pk=uuid.UUID(config.id)))
    assert (camera.standing, camera.main_url, camera.user) == ("in_force", "rtsp://192.0.2.3/1", "u")
    there = real_node.cameras()["C18 Mặt đê"].config
    assert (there.enabled, there.volume, there.retention_days, there.sub) == (True, "v", 30, config.sub)
    assert there.masks == config.masks
    assert technician.get(page).status_code == 404  # it is known now


def test_a_node_that_is_away_says_so_on_its_page_at_once(
    technician: Client, real_node: RealNode, registered: Node
) -> None:
    real_node.go_away()
    assert technician.get(f"/recorders/{registered.pk}/now/").context["found"].away
