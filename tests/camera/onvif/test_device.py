"""Asking a device who it is, what it streams, and steering it; and devices that are something else."""

from collections.abc import Callable

import pytest

from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraTimeout, ConnectionRefused, WrongPassword
from xomyen.camera.onvif.answers import Identity, Preset
from xomyen.camera.onvif.device import OnvifDevice
from xomyen.camera.onvif.errors import ActionNotSupported, NotOnvif
from xomyen.camera.onvif.networks import Endpoint, Networks
from xomyen.camera.simulator.onvif import OnvifTrouble, SimulatedDevice
from xomyen.terms.words import VideoCodec

Make = Callable[..., SimulatedDevice]
RIGHT = Credentials("quản trị", "bí mật")


async def asked(simulated: SimulatedDevice, networks: Networks, credentials: Credentials | None = RIGHT) -> OnvifDevice:
    return OnvifDevice(await networks.resolve(simulated.url), credentials, answer_s=60)


@pytest.mark.parametrize("by_http", [False, True], ids=["token", "HTTP digest"])
@pytest.mark.parametrize("old", [False, True], ids=["of today", "old"])
async def test_a_device_tells_who_it_is_and_what_it_streams(
    device: Make, loopback: Networks, by_http: bool, old: bool
) -> None:
    async with device(by_http=by_http, old=old) as simulated, await asked(simulated, loopback) as one:
        await one.greet()
        assert await one.identity() == Identity("Xóm Yên", "Simulated dome", "1.2.3", f"SIM-{simulated.port}")
        (main, main_url), (sub, sub_url) = await one.profiles()
        assert (main.codec, main.width, main.height, main.frame_rate) == (VideoCodec.H265, 2560, 1440, 20)
        assert (main.ptz, sub.ptz) == (True, False)
        assert (sub.codec, sub.bit_rate, sub.name) == (VideoCodec.H264, 512_000, "Luồng phụ")
        assert (main_url, sub_url) == ("rtsp://127.0.0.1:8554/1", "rtsp://127.0.0.1:8554/1/sub")


@pytest.mark.parametrize("by_http", [False, True], ids=["token", "HTTP digest"])
@pytest.mark.parametrize("credentials", [Credentials("quản trị", "sai"), Credentials("ai", "bí mật"), None])
async def test_a_wrong_password_is_told_as_such(
    device: Make, loopback: Networks, by_http: bool, credentials: Credentials | None
) -> None:
    async with device(by_http=by_http) as simulated, await asked(simulated, loopback, credentials) as one:
        await one.greet()
        with pytest.raises(WrongPassword):
            await one.identity()


async def test_a_device_whose_clock_is_hours_off_takes_the_password_all_the_same(
    device: Make, loopback: Networks
) -> None:
    async with device(clock_offset_s=-5 * 3600) as simulated, await asked(simulated, loopback) as one:
        await one.greet()
        assert one.clock_offset_ns == pytest.approx(-5 * 3600 * 10**9, abs=60 * 10**9)
        assert (await one.identity()).model == "Simulated dome"


@pytest.mark.parametrize("by_both", [False, True])
async def test_a_device_that_tells_the_local_time_as_utc_takes_the_password_all_the_same(
    device: Make, loopback: Networks, by_both: bool
) -> None:
    async with device(told_offset_s=7 * 3600, by_both=by_both) as simulated, await asked(simulated, loopback) as one:
        await one.greet()
        assert (await one.identity()).model == "Simulated dome"
        assert len(await one.profiles()) == 2


async def test_a_device_that_wants_both_kinds_of_password_gets_them(device: Make, loopback: Networks) -> None:
    async with device(by_both=True) as simulated, await asked(simulated, loopback) as one:
        assert (await one.identity()).model == "Simulated dome"
        assert len(await one.profiles()) == 2
        before = simulated.asked.total()
        await one.identity()
        assert simulated.asked.total() == before + 1, "once known, it is asked in the right way at once"


async def test_a_wrong_password_is_not_tried_so_often_that_the_device_locks(device: Make, loopback: Networks) -> None:
    for options in ({}, {"by_http": True}, {"by_both": True}, {"told_offset_s": 3600}):
        wrong = Credentials("quản trị", "sai")
        async with device(**options) as simulated, await asked(simulated, loopback, wrong) as one:
            await one.greet()
            with pytest.raises(WrongPassword):
                await one.identity()
            assert simulated.asked["GetDeviceInformation"] <= 2


async def test_a_device_that_names_another_host_is_asked_where_it_was_found(device: Make, loopback: Networks) -> None:
    async with device(host="192.168.77.77") as simulated, await asked(simulated, loopback) as one:
        assert len(await one.profiles()) == 2


async def test_an_address_that_cannot_be_asked_for_is_told_as_such() -> None:
    async with OnvifDevice(Endpoint("http", "127.0.0.1", 1, "/\x7f"), None) as one:
        with pytest.raises(NotOnvif):
            await one.greet()


@pytest.mark.parametrize(
    "trouble",
    [
        OnvifTrouble.GARBAGE,
        OnvifTrouble.ENTITIES,
        OnvifTrouble.HUGE,
        OnvifTrouble.WEB_PAGE,
        OnvifTrouble.ELSEWHERE,
    ],
)
async def test_what_is_no_onvif_is_told_as_such(device: Make, loopback: Networks, trouble: OnvifTrouble) -> None:
    async with device() as simulated, await asked(simulated, loopback) as one:
        simulated.trouble = trouble
        with pytest.raises(NotOnvif):
            await one.greet()


@pytest.mark.parametrize("trouble", [OnvifTrouble.SILENT, OnvifTrouble.DRIPS])
async def test_a_device_that_does_not_come_to_an_end_is_left(
    device: Make, loopback: Networks, trouble: OnvifTrouble
) -> None:
    async with device() as simulated:
        simulated.trouble = trouble
        async with OnvifDevice(await loopback.resolve(simulated.url), None, answer_s=0.2) as one:
            with pytest.raises(CameraTimeout):
                await one.greet()


async def test_a_page_that_asks_for_a_password_is_taken_for_no_device_and_never_gets_it(
    device: Make, loopback: Networks
) -> None:
    async with device() as simulated, await asked(simulated, loopback) as one:
        simulated.trouble = OnvifTrouble.LOCKED_PAGE
        with pytest.raises(WrongPassword):
            await one.greet()
        assert simulated.authorizations == []


async def test_an_address_where_nothing_listens_says_so(device: Make, loopback: Networks) -> None:
    async with device() as simulated:
        endpoint = await loopback.resolve(simulated.url)
    async with OnvifDevice(endpoint, None) as one:
        with pytest.raises(ConnectionRefused):
            await one.greet()


async def test_a_head_moves_stops_and_comes_back_to_a_preset(device: Make, loopback: Networks) -> None:
    async with device() as simulated, await asked(simulated, loopback) as one:
        preset = await one.set_preset("main", "Cổng <chợ>")
        await one.move("main", 1, -0.5, 0, seconds=2)
        assert simulated.ptz.speed == (1, -0.5, 0)
        assert simulated.ptz.timeout_s == 3
        await one.stop("main")
        assert not simulated.ptz.moving
        assert simulated.ptz.pan > 0 > simulated.ptz.tilt
        assert await one.presets("main") == [Preset(preset, "Cổng <chợ>")]
        await one.go_to("main", preset)
        assert (simulated.ptz.pan, simulated.ptz.tilt) == (0, 0)
        assert await one.set_preset("main", "Cổng sau", preset) == preset
        assert await one.presets("main") == [Preset(preset, "Cổng sau")]
        await one.remove_preset("main", preset)
        assert await one.presets("main") == []


async def test_a_stream_that_cannot_be_steered_and_a_preset_that_is_not_there_are_refused(
    device: Make, loopback: Networks
) -> None:
    async with device() as simulated, await asked(simulated, loopback) as one:
        with pytest.raises(ActionNotSupported):
            await one.move("sub", 1, 0, 0, seconds=1)
        with pytest.raises(ActionNotSupported):
            await one.go_to("main", "77")
