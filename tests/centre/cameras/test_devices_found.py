"""What a search shows of a device: which of its streams are in use already, and by which cameras."""

from tests.centre.conftest import Province

from xomyen.bus.device_messages import DeviceFound, ProfileFound
from xomyen.centre.cameras.discovery_views import cameras_of, device_shown
from xomyen.centre.cameras.models import Camera
from xomyen.terms.words import VideoCodec


def profile(url: str, width: int, height: int) -> ProfileFound:
    return ProfileFound(token=url[-5:], name="Luồng", codec=VideoCodec.H264, width=width, height=height, url=url)


def test_of_a_device_with_several_cameras_the_streams_in_use_are_told_apart(province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(main_url="rtsp://192.0.2.9/1", sub_url="rtsp://192.0.2.9/1/sub")
    streams = [(f"rtsp://192.0.2.9/{name}", *size) for name, size in (("1", (1920, 1080)), ("1/sub", (640, 360)))]
    streams += [(f"rtsp://192.0.2.9/{name}", *size) for name, size in (("2", (1280, 720)), ("2/sub", (352, 288)))]
    device = DeviceFound(address="192.0.2.9", profiles=tuple(profile(*one) for one in streams))
    shown = device_shown(device, cameras_of(province.node))
    assert [camera.code for camera in shown["cameras"]] == ["C14"]
    assert [url.removeprefix("rtsp://192.0.2.9/") for url, _label in shown["streams"]] == ["2", "2/sub", "1", "1/sub"]
    assert "C14" in shown["streams"][2][1]
    assert "C14" not in shown["streams"][0][1]
    assert shown["sub"] == "rtsp://192.0.2.9/2/sub"


def test_a_device_that_tells_no_streams_is_known_by_its_address(province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(main_url="rtsp://192.0.2.9:554/1")
    Camera.objects.exclude(pk=province.public.pk).update(main_url="rtsp://192.0.2.8/1")
    cameras = cameras_of(province.node)
    assert [camera.code for camera in device_shown(DeviceFound(address="192.0.2.9"), cameras)["cameras"]] == ["C14"]
    assert device_shown(DeviceFound(address="192.0.2.7"), cameras)["cameras"] == []


def test_a_device_is_known_by_its_onvif_address_when_its_streams_have_changed(province: Province) -> None:
    Camera.objects.filter(pk=province.public.pk).update(onvif_address="http://192.0.2.9/onvif/device_service")
    device = DeviceFound(
        address="192.0.2.9",
        onvif_url="http://192.0.2.9/onvif/device_service",
        profiles=(profile("rtsp://192.0.2.9/new", 640, 360),),
    )
    shown = device_shown(device, cameras_of(province.node))
    assert [camera.code for camera in shown["cameras"]] == ["C14"]
