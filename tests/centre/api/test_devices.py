"""What programs ask of a real recorder: how it is, what it finds, and turning its cameras."""

from collections.abc import Callable, Iterator

import pytest
from tests.centre.api.conftest import Program, RealNode, refused
from tests.centre.conftest import Appoint, Province
from tests.centre.link.conftest import free_port
from tests.centre.link.turning import make_turning_camera
from tests.waiting import wait_until

from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.camera.simulator import Protection
from xomyen.camera.simulator.onvif import SimulatedDevice
from xomyen.camera.simulator.onvif_answers import SimulatedProfile
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.models import Node
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.roles import Role
from xomyen.terms.ids import new_id
from xomyen.terms.words import VideoCodec

Speak = Callable[..., Program]
PASSWORD = "bí mật"


@pytest.fixture
def device(real_node: RealNode) -> Iterator[SimulatedDevice]:
    """An ONVIF camera that tells its streams to those with its password."""
    profile = SimulatedProfile("main", "Luồng chính", f"rtsp://127.0.0.1:{free_port()}/1", VideoCodec.H265, ptz=True)
    real_node.go_away()
    found = SimulatedDevice((profile,), protection=Protection("admin", PASSWORD), group=real_node.group)
    real_node.start()
    return real_node.run(found)


@pytest.fixture
def technician(registered: Node, province: Province, appoint: Appoint, program: Speak) -> Program:
    return program(appoint(Role.TECHNICIAN, unit=province.commune), **{"Accept-Language": "en"})


def test_a_camera_that_only_its_recorder_knows_is_told_and_taken_over(
    technician: Program, real_node: RealNode, registered: Node, province: Province
) -> None:
    config = CameraConfig(id=new_id(), name="Đê", main=StreamConfig(url="rtsp://192.0.2.3/1"))
    real_node.ask(lambda asked: asked.put(config, 0))
    told = technician.get(f"nodes/{registered.pk}/now").json()
    assert told["strangers"] == [{"id": str(config.id), "name": "Đê"}]
    assert told["parts"] == [{"name": "recorder", "running": True, "restarts": 2}]
    kept = province.public
    facts = {
        "site": kept.site_id,
        "code": "C18",
        "name": "Mặt đê",
        "purpose": "Đê",
        "camera_class": kept.camera_class_id,
    }
    path = f"nodes/{registered.pk}/strangers"
    refused(technician.send("POST", f"{path}/{new_id()}/take-over", facts), 404, "unknown_camera")
    taken = technician.send("POST", f"{path}/{config.id}/take-over", facts)
    assert (taken.status_code, taken.json()["technical"]["main_url"]) == (201, "rtsp://192.0.2.3/1"), taken.content
    refused(technician.send("POST", f"{path}/{config.id}/take-over", facts), 404, "not_found")
    soon.finish()
    real_node.go_away()
    assert technician.get(f"nodes/{registered.pk}/now").json()["answers"] is False
    refused(technician.send("POST", f"{path}/{new_id()}/take-over", facts), 503, "not_running")


def test_cameras_are_looked_for_and_streams_measured_without_pictures(
    technician: Program, registered: Node, device: SimulatedDevice, appoint: Appoint, program: Speak, province: Province
) -> None:
    wanted = {"addresses": ["127.0.0.1"], "user": "admin", "password": PASSWORD}
    begun = technician.send("POST", f"nodes/{registered.pk}/searches", wanted)
    assert begun.status_code == 201, begun.content
    path = f"nodes/{registered.pk}/jobs/{begun.json()['job']}"
    found = wait_until(lambda: next((one for one in technician.get(path).json()["devices"] if one["profiles"]), None))
    assert [(one["token"], one["ptz"]) for one in found["profiles"]] == [("main", True)]
    refused(technician.get(f"nodes/{registered.pk}/jobs/{new_id()}"), 404, "unknown_job")
    refused(
        technician.send("POST", f"nodes/{registered.pk}/searches", {"addresses": ["no"]}), 422, "invalid_configuration"
    )
    looked = technician.send("POST", f"nodes/{registered.pk}/probes", {"url": found["profiles"][0]["url"]})
    assert (looked.status_code, looked.json()["measured"]) == (201, None), looked.content
    assert "still" not in looked.json()
    refused(technician.send("POST", f"nodes/{registered.pk}/probes", {"url": "ftp://x"}), 422, "invalid")
    officer = program(appoint(Role.DUTY_OFFICER, unit=province.commune))
    refused(officer.send("POST", f"nodes/{registered.pk}/searches", {}), 403, "forbidden")
    refused(technician.get(f"nodes/{province.other_node.pk}/now"), 404, "not_found")
    assert Pending.objects.filter(action="camera.discover").count() == 1


def test_a_camera_is_turned_by_one_person_at_a_time(
    real_node: RealNode, registered: Node, device: SimulatedDevice, province: Province, appoint: Appoint, program: Speak
) -> None:
    camera = make_turning_camera(province.group, real_node, registered, device.url, PASSWORD)
    path = f"cameras/{camera.pk}/turning"
    one, other = (program(appoint(Role.DUTY_OFFICER, unit=province.commune)) for _ in range(2))
    moved = one.send("POST", path, {"command": {"do": "move", "pan": 0.5, "seconds": 0.5}})
    assert moved.json()["holder"]["oneself"] is True, moved.content
    assert other.get(path).json()["holder"]["oneself"] is False
    held = other.send("POST", path, {"command": {"do": "move", "pan": -0.5}})
    refused(held, 409, "ptz_held")
    assert held.json()["detail"].startswith("Người khác")
    kept = one.send("POST", path, {"command": {"do": "set_preset", "name": "Cổng chợ"}})
    assert [preset["name"] for preset in kept.json()["presets"]] == ["Cổng chợ"]
    refused(one.send("POST", path, {"command": {"do": "fly"}}), 422, "invalid")
    assert Pending.objects.filter(action="camera.ptz").count() == 2
    chair = program(appoint(Role.COMMITTEE_CHAIR, unit=province.commune))
    refused(chair.send("POST", path, {"command": {"do": "hold"}}), 403, "forbidden")
    refused(one.get(f"cameras/{province.public.pk}/turning"), 404, "not_found")  # cannot be turned
    refused(one.get(f"cameras/{province.secret.pk}/turning"), 404, "not_found")
