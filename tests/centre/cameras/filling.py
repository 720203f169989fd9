"""The form of a camera, filled in."""

from tests.centre.conftest import Province

from xomyen.centre.cameras.models import CameraClass


def filled(province: Province, **changes: object) -> dict[str, object]:
    """What the form of a new camera C50 sends."""
    return {
        "site": province.public.site_id,
        "code": "C50",
        "name": "Trục thôn",
        "order": 5,
        "purpose": "An ninh trật tự",
        "owner": "group",
        "camera_class": CameraClass.objects.get(name="Công cộng").pk,
        "is_public": "on",
        "acceptance": "installed",
        "node": province.node.pk,
        "main_url": "rtsp://192.0.2.7/main",
        "enabled": "on",
        "masks": "[]",
        **changes,
    }
