"""Cameras are found on the node's networks from a page, looked at, and added with what they told."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_camera
from tests.centre.link.conftest import RealNode, free_port
from tests.centre.link.turning import make_turning_camera
from tests.simulated import small_simulator
from tests.waiting import wait_until

from xomyen.bus.sealing import seal
from xomyen.camera.simulator import Protection
from xomyen.camera.simulator.onvif import SimulatedDevice
from xomyen.camera.simulator.onvif_answers import SimulatedProfile
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import enact
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.models import Camera, CameraClass, Node
from xomyen.centre.dates import today
from xomyen.centre.link.apply import bring
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.roles import Role
from xomyen.terms.words import VideoCodec

SignedIn = Callable[[User], Client]
PASSWORD = "bí mật"
GUARD = Protection("admin", PASSWORD)
MASK = [[[0, 0], [0.2, 0], [0.2, 0.3]]]


@pytest.fixture
def device(real_node: RealNode) -> Iterator[SimulatedDevice]:
    """An ONVIF camera that tells its streams to those with its password."""
    port = free_port()
    profiles = (
        SimulatedProfile("main", "Luồng chính", f"rtsp://127.0.0.1:{port}/1", VideoCodec.H265, ptz=True),
        SimulatedProfile("sub", "Luồng phụ", f"rtsp://127.0.0.1:{port}/1/sub", width=640, height=360),
    )
    real_node.go_away()
    found = SimulatedDevice(profiles, protection=GUARD, group=real_node.group)
    real_node.start()
    return real_node.run(found)


def ended(client: Client, page: str) -> Any:
    """The fragment once it does not ask again."""

    def over() -> Any:
        answer = client.get(page, headers={"HX-Request": "true"})
        return None if b"hx-get" in answer.content else answer

    return wait_until(over)


def test_a_camera_is_found_and_added_with_its_streams_and_the_password_given_once(
    technician: Client, real_node: RealNode, registered: Node, device: SimulatedDevice, province: Province
) -> None:
    form = {"addresses": "127.0.0.1", "user": "admin", "password": PASSWORD}
    page = technician.post(f"/recorders/{registered.pk}/discover/", form)["Location"]
    shown = wait_until(
        lambda: (one := technician.get(page).context).get("devices") and one["devices"][0]["streams"] and one
    )
    (found,) = shown["devices"]
    streams = [url for url, _label in found["streams"]]
    assert [url.rpartition("/")[2] for url in streams] == ["1", "sub"]
    assert found["ptz_profile"] == "main"
    query = {"node": registered.pk, "main_url": streams[0], "sub_url": found["sub"], "model": found["device"].model}
    add = technician.get("/cameras/add/", query)
    assert PASSWORD not in add.content.decode()
    assert streams[0] in add.content.decode()
    site = make_camera(province.group, province.node, "Z1", "Z").site_id
    values = {
        "site": site,
        "code": "C40",
        "name": "Tìm thấy",
        "order": 1,
        "purpose": "Trật tự",
        "owner": "commune",
        "camera_class": CameraClass.objects.get(name="Công cộng").pk,
        "acceptance": "accepted",
        "is_public": "on",
        "enabled": "on",
        "masks": "[]",
        "user": "admin",
        "password": "",
        **query,
    }
    assert technician.post("/cameras/add/", values).status_code == 302
    soon.finish()
    camera = Camera.objects.get(code="C40")
    assert (camera.standing, camera.refused) == ("in_force", "")
    config = real_node.cameras()["C40 Tìm thấy"].config
    assert (config.main.url, config.enabled) == (streams[0], True)
    assert real_node.secrets.open(config.sealed_password) == PASSWORD


def test_a_search_remembers_whether_its_password_is_a_manufacturers_default_and_not_the_password(
    technician: Client, real_node: RealNode, registered: Node
) -> None:
    for password, known in (("Admin", True), (PASSWORD, False)):
        form = {"addresses": "127.0.0.1", "user": "admin", "password": password}
        assert technician.post(f"/recorders/{registered.pk}/discover/", form).status_code == 302
        scan = technician.session["scan"]
        assert (scan["factory_password"], real_node.secrets.open(scan["sealed"])) == (known, password)
        assert password not in str(scan)


def test_a_stream_is_looked_at_before_it_is_saved_and_with_the_cameras_own_password_after(
    technician: Client, real_node: RealNode, registered: Node, province: Province
) -> None:
    cameras = real_node.run(small_simulator(protection=GUARD))
    form = {"node": registered.pk, "main_url": cameras.url(), "user": "admin", "password": PASSWORD}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    text = ended(technician, page[1]).content.decode()
    assert "data:image/jpeg;base64,/9j/" in text
    assert "640 × 360" in text
    noted = [json.loads(one.details_json) for one in Pending.objects.filter(action="camera.probe")]
    assert noted[-1] == {"host": "127.0.0.1", "reached": "127.0.0.1", "picture_shown": True}
    assert len(noted) == 2
    camera = make_camera(province.group, registered, "C41", "Thử", standing="pending")
    technician.post("/cameras/probe/", form)
    sealed = {"user": "admin", "password": PASSWORD, "main_url": cameras.url(), "masks": "[]"}
    kept = {name: getattr(camera, name) for name in ("code", "name", "order", "purpose", "owner", "revision")}
    places = {"site": camera.site_id, "camera_class": camera.camera_class_id, "node": registered.pk}
    technician.post(f"/cameras/{camera.pk}/edit/", {**kept, **places, **sealed, "is_public": "on", "enabled": "on"})
    soon.finish()
    bring(registered.pk)
    again = {"node": registered.pk, "main_url": cameras.url(), "user": "admin", "camera": camera.pk}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", again).content.decode())
    assert page is not None
    assert "640 × 360" in ended(technician, page[1]).content.decode()


def test_what_is_wrong_with_a_stream_is_told_in_the_readers_words(
    technician: Client, real_node: RealNode, registered: Node, nowhere: int
) -> None:
    form = {"node": registered.pk, "main_url": f"rtsp://127.0.0.1:{nowhere}/1"}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    assert ended(technician, page[1]).context["trouble"].startswith("Không có")
    for wrong in ({"main_url": ""}, {"main_url": "x"}, {"node": ""}):
        assert technician.post("/cameras/probe/", {**form, **wrong}).context["trouble"]
    real_node.go_away()
    assert technician.post("/cameras/probe/", form).context["trouble"]
    answer = technician.post(f"/recorders/{registered.pk}/discover/", {})
    assert answer.context["form"].non_field_errors()


def test_who_sees_no_live_pictures_sees_none_while_setting_up(
    real_node: RealNode, registered: Node, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    cameras = real_node.run(small_simulator())
    keeper = signed_in(appoint(Role.ADMINISTRATOR, unit=province.commune))
    begun = keeper.post("/cameras/probe/", {"node": registered.pk, "main_url": cameras.url()}).content.decode()
    page = re.search(r'hx-get="([^"]+)"', begun)
    assert page is not None
    text = ended(keeper, page[1]).content.decode()
    assert "640 × 360" in text
    assert "data:image" not in text
    camera = make_camera(province.group, registered, "C42", "Riêng", in_force={"id": "x"})
    form = {"node": registered.pk, "main_url": cameras.url(), "camera": camera.pk}
    assert keeper.post("/cameras/probe/", form).status_code == 403


def test_looking_at_a_stream_is_noted_and_wants_the_regulation(
    technician: Client, registered: Node, province: Province, nowhere: int
) -> None:
    form = {"node": registered.pk, "main_url": f"rtsp://127.0.0.1:{nowhere}/1"}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    technician.post(
        f"/recorders/{registered.pk}/discover/", {"addresses": "127.0.0.1", "user": "a", "password": PASSWORD}
    )
    noted = Pending.objects.filter(action__in=("camera.probe", "camera.discover")).order_by("number")
    assert [(one.action, one.thing) for one in noted] == [
        ("camera.probe", str(registered.pk)),
        ("camera.discover", str(registered.pk)),
    ]
    assert PASSWORD not in str([one.details_json for one in noted])
    enact(province.commune, None, today(), "Quy chế", "Điều 1")
    for answer in (technician.post("/cameras/probe/", form), technician.get(page[1])):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/regulations/")


def test_no_picture_is_shown_of_a_camera_with_masks_however_its_address_is_written(
    technician: Client, real_node: RealNode, registered: Node, province: Province
) -> None:
    cameras = real_node.run(small_simulator())
    elsewhere = make_camera(province.other_commune, province.other_node, "C44", "Che", masks=MASK)
    Camera.objects.filter(pk=elsewhere.pk).update(main_url=f"rtsp://LOCALHOST.:{cameras.port}/1")
    form = {"node": registered.pk, "main_url": cameras.url()}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    text = ended(technician, page[1]).content.decode()
    assert "640 × 360" in text
    assert "data:image" not in text
    assert "vùng che" in text
    technician.get(page[1])
    begun, withheld = (json.loads(one.details_json) for one in Pending.objects.filter(action="camera.probe"))
    assert begun == {"host": "127.0.0.1"}
    assert withheld == {"host": "127.0.0.1", "reached": "127.0.0.1", "picture_shown": False}


def test_who_may_look_behind_masks_sees_the_picture_and_the_look_is_noted(
    technician: Client, real_node: RealNode, registered: Node, province: Province
) -> None:
    cameras = real_node.run(small_simulator())
    own, neighbour = (make_camera(province.group, registered, code, "Che", masks=MASK) for code in ("C46", "C47"))
    Camera.objects.filter(pk=own.pk).update(main_url=cameras.url())
    Camera.objects.filter(pk=neighbour.pk).update(main_url=f"{cameras.url()}/other")
    form = {"node": registered.pk, "main_url": cameras.url()}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    assert "data:image/jpeg;base64," in ended(technician, page[1]).content.decode()
    technician.get(page[1])
    assert [one.thing for one in Pending.objects.filter(action="camera.unmasked")] == [str(own.pk)]


def test_the_kept_password_is_tried_on_the_cameras_own_machine_alone(
    technician: Client, real_node: RealNode, registered: Node, province: Province
) -> None:
    kept = seal(PASSWORD, real_node.secrets.public)
    camera = make_camera(
        province.group, registered, "C45", "Kho", standing="pending", user="admin", sealed_password=kept
    )
    bring(registered.pk)
    elsewhere = real_node.run(small_simulator(protection=GUARD))
    form = {"node": registered.pk, "main_url": elsewhere.url(), "user": "admin", "camera": camera.pk}
    page = re.search(r'hx-get="([^"]+)"', technician.post("/cameras/probe/", form).content.decode())
    assert page is not None
    assert "640 × 360" not in ended(technician, page[1]).content.decode()


def test_only_those_who_may_discover_find_cameras_and_only_on_their_recorders(
    registered: Node, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert officer.get(f"/recorders/{registered.pk}/discover/").status_code == 403
    assert officer.post("/cameras/probe/", {"node": registered.pk, "main_url": "rtsp://127.0.0.1/"}).status_code == 403
    stranger = signed_in(appoint(Role.TECHNICIAN, unit=province.other_commune))
    assert stranger.get(f"/recorders/{registered.pk}/discover/").status_code == 404
    assert stranger.post("/cameras/probe/", {"node": registered.pk, "main_url": "rtsp://127.0.0.1/"}).status_code == 404
    assert not Camera.objects.filter(node=registered).exists()


def test_a_camera_is_steered_by_one_person_at_a_time_and_it_is_noted(
    real_node: RealNode,
    registered: Node,
    device: SimulatedDevice,
    province: Province,
    appoint: Appoint,
    signed_in: SignedIn,
) -> None:
    camera = make_turning_camera(province.group, real_node, registered, device.url, PASSWORD)
    page = f"/cameras/{camera.pk}/steer/"
    officer, other = (signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune)) for _ in range(2))
    commander = signed_in(appoint(Role.DUTY_COMMANDER, unit=province.commune))
    assert page in officer.get(f"/cameras/{camera.pk}/").content.decode()
    moved = officer.post(page, {"do": "move", "pan": "0.5", "seconds": "0.5"})
    assert (moved.context.get("trouble"), moved.context["state"].lock.name[:10]) == (None, "Lương Khê ")
    refused = other.post(page, {"do": "move", "pan": "-0.5"})
    assert refused.context["trouble"].startswith("Người khác")
    assert f"{moved.context['state'].lock.name} đang điều khiển" in refused.content.decode()
    kept = officer.post(page, {"do": "set_preset", "name": "Cổng chợ"})
    assert [preset.name for preset in kept.context["state"].presets] == ["Cổng chợ"]
    assert commander.post(page, {"do": "hold"}).context.get("trouble") is None  # goes before an officer
    assert officer.post(page, {"do": "stop"}).context["trouble"]
    assert commander.post(page, {"do": "fly"}).context["trouble"]
    assert Pending.objects.filter(action="camera.ptz").count() == 3
    chair = signed_in(appoint(Role.COMMITTEE_CHAIR, unit=province.commune))
    assert chair.post(page, {"do": "hold"}).status_code == 403
    assert officer.get(f"/cameras/{province.public.pk}/steer/").status_code == 404  # cannot be turned
