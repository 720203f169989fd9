"""A simulated ONVIF device, and the networks on which tests may ask."""

from collections.abc import Callable
from typing import Any

import pytest

from xomyen.camera.onvif import scan
from xomyen.camera.onvif.networks import Networks
from xomyen.camera.simulator.onvif import SimulatedDevice
from xomyen.camera.simulator.onvif_answers import SimulatedProfile
from xomyen.camera.simulator.protection import Protection
from xomyen.terms.words import VideoCodec

PROFILES = (
    SimulatedProfile("main", "Luồng chính", "rtsp://127.0.0.1:8554/1", VideoCodec.H265, 2560, 1440, 20, ptz=True),
    SimulatedProfile("sub", "Luồng phụ", "rtsp://127.0.0.1:8554/1/sub", width=640, height=360, bit_rate=512_000),
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search is as patient as a busy machine asks for; what is not there says so at once on this machine."""
    monkeypatch.setattr(scan, "_CONNECT_S", 60.0)
    monkeypatch.setattr(scan, "_ANSWER_S", 60.0)


@pytest.fixture
def loopback() -> Networks:
    return Networks(["127.0.0.0/8"])


@pytest.fixture
def device() -> Callable[..., SimulatedDevice]:
    """Makes a device that takes the user `quản trị` with the password `bí mật`."""

    def make(**arguments: Any) -> SimulatedDevice:
        return SimulatedDevice(PROFILES, protection=Protection("quản trị", "bí mật"), **arguments)

    return make
