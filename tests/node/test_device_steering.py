"""Turning a camera through its node: movements that end by themselves, the lock, presets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.device_place import CHIEF, HUNG, LAN, Place, device_place
from tests.waiting import until

from xomyen.bus.device_messages import (
    Preset,
    PtzDevice,
    PtzGoto,
    PtzHold,
    PtzLook,
    PtzMove,
    PtzPresets,
    PtzRelease,
    PtzRemovePreset,
    PtzSetPreset,
    PtzStop,
)
from xomyen.bus.devices import PtzHeld
from xomyen.camera.errors import CameraTimeout, WrongPassword
from xomyen.camera.onvif.errors import ActionNotSupported
from xomyen.camera.simulator.onvif import OnvifTrouble
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.time import NS_PER_SECOND


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with device_place(tmp_path) as made:
        yield made


async def test_a_movement_ends_by_itself_when_nobody_goes_on_with_it(place: Place) -> None:
    place.onvif.ptz.obeys_timeout = False
    state = await place.steer(LAN, PtzMove(pan=0.5, tilt=-1, seconds=0.2))
    assert state.lock is not None
    assert (state.lock.holder, state.lock.name) == ("u1", "Trần Thị Lan")
    await until(lambda: not place.onvif.ptz.moving)
    assert place.onvif.ptz.stops == 1
    assert place.onvif.ptz.pan > 0 > place.onvif.ptz.tilt


async def test_a_movement_goes_on_while_it_is_asked_for_and_stops_at_once_when_told(place: Place) -> None:
    await place.steer(LAN, PtzMove(pan=1, seconds=10))
    await place.steer(LAN, PtzMove(zoom=0.5, seconds=10))
    assert place.onvif.ptz.speed == (0, 0, 0.5)
    await place.steer(LAN, PtzStop())
    assert (place.onvif.ptz.moving, place.onvif.ptz.stops) == (False, 1)


async def test_somebody_else_is_refused_with_the_holders_name_until_the_lock_ends(place: Place) -> None:
    await place.steer(LAN, PtzHold())
    for command in (PtzMove(pan=1), PtzStop(), PtzGoto(preset="1"), PtzSetPreset(name="x"), PtzHold()):
        with pytest.raises(PtzHeld, match="Trần Thị Lan"):
            await place.steer(HUNG, command)
    assert place.onvif.asked["ContinuousMove"] == 0
    looked = await place.steer(HUNG, PtzLook())
    assert looked.lock is not None
    assert looked.lock.name == "Trần Thị Lan"
    place.clock.advance(29 * NS_PER_SECOND)
    await place.steer(LAN, PtzHold())  # renewed
    place.clock.advance(29 * NS_PER_SECOND)
    with pytest.raises(PtzHeld):
        await place.steer(HUNG, PtzHold())
    place.clock.advance(2 * NS_PER_SECOND)
    assert (await place.steer(HUNG, PtzLook())).lock is None
    assert (await place.steer(HUNG, PtzMove(pan=1))).lock is not None


async def test_a_higher_priority_takes_the_lock_and_ends_the_others_movement(place: Place) -> None:
    await place.steer(LAN, PtzMove(pan=1, seconds=10))
    state = await place.steer(CHIEF, PtzMove(tilt=1, seconds=10))
    assert state.lock is not None
    assert state.lock.name == CHIEF.name
    assert place.onvif.ptz.stops == 1
    assert place.onvif.ptz.speed == (0, 1, 0)
    with pytest.raises(PtzHeld, match="Phạm Văn Chỉ"):
        await place.steer(LAN, PtzStop())


async def test_a_stop_that_did_not_get_through_is_made_good_when_the_movements_time_is_over(place: Place) -> None:
    place.onvif.ptz.obeys_timeout = False
    await place.steer(LAN, PtzMove(pan=1, seconds=3))
    place.onvif.trouble = OnvifTrouble.SILENT
    with pytest.raises(CameraTimeout):
        await place.steer(LAN, PtzRelease())
    assert (await place.steer(LAN, PtzLook())).lock is None
    place.onvif.trouble = OnvifTrouble.NONE
    await until(lambda: not place.onvif.ptz.moving)


async def test_a_movement_does_not_outlive_the_service(place: Place) -> None:
    place.onvif.ptz.obeys_timeout = False
    await place.steer(LAN, PtzMove(pan=1, seconds=10))
    await place.service.__aexit__()
    assert not place.onvif.ptz.moving


async def test_giving_the_lock_back_ends_a_movement_and_lets_others(place: Place) -> None:
    await place.steer(LAN, PtzMove(pan=1, seconds=10))
    still_held = await place.steer(HUNG, PtzRelease())
    assert still_held.lock is not None
    assert place.onvif.ptz.moving
    assert (await place.steer(LAN, PtzRelease())).lock is None
    assert not place.onvif.ptz.moving
    await place.steer(HUNG, PtzHold())


async def test_presets_are_listed_kept_renamed_visited_and_removed(place: Place) -> None:
    assert (await place.steer(LAN, PtzPresets())).presets == ()
    kept = await place.steer(LAN, PtzSetPreset(name="Cổng chợ"))
    assert kept.presets == (Preset(token="1", name="Cổng chợ"),)
    await place.steer(LAN, PtzMove(pan=1, seconds=10))
    await place.steer(LAN, PtzGoto(preset="1"))
    assert (place.onvif.ptz.pan, place.onvif.ptz.moving) == (0, False)
    renamed = await place.steer(LAN, PtzSetPreset(name="Cổng sau", preset="1"))
    assert renamed.presets == (Preset(token="1", name="Cổng sau"),)
    assert (await place.steer(HUNG, PtzPresets())).presets == renamed.presets  # needs no lock
    assert (await place.steer(LAN, PtzRemovePreset(preset="1"))).presets == ()


async def test_a_camera_that_cannot_be_steered_or_refuses_the_password_says_so(place: Place) -> None:
    with pytest.raises(ActionNotSupported):
        await place.steer(LAN, PtzMove(pan=1), profile="sub")
    wrong = PtzDevice(onvif_url=place.onvif.url, profile="main", credentials=place.password("sai"))
    with pytest.raises(WrongPassword) as refused:
        await place.devices.ptz(wrong, LAN, PtzMove(pan=1))
    assert refused.value.details["code"] == "camera_wrong_password"


async def test_a_camera_that_does_not_answer_is_told_before_the_one_who_asked_gives_up(place: Place) -> None:
    place.onvif.trouble = OnvifTrouble.SILENT
    with pytest.raises(CameraTimeout):
        await place.steer(LAN, PtzMove(pan=1))


async def test_a_device_beyond_the_nodes_own_networks_is_not_asked(place: Place) -> None:
    for url in ("http://8.8.8.8/onvif/device_service", "http://192.168.1.2/onvif/device_service", "ftp://127.0.0.1/"):
        with pytest.raises(InvalidConfiguration):
            await place.devices.ptz(PtzDevice(onvif_url=url, profile="main"), LAN, PtzMove(pan=1))
