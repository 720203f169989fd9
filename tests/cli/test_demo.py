"""`xomyen demo`: a commune that records, and leaves nothing behind but its folder."""

import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from tests.browser import advanced, chromium, open_context, picture_of
from tests.running_node import ENVIRONMENT, RunningNode, all_gone, xomyen

from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.bus.server import BusServer
from xomyen.cli.demo import cameras_of_demo, commune, configure, free_port, require_room
from xomyen.node.config_service import ConfigService
from xomyen.node.home import prepare
from xomyen.node.secrets import Secrets
from xomyen.recording.disk import LocalDisk, Room
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.names import fold_name
from xomyen.terms.settings import GIBI, Settings

# Programs are started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(300)


def test_two_demos_that_start_at_once_take_different_ports() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        usual = int(taken.getsockname()[1])
        assert free_port(usual) != usual
    other = f"from xomyen.cli.demo import free_port; print(free_port({usual}), flush=True); input()"
    command = [sys.executable, "-c", other]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as earlier:
        assert earlier.stdout is not None
        assert int(earlier.stdout.readline()) == usual  # and nothing listens there yet
        assert free_port(usual) != usual
        earlier.communicate("")
    assert free_port(usual) == usual


def test_the_commune_has_its_25_cameras_with_names_that_differ() -> None:
    cameras = commune()
    assert [camera.code for camera in cameras] == [f"C{number:02d}" for number in range(1, 26)]
    assert cameras[3].title == "C04 Hướng chợ"
    assert cameras[3].site == "Ngã tư trung tâm, thôn Thượng"
    assert len({fold_name(camera.title) for camera in cameras_of_demo(250)}) == 250


def test_the_owners_are_those_of_the_commune() -> None:
    table = tomllib.loads(resources.files("xomyen.cli").joinpath("demo.toml").read_text(encoding="utf-8"))
    owners = [camera["owner"] for site in table["site"] for camera in site["cameras"]]
    counts = {owner: owners.count(owner) for owner in set(owners)}
    assert counts == {"UBND xã": 14, "nhà trường": 2, "thôn Đông": 6, "Công ty Khê Bình": 2, "hộ số 17": 1}
    assert len(table["site"]) == 11


def test_a_video_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = xomyen("demo", "--video", tmp_path / "none.mp4", "--dir", tmp_path / "demo", code=2)
    assert "none.mp4" in done.stderr
    assert not (tmp_path / "demo").exists()


class OtherPeoplesDisk(LocalDisk):
    """Full but for so many bytes."""

    def __init__(self, free: int) -> None:
        super().__init__()
        self.free = free

    def room(self, path: str) -> Room:
        return Room(self.free, 100 * GIBI, 1)


def test_a_disk_that_others_have_filled_is_told_before_fresh_footage_goes(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path / "demo")
    needed = 5 * GIBI + 300_000_000 * 2
    require_room(folder, Settings(), 2, OtherPeoplesDisk(needed))
    with pytest.raises(VolumeRefused, match=r"has 5\.4 GB free; the recorder keeps 5\.4 GB .* Free 0\.6 GB, name"):
        require_room(folder, Settings(), 2, OtherPeoplesDisk(5 * GIBI))
    assert not folder.root.exists()
    require_room(folder, Settings(reserve_bytes=GIBI), 2, OtherPeoplesDisk(5 * GIBI))
    # What an earlier demo recorded makes room for the next.
    folder.default_volume.mkdir(parents=True)
    with (folder.default_volume / "earlier.mp4").open("wb") as earlier:
        earlier.truncate(600_000_000)
    require_room(folder, Settings(), 2, OtherPeoplesDisk(5 * GIBI))
    with pytest.raises(VolumeRefused, match=r"0\.6 GB of earlier demos"):
        require_room(folder, Settings(), 25, OtherPeoplesDisk(5 * GIBI))


def test_a_demo_without_room_ends_at_once_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "XOMYEN_RESERVE_BYTES", str(1 << 60))
    done = xomyen("demo", "--dir", tmp_path / "demo", code=9)
    assert "would be deleted at once" in done.stderr
    assert not (tmp_path / "demo").exists()


async def test_a_camera_that_somebody_found_stays_and_is_looked_for_at_this_times_port(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path / "demo")
    node = prepare(folder)
    folder.run.mkdir(mode=0o700, exist_ok=True)
    async with BusServer(folder, node), connected(folder, "test") as client:
        await prepare_streams(client, node)
        async with ConfigService(client, node, Secrets.load_or_create(folder.secrets_key), 10):
            asked = Configuration(client, node)
            await configure(asked, commune()[:3], 8554, beside_centre=True)
            found = CameraConfig(id=new_id(), name="C30 Bến xe", main=StreamConfig(url="rtsp://127.0.0.1:8554/3"))
            # A demo of two: what was its third camera rests, what somebody found there does not.
            await configure(asked, commune()[:2], 9554, beside_centre=True)
            assert [one.config.enabled for one in await asked.cameras()] == [True, True, False]
            await asked.put(found, 0)
            await configure(asked, commune()[:2], 9554, beside_centre=True)
            kept = {one.config.name: one.config for one in await asked.cameras()}["C30 Bến xe"]
            assert (kept.enabled, kept.main.url) == (True, "rtsp://127.0.0.1:9554/3")


@contextmanager
def running_demo(folder: Path, *options: str) -> Iterator[tuple[RunningNode, list[str]]]:
    """`xomyen demo` for the length of a block, and what it printed up to the link of the node."""
    log = folder.with_suffix(".log")
    command = [sys.executable, "-m", "xomyen.cli", "demo", "--dir", str(folder), "--listen", "127.0.0.1:0", *options]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=ENVIRONMENT)
        node = RunningNode(folder, process, log)
        try:
            assert process.stdout is not None
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "/signin#" in line:
                    break
            else:
                raise AssertionError(log.read_text())
            yield node, printed
        finally:
            node.stop(signal.SIGKILL)


@pytest.mark.slow
def test_it_records_until_ctrl_c_and_then_nothing_runs(tmp_path: Path) -> None:
    with running_demo(tmp_path / "demo", "--cameras", "2", "--node-only") as (node, _printed):
        node.wait_for("C01 Vào xã", "recording")
        node.wait_for("C02 Ra xã", "recording")
        assert node.camera("C01 Vào xã")["site"] == "Cửa ngõ Bắc, thôn Thượng"
        assert node.wait_for_frames("C01", 25) > 25
        family = node.family()
        assert node.stop(signal.SIGINT) == 0
        assert all_gone(family)
    assert not (tmp_path / "demo" / "centre").exists()


@pytest.mark.slow
@pytest.mark.browser
def test_each_person_comes_in_by_one_click_and_sees_live_pictures_in_the_centre(tmp_path: Path) -> None:
    with (
        running_demo(tmp_path / "demo", "--cameras", "2", "--centre", "127.0.0.1:0") as (node, printed),
        chromium() as browser,
        open_context(browser) as context,
    ):
        people = [line.partition(",")[0].strip() for line in printed if line.startswith("  ") and ", " in line]
        assert people[:3] == ["Lương Khê Mẫn", "Hà Khê Vinh", "Đỗ Khê Tùng"]
        link = next(line.strip() for line in printed if "/account/link/#" in line)
        page = context.new_page()
        page.goto(link)
        page.wait_for_url("**/live")
        advanced(picture_of(page, "C01 Vào xã").locator("video"))
        family = node.family()
        assert node.stop(signal.SIGINT) == 0
        assert all_gone(family)
