"""A camera that can be turned, at a node that knows it."""

from tests.centre.conftest import make_camera
from tests.centre.link.conftest import RealNode

from xomyen.bus.sealing import seal
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.apply import bring
from xomyen.centre.organisation.models import Unit


def make_turning_camera(unit: Unit, node: RealNode, registered: Node, onvif_address: str, password: str) -> Camera:
    """The device at the address answers to `admin` and this password."""
    known = {"standing": "pending", "sealed_password": seal(password, node.secrets.public)}
    turning = {"ptz": True, "onvif_address": onvif_address, "ptz_profile": "main", "user": "admin"}
    camera = make_camera(unit, registered, "C06", "PTZ", **known, **turning)
    Camera.objects.filter(pk=camera.pk).update(main_url="rtsp://127.0.0.1/1")
    bring(registered.pk)
    return camera
