"""What a centre asks of a node about devices, over a real bus, of simulated cameras on this machine."""

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from tests.device_place import PASSWORD, Place, device_place
from tests.simulated import small_simulator
from tests.waiting import until

from xomyen.bus.configuration import Configuration
from xomyen.bus.device_messages import (
    Credentials,
    DiscoverWanted,
)
from xomyen.bus.devices import DevicesBusy, Guarded, UnknownJob
from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.bus.sealing import seal
from xomyen.camera.simulator import Protection, Simulator
from xomyen.camera.simulator.onvif import OnvifTrouble
from xomyen.node.secrets import Secrets
from xomyen.terms.errors import InvalidConfiguration, UnknownCamera
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import VideoCodec


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with device_place(tmp_path) as made:
        yield made


async def _cameras(place: Place) -> Simulator:
    return small_simulator(port=place.rtsp_port, protection=Protection("admin", PASSWORD))


async def test_a_probe_says_what_a_camera_sends_and_shows_a_picture_of_it(place: Place) -> None:
    async with await _cameras(place) as cameras:
        job = await place.devices.probe(cameras.url(), place.password(), seconds=2, still_width=320)
        assert job.phase == "running"
        state = await place.ended(job)
    assert (state.phase, state.fault) == ("done", "")
    assert state.seen is not None
    assert (state.seen.codec, state.seen.width, state.seen.height) == (VideoCodec.H264, 640, 360)
    assert state.seen.frame_rate == pytest.approx(25, abs=1)
    assert state.done == state.total > 0
    with av.open(io.BytesIO(base64.b64decode(state.still))) as picture:
        frame = next(picture.decode(video=0))
    assert (frame.width, frame.height) == (320, 180)


async def test_the_picture_is_there_before_the_measuring_has_ended_and_stopping_ends_it(place: Place) -> None:
    async with await _cameras(place) as cameras:
        job = await place.devices.probe(cameras.url(), place.password(), seconds=30)

        async def shown() -> bool:
            state = await place.devices.job(job.job)
            return bool(state.still) and state.phase == "running"

        await until(shown)
        stopped = await place.devices.stop(job.job)
        assert (stopped.phase, stopped.step) == ("stopped", "ended")
        assert stopped.still
        await until(lambda: cameras.sessions == 0)


async def test_once_a_stream_was_measured_its_pictures_follow_one_another(place: Place) -> None:
    async with await _cameras(place) as cameras:
        job = await place.devices.probe(cameras.url(), place.password(), seconds=1, watch_s=60)
        stills: set[str] = set()

        async def moved() -> bool:
            state = await place.devices.job(job.job)
            if state.step == "showing":
                stills.add(state.still)
            return len(stills) > 2

        await until(moved)
        assert (await place.devices.job(job.job)).seen is not None
        await place.devices.stop(job.job)


async def test_where_no_picture_may_be_shown_nobody_goes_on_watching(place: Place) -> None:
    async with await _cameras(place) as cameras:
        hidden = Guarded(here=("127.0.0.1",))
        job = await place.devices.probe(cameras.url(), place.password(), seconds=1, watch_s=60, guarded=hidden)
        state = await place.ended(job)
        assert (state.phase, state.withheld, state.still) == ("done", True, "")
        assert state.seen is not None


@pytest.mark.parametrize(
    ("path", "password", "error"),
    [
        ("/1", "sai", "camera_wrong_password"),
        ("/77", PASSWORD, "camera_stream_not_found"),
    ],
)
async def test_a_probe_tells_which_fault_it_met(place: Place, path: str, password: str, error: str) -> None:
    async with await _cameras(place) as cameras:
        url = f"rtsp://127.0.0.1:{cameras.port}{path}"
        state = await place.ended(await place.devices.probe(url, place.password(password)))
    assert (state.phase, state.fault) == ("failed", error)
    assert state.message
    assert password not in state.message
    assert state.seen is None


async def test_where_nothing_listens_a_probe_says_so(place: Place) -> None:
    url = f"rtsp://127.0.0.1:{place.rtsp_port}/1"
    state = await place.ended(await place.devices.probe(url))
    assert (state.phase, state.fault) == ("failed", "camera_connection_refused")


async def test_a_probe_of_what_could_not_be_configured_is_refused_at_once(place: Place) -> None:
    for url in ("gopher://127.0.0.1/", "rtsp://admin:secret@127.0.0.1/1", "rtsp://"):
        with pytest.raises(InvalidConfiguration):
            await place.devices.probe(url)


async def test_a_password_sealed_to_another_node_is_refused(place: Place, tmp_path: Path) -> None:
    other = Secrets.load_or_create(tmp_path / "other.pem")
    wrong = Credentials(user="admin", sealed_password=seal(PASSWORD, other.public))
    with pytest.raises(InvalidConfiguration):
        await place.devices.probe("rtsp://127.0.0.1/1", wrong)


async def test_the_password_of_a_saved_camera_is_used_at_its_own_host_only(place: Place) -> None:
    async with await _cameras(place) as cameras:
        sealed = place.password()
        config = CameraConfig(
            id=new_id(),
            name="Cổng chợ",
            main=StreamConfig(url=cameras.url()),
            user=sealed.user,
            sealed_password=sealed.sealed_password,
        )
        await Configuration(place.client, place.node).put(config, 0)
        of_camera = Credentials(camera=config.id)
        state = await place.ended(await place.devices.probe(cameras.url() + "/sub", of_camera, seconds=1))
        assert state.phase == "done"
        with pytest.raises(InvalidConfiguration):
            await place.devices.probe("rtsp://localhost/1", of_camera)
        with pytest.raises(InvalidConfiguration):
            await place.devices.discover(DiscoverWanted(credentials=of_camera))
        with pytest.raises(UnknownCamera):
            await place.devices.probe(cameras.url(), Credentials(camera=new_id()))


async def test_no_more_probes_run_at_once_than_the_node_bears(place: Place) -> None:
    place.onvif.trouble = OnvifTrouble.SILENT
    url = f"rtsp://127.0.0.1:{place.onvif.port}/1"
    running = [await place.devices.probe(url) for _ in range(4)]
    with pytest.raises(DevicesBusy):
        await place.devices.probe(url)
    await place.devices.stop(running[0].job)
    running.append(await place.devices.probe(url))
    for job in running:
        await place.devices.stop(job.job)


async def test_a_job_that_nobody_knows_is_told_as_such(place: Place) -> None:
    with pytest.raises(UnknownJob):
        await place.devices.job(new_id())
    with pytest.raises(UnknownJob):
        await place.devices.stop(new_id())


# --- discovery -----------------------------------------------------------------------------


async def test_a_device_that_answers_the_multicast_is_told_with_its_identity_and_streams(place: Place) -> None:
    job = await place.devices.discover(DiscoverWanted(seconds=15, credentials=place.password()))
    found = await place.found(job, "multicast")
    assert (found.address, found.onvif_url, found.how) == ("127.0.0.1", place.onvif.url, ("multicast",))
    assert (found.name, found.hardware) == ("Sân chợ", "Dome")
    assert (found.manufacturer, found.model, found.firmware) == ("Xóm Yên", "Simulated dome", "1.2.3")
    assert found.serial == f"SIM-{place.onvif.port}"
    assert [profile.url for profile in found.profiles] == [profile.url for profile in place.onvif.profiles]
    assert [(profile.codec, profile.ptz) for profile in found.profiles] == [
        (VideoCodec.H265, True),
        (VideoCodec.H264, False),
    ]


async def test_a_scan_tells_what_it_finds_and_how_far_it_has_come(place: Place) -> None:
    async with small_simulator(port=place.rtsp_port):
        wanted = DiscoverWanted(multicast=False, addresses=("127.0.0.0/26", "127.0.1.1-127.0.1.8"))
        state = await place.ended(await place.devices.discover(wanted))
    assert (state.phase, state.done, state.total) == ("done", 70, 70)
    onvif = [found for found in state.devices if found.onvif_url]
    assert [(found.address, found.rtsp_ports, found.how) for found in onvif] == [
        ("127.0.0.1", (place.rtsp_port,), ("scan",))
    ]
    # Without a password a device is told of, but not asked who it is.
    assert (onvif[0].serial, onvif[0].profiles, onvif[0].fault) == ("", (), "")
    assert "GetDeviceInformation" not in place.onvif.asked


async def test_a_device_found_in_both_ways_counts_once(place: Place) -> None:
    async with small_simulator(port=place.rtsp_port):
        wanted = DiscoverWanted(seconds=15, addresses=("127.0.0.1",))
        found = await place.found(await place.devices.discover(wanted), "multicast", "scan")
    assert (found.name, found.rtsp_ports) == ("Sân chợ", (place.rtsp_port,))


async def test_a_wrong_password_is_told_with_the_device(place: Place) -> None:
    wanted = DiscoverWanted(multicast=False, addresses=("127.0.0.1",), credentials=place.password("sai"))
    state = await place.ended(await place.devices.discover(wanted))
    assert state.phase == "done"
    (found,) = state.devices
    assert (found.fault, found.serial) == ("camera_wrong_password", "")


@pytest.mark.parametrize("trouble", [OnvifTrouble.GARBAGE, OnvifTrouble.ENTITIES, OnvifTrouble.HUGE])
async def test_a_hostile_answer_is_told_with_the_device_and_ends_nothing(place: Place, trouble: OnvifTrouble) -> None:
    place.onvif.trouble = trouble
    wanted = DiscoverWanted(seconds=15, credentials=place.password())
    found = await place.found(await place.devices.discover(wanted), "multicast")
    assert (found.fault, found.name) == ("camera_not_onvif", "Sân chợ")


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8",), ("192.168.1.0/24",), ("127.0.0.0/21",), ("camera",), ("127.0.0.0/22", "127.0.8.0/22")]
)
async def test_a_centre_cannot_have_foreign_or_too_many_addresses_searched(
    place: Place, addresses: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        await place.devices.discover(DiscoverWanted(addresses=addresses))
    assert refused.value.details["field"] == "addresses"


async def test_a_search_can_be_stopped_and_keeps_what_it_found(place: Place) -> None:
    job = await place.devices.discover(DiscoverWanted(seconds=15, credentials=place.password()))

    async def found() -> bool:
        return (await place.devices.job(job.job)).found == 1

    await until(found)
    stopped = await place.devices.stop(job.job)
    assert (stopped.phase, stopped.found) == ("stopped", 1)
    again = await place.devices.job(job.job)
    assert [device.address for device in again.devices] == ["127.0.0.1"]


async def test_jobs_are_forgotten_after_a_while(place: Place) -> None:
    job = await place.devices.discover(DiscoverWanted(multicast=False))
    await place.ended(job)
    place.clock.advance(3600 * NS_PER_SECOND)
    await place.ended(await place.devices.discover(DiscoverWanted(multicast=False)))
    with pytest.raises(UnknownJob):
        await place.devices.job(job.job)
