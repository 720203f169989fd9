"""`xomyen camera simulate --onvif`: simulated cameras that can be found like real ones."""

import socket
from pathlib import Path

from tests.running_node import simulated_cameras
from tests.waiting import until

from xomyen.camera.errors import CameraFault
from xomyen.camera.onvif.device import OnvifDevice
from xomyen.camera.onvif.networks import Endpoint
from xomyen.camera.simulator import demo_clip


async def test_simulated_cameras_are_the_streams_of_one_onvif_device(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with simulated_cameras(demo_clip(), tmp_path, "--onvif", str(port)) as rtsp_port:
        async with OnvifDevice(Endpoint("http", "127.0.0.1", port, "/onvif/device_service"), None) as device:

            async def there() -> bool:
                try:
                    await device.greet()
                except CameraFault:
                    return False
                return True

            await until(there)
            found = await device.profiles()
    url = f"rtsp://127.0.0.1:{rtsp_port}"
    assert [(profile.token, address) for profile, address in found] == [
        ("1-main", f"{url}/1"),
        ("1-sub", f"{url}/1/sub"),
        ("2-main", f"{url}/2"),
        ("2-sub", f"{url}/2/sub"),
    ]
    assert [profile.ptz for profile, _ in found] == [True, False, True, False]
