"""What goes wrong with a running node's disks and parts is told to those in charge while they watch."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.running_node import ENVIRONMENT, RunningNode, running_node
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Alarms = dict[str, dict[str, Any]]
Wait = Callable[[Callable[[Alarms], bool]], Alarms]


@contextmanager
def _alarms(node: RunningNode) -> Iterator[Wait]:
    """Waits until the alarms that stand, by code, are as wanted."""
    headers = {"Authorization": f"Bearer {node.ticket()}"}
    with httpx.stream("GET", f"{node.url}/api/v1/changes", headers=headers, timeout=60) as answer:
        lines = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith('data: {"alarms"'))

        def wait(wanted: Callable[[Alarms], bool]) -> Alarms:
            heard: list[Alarms] = []
            for line in lines:
                heard.append({alarm["code"]: alarm for alarm in json.loads(line)["alarms"]})
                if wanted(heard[-1]):
                    return heard[-1]
            raise AssertionError(f"the stream ended; heard {heard}")

        yield wait


def test_a_disk_without_the_room_that_is_to_stay_free_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "node"
    monkeypatch.setitem(ENVIRONMENT, "XOMYEN_RESERVE_BYTES", str(1 << 60))
    with running_node(folder) as node, _alarms(node) as until:
        found = until(lambda alarms: {"full", "volume"} <= alarms.keys())
        assert {alarm["path"] for alarm in found.values()} == {str(folder / "video")}
        assert "is full, nothing is recorded to it" in found["full"]["detail"]


def test_a_recorder_that_ends_is_an_alarm_until_it_is_back(serving: RunningNode) -> None:
    with _alarms(serving) as until:
        until(lambda alarms: not alarms)
        serving.part("recorder").kill()
        found = until(lambda alarms: "recorder" in alarms)
        assert found["recorder"]["detail"] == "Nothing is recorded (recorder killed by SIGKILL)."
        until(lambda alarms: not alarms)


def test_a_volume_that_cannot_be_used_is_told_and_used_once_it_can(tmp_path: Path) -> None:
    folder, volume = tmp_path / "node", tmp_path / "disk"
    folder.mkdir(mode=0o700)
    (folder / "settings.toml").write_text(f'volumes = ["{volume}"]\n')
    volume.write_text("no folder")
    with running_node(folder) as node, _alarms(node) as until:
        node.run("camera", "add", "Sân", "rtsp://127.0.0.1:1/1")
        until(lambda alarms: str(volume) in alarms.get("recorder", {}).get("detail", ""))
        health = wait_until(lambda: (now := node.health()) and str(volume) in str(now["problems"]) and now, every=0.2)
        assert not health["ok"]
        assert str(volume) in node.camera("Sân")["detail"]
        volume.unlink()
        volume.mkdir()
        until(lambda alarms: not alarms)
        node.well()
