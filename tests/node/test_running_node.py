"""A whole node in its real processes: it records, survives what happens to its parts, and stops cleanly."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from nats.aio.msg import Msg
from tests.running_node import RunningNode, all_gone, running_node, simulated_cameras, xomyen
from tests.waiting import until, wait_until

from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.events import read_events
from xomyen.bus.messages import CameraEvent, FragmentNotice, GapEvent, NodeEvent, SegmentEvent
from xomyen.camera.simulator import demo_clip
from xomyen.node.home import read_identity
from xomyen.node.streams import RESTING
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import TICKS_PER_SECOND
from xomyen.terms.words import CameraState, GapReason, SegmentState, StreamName

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def _events(node: RunningNode, kind: str) -> list[bytes]:
    """All events of a kind in the node's stream, oldest first."""
    folder = NodeFolder(node.folder)
    identity = read_identity(folder)
    async with connected(folder, "test") as client:
        return [payload async for payload, _at_ns in read_events(client, identity, kind, 0)]


def test_it_records_what_the_cameras_send_and_says_so(recording: RunningNode) -> None:
    assert recording.wait_for_frames("Cổng chợ", 50) > 50
    camera = recording.camera("Cổng chợ")
    assert (camera["state"], camera["reason"], camera["since"] is not None) == ("recording", None, True)
    assert camera["streams"]["sub"]["detail"] == "read only while somebody watches"
    assert recording.well()["cameras"]["recording"] == 2

    def metrics() -> str:
        return httpx.get(f"{recording.url}/metrics", timeout=60).text

    shown = wait_until(lambda: "the recorder does not answer" not in (now := metrics()) and now)
    assert 'xomyen_cameras{state="recording"} 2.0' in shown
    assert "xomyen_volume_written_bytes_total" in shown


def test_states_segments_and_gaps_reach_the_event_stream(recording: RunningNode) -> None:
    identity = recording.camera("Ngã ba")["id"]
    recording.wait_for_frames("Ngã ba", 25)
    recording.run("camera", "edit", "Ngã ba", "--disable")
    recording.wait_for("Ngã ba", "disabled")

    async def told() -> tuple[list[CameraEvent], list[SegmentEvent], list[GapEvent]]:
        states = [CameraEvent.model_validate_json(data) for data in await _events(recording, "camera")]
        segments = [SegmentEvent.model_validate_json(data) for data in await _events(recording, "segment")]
        gaps = [GapEvent.model_validate_json(data) for data in await _events(recording, "gap")]
        return (
            [event for event in states if event.camera == identity],
            [event for event in segments if event.camera == identity],
            [event for event in gaps if event.camera == identity],
        )

    async def complete() -> tuple[list[CameraEvent], list[SegmentEvent], list[GapEvent]] | None:
        found = await told()
        return found if all(found) else None

    states, segments, gaps = asyncio.run(until(complete, every=0.3)) or ([], [], [])
    assert CameraState.RECORDING in {event.state for event in states}
    assert segments[-1].state is SegmentState.SEALED
    assert segments[-1].frames > 25
    assert gaps[-1].reason is GapReason.POLICY
    assert gaps[-1].end_ns is None


def test_a_killed_recorder_comes_back_and_loses_at_most_two_seconds(recording: RunningNode) -> None:
    before = recording.wait_for_frames("Cổng chợ", 60)
    recorder = recording.part("recorder")
    recorder.kill()
    wait_until(lambda: _other(recording, "recorder", recorder.pid))
    after = recording.wait_for_frames("Cổng chợ", before + 50)
    assert after > before
    recording.wait_for("Cổng chợ", "recording")
    timeline = recording.json("timeline", "Cổng chợ", "--from", "-5m")
    recovered = [segment for segment in timeline["segments"] if segment["state"] == "recovered"]
    assert recovered
    of_the_killed = [segment for segment in timeline["segments"] if segment["run"] == recovered[0]["run"]]
    assert sum(segment["frames"] for segment in of_the_killed) >= before, "what was acknowledged is there"
    assert "node_stopped" in {gap["reason"] for gap in timeline["gaps"]}
    restarts = {part["name"]: part["restarts"] for part in recording.well()["parts"]}
    assert restarts == {"bus": 0, "recorder": 1, "gateway": 0, "devices": 0}
    told = [NodeEvent.model_validate_json(data) for data in asyncio.run(_events(recording, "node"))]
    ended = [event for event in told if event.part == "recorder" and event.what == "ended"]
    assert [event.detail for event in ended] == ["killed by SIGKILL"]


def _other(node: RunningNode, part: str, pid: int) -> int | None:
    try:
        found = node.part(part).pid
    except (StopIteration, psutil.NoSuchProcess):
        return None
    return found if found != pid else None


def test_a_killed_gateway_comes_back_at_the_same_address_and_recording_goes_on(recording: RunningNode) -> None:
    before = recording.wait_for_frames("Cổng chợ", 25)
    url, recorder = recording.url, recording.part("recorder").pid
    gateway = recording.part("gateway")
    gateway.kill()
    wait_until(lambda: _other(recording, "gateway", gateway.pid))
    wait_until(lambda: _answers(url))
    assert recording.part("recorder").pid == recorder
    assert recording.wait_for_frames("Cổng chợ", before + 50) > before
    # A busy machine may have come to the next segment meanwhile.
    assert len({segment["run"] for segment in recording.segments("Cổng chợ")}) == 1, "the recorder was not disturbed"


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=20).status_code in (200, 503)
    except httpx.HTTPError:
        return False


def test_a_killed_bus_comes_back_and_everybody_finds_it(recording: RunningNode) -> None:
    before = recording.wait_for_frames("Cổng chợ", 25)
    bus, recorder, gateway = (recording.part(name).pid for name in ("bus", "recorder", "gateway"))
    psutil.Process(bus).kill()
    wait_until(lambda: _other(recording, "bus", bus))
    recording.well()
    assert (recording.part("recorder").pid, recording.part("gateway").pid) == (recorder, gateway)
    assert recording.wait_for_frames("Cổng chợ", before + 50) > before
    recording.run("camera", "edit", "Ngã ba", "--disable")
    recording.wait_for("Ngã ba", "disabled")


def test_changing_one_camera_does_not_disturb_the_other(recording: RunningNode, cameras: int) -> None:
    before = recording.wait_for_frames("Cổng chợ", 25)
    run = recording.segments("Cổng chợ")[0]["run"]
    recording.run("camera", "add", "Sân", f"rtsp://127.0.0.1:{cameras}/1/sub")
    recording.run("camera", "edit", "Ngã ba", "--url", f"rtsp://127.0.0.1:{cameras}/2/sub")
    recording.wait_for("Sân", "recording")
    recording.run("camera", "edit", "Ngã ba", "--disable")
    recording.wait_for("Ngã ba", "disabled")
    recording.run("camera", "edit", "Ngã ba", "--enable")
    recording.wait_for("Ngã ba", "recording")
    recording.run("camera", "remove", "Sân")
    recording.run("camera", "edit", "Cổng chợ", "--days", "60", "--name", "Cổng chợ Khê", "--site", "Chợ Khê")
    recording.wait_for_frames("Cổng chợ Khê", before + 25)
    timeline = recording.json("timeline", "Cổng chợ Khê", "--from", "-5m")
    assert {segment["run"] for segment in timeline["segments"]} == {run}
    assert timeline["gaps"] == []
    assert all(segment["lost_packets"] == 0 for segment in timeline["segments"])
    others = recording.json("timeline", "Ngã ba", "--from", "-5m")
    assert "policy" in {gap["reason"] for gap in others["gaps"]}
    assert [camera["name"] for camera in recording.json("camera", "list")] == ["Cổng chợ Khê", "Ngã ba"]


def test_a_camera_that_is_wrong_says_why_and_hurts_nobody(recording: RunningNode, cameras: int, tmp_path: Path) -> None:
    recording.run("camera", "add", "Sai đường", f"rtsp://127.0.0.1:{cameras}/99")
    recording.run("camera", "add", "Sai cổng", "rtsp://127.0.0.1:1/1")
    recording.run("camera", "add", "Không phải RTSP", f"rtsp://{recording.url.removeprefix('http://')}/1")
    recording.run("camera", "add", "Không có tệp", f"file://{tmp_path}/none.mp4")
    assert recording.wait_for("Sai đường", "lost")["reason"] == "refused"
    assert "404" in recording.camera("Sai đường")["detail"]
    assert recording.wait_for("Sai cổng", "lost")["reason"] == "network"
    assert recording.wait_for("Không phải RTSP", "lost")["reason"] == "refused"
    recording.wait_for("Không có tệp", "lost")
    assert recording.camera("Cổng chợ")["state"] == "recording"
    assert recording.well(), "a camera that is away is no fault of the node"


@pytest.fixture
def protected(pictures: Path, tmp_path: Path) -> Iterator[int]:
    """The port of a camera that wants the user admin and the password mật:khẩu@1."""
    file = tmp_path / "password"
    file.write_text("mật:khẩu@1\n")
    with simulated_cameras(demo_clip(), pictures, "--user", "admin", "--password-file", str(file), count=1) as port:
        yield port


def test_a_password_is_used_kept_sealed_and_never_shown(serving: RunningNode, protected: int, tmp_path: Path) -> None:
    secret = "mật:khẩu@1"
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.write_text("không-đúng-8215\n")
    right.write_text(secret)
    url = f"rtsp://127.0.0.1:{protected}/1"
    serving.run("camera", "add", "Cổng", url, "--user", "admin", "--password-file", wrong)
    refused = serving.wait_for("Cổng", "lost")
    assert (refused["reason"], "401" in refused["detail"] or "password" in refused["detail"]) == ("refused", True)
    serving.run("camera", "edit", "Cổng", "--password-file", right)
    serving.wait_for("Cổng", "recording")
    serving.run("camera", "add", "Sân", f"rtsp://admin:m%E1%BA%ADt%3Akh%E1%BA%A9u%401@127.0.0.1:{protected}/1/sub")
    listed = serving.wait_for("Sân", "recording")
    assert listed["main"]["url"] == f"rtsp://127.0.0.1:{protected}/1/sub"
    assert listed["user"] == "admin"
    shown = serving.run("camera", "list", "--json").stdout + serving.log.read_text()
    shown += serving.run("timeline", "Cổng", "--from", "-5m").stdout
    for process in serving.family():
        shown += " ".join(process.cmdline()) + str(process.environ())
    kept = b"".join(file.read_bytes() for file in serving.folder.rglob("*") if file.is_file())
    for text in (secret, "không-đúng-8215", "m%E1%BA%ADt"):
        assert text not in shown
        assert text.encode() not in kept


async def test_a_lease_brings_notices_of_the_sub_stream_and_its_end_ends_them(recording: RunningNode) -> None:
    folder = NodeFolder(recording.folder)
    node, camera = read_identity(folder), recording.camera("Cổng chợ")["id"]
    heard: list[FragmentNotice | CameraEvent] = []  # of the sub-stream, in the order they were told
    async with connected(folder, "test") as client:

        async def told(message: Msg) -> None:
            if message.subject == subjects.fragment(node, camera, "sub"):
                heard.append(FragmentNotice.model_validate_json(message.data))
            elif message.subject == subjects.state(node, camera):
                event = CameraEvent.model_validate_json(message.data)
                heard.extend([event] if event.stream is StreamName.SUB else [])

        def notices() -> list[FragmentNotice]:
            return [one for one in heard if isinstance(one, FragmentNotice)]

        async def watched_until(enough: Callable[[], bool]) -> None:
            async def told_while_watching() -> bool:
                await client.publish(subjects.lease(node, camera, "sub"), b"")  # renewed, for a lease ends by itself
                return enough()

            await until(told_while_watching, seconds=60, every=0.5)

        def prompt() -> bool:
            # Of what nobody watches no fragment is as short. What is watched becomes one with each read, and a busy
            # machine that comes to read late finds more: some are longer, but not every second one.
            short = [0 < one.duration <= TICKS_PER_SECOND // 10 for one in notices()]
            return sum(short) >= 20 and any(all(short[at : at + 5]) for at in range(len(short) - 4))

        await client.subscribe(f"xy.{node}.>", cb=told)
        await watched_until(prompt)
        assert Path(notices()[-1].path).is_file()
        assert all(0 < one.duration < TICKS_PER_SECOND for one in notices())
        first_run = [one.first_dts for one in notices() if one.run == notices()[0].run]
        assert first_run == sorted(set(first_run)), "each is told of once, in the order of the film"
        # Without leases the stream is let go, and no other run of it begins until somebody watches again. A busy disk
        # may still write the last fragments of the one that ended, and they are told of then.
        await until(lambda: next(e for e in reversed(heard) if isinstance(e, CameraEvent)).detail == RESTING)
        rests, runs = len(heard), {one.run for one in notices()}
        await watched_until(lambda: notices()[-1].run not in runs)
        since = [one for one in heard[rests:] if isinstance(one, CameraEvent) or one.run not in runs]
        assert isinstance(since[0], CameraEvent)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_with_everything_sealed(recording: RunningNode, number: int) -> None:
    recording.wait_for_frames("Cổng chợ", 25)
    family = recording.family()
    assert recording.stop(number) == 0
    assert all_gone(family)
    report = json.loads(xomyen("check", "--hashes", "--json", "--dir", recording.folder).stdout)
    assert report["clean"]
    assert report["findings"] == []
    listed = json.loads(xomyen("timeline", "Cổng chợ", "--from", "-5m", "--json", "--dir", recording.folder).stdout)
    assert {segment["state"] for segment in listed["segments"]} == {"sealed"}


def test_no_process_outlives_a_killed_supervisor_and_the_next_start_goes_on(
    recording: RunningNode, tmp_path: Path
) -> None:
    before = recording.wait_for_frames("Cổng chợ", 50)
    family = recording.family()
    assert len(family) >= 3
    recording.stop(signal.SIGKILL)
    assert all_gone(family)
    xomyen("signin", "--dir", recording.folder, code=7)
    with running_node(recording.folder) as again:
        again.wait_for("Cổng chợ", "recording")
        again.wait_for_frames("Cổng chợ", before + 25)
        reasons = {gap["reason"] for gap in again.json("timeline", "Cổng chợ", "--from", "-5m")["gaps"]}
        assert "node_stopped" in reasons
    assert json.loads(xomyen("check", "--hashes", "--json", "--dir", recording.folder).stdout)["clean"]


def test_two_nodes_in_one_folder_are_one_too_many(serving: RunningNode) -> None:
    second = xomyen("serve", "--dir", serving.folder, "--listen", "127.0.0.1:0", code=None)
    assert second.returncode == 8
    assert second.stderr.count("\n") == 1
    assert "already runs" in second.stderr
    assert serving.well()


def test_the_camera_list_comes_back_after_a_restart_of_the_node(recording: RunningNode) -> None:
    listed = {camera["id"]: camera["name"] for camera in recording.json("camera", "list")}
    recording.stop()
    rest = json.loads(xomyen("camera", "list", "--json", "--dir", recording.folder).stdout)
    assert {camera["id"]: camera["name"] for camera in rest} == listed
    assert {camera["reason"] for camera in rest} == {"node_stopped"}


def test_a_port_that_is_taken_is_told_at_once(serving: RunningNode, tmp_path: Path) -> None:
    taken = serving.url.removeprefix("http://")
    second = xomyen("serve", "--dir", tmp_path / "other", "--listen", taken, code=2)
    assert taken in second.stderr
    assert second.stderr.count("\n") == 1
