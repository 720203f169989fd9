"""The commands of the contract on a node that runs, as a user types them."""

import json
import re
from pathlib import Path

import httpx
import pytest
from tests.running_node import RunningNode, xomyen
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_serve_prints_a_link_that_signs_in_once(recorded: RunningNode) -> None:
    for link in (recorded.link, recorded.run("signin").stdout.strip()):
        url, _, code = link.partition("/signin#")
        assert url == recorded.url
        with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60) as browser:
            assert browser.post("/api/v1/session", json={"code": code}).status_code == 200
            assert browser.get("/api/v1/cameras").json()["cameras"][0]["name"] == "Cổng chợ"
            assert browser.post("/api/v1/session", json={"code": code}).status_code in (401, 403)


def test_timeline_shows_segments_as_a_table_and_as_json(recorded: RunningNode) -> None:
    found = recorded.json("timeline", "cong cho", "--from", "-10m", "--to", "now")
    assert found["segments"][0]["frames"] > 100
    assert found["from"] < found["segments"][0]["from"] < found["to"]
    assert found["segments"][0]["id"]
    table = recorded.run("timeline", "Cổng chợ", "--from", "-10m").stdout
    assert "open" in table
    assert "Nothing" in recorded.run("timeline", "Cổng chợ", "--from", "-3d", "--to", "-2d").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--from", "+1h", "--to", "+2h"), 2),
        (("--from", "-1m", "--to", "-5m"), 2),
        (("--from", "2026-11-21T07:00:00"), 2),
        (("--from", "gestern"), 2),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(recorded: RunningNode, arguments: tuple[str, ...], code: int) -> None:
    done = recorded.run("timeline", "Cổng chợ", *arguments, code=code)
    assert done.stderr.count("\n") == 1


def test_timeline_of_an_unknown_camera_is_refused(recorded: RunningNode) -> None:
    assert "No camera" in recorded.run("timeline", "Chùa", "--from", "-1m", code=3).stderr


def test_a_ticket_opens_what_it_names_and_no_more(recorded: RunningNode) -> None:
    token = recorded.run("ticket", "--camera", "Cổng chợ", "--action", "past", "--ttl", "60").stdout.strip()
    camera = recorded.camera("Cổng chợ")["id"]
    with httpx.Client(base_url=recorded.url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        path = f"/api/v1/cameras/{camera}"
        segment = recorded.segments("Cổng chợ")[0]
        span = {"from": segment["from"], "to": segment["to"]}
        assert client.get(f"{path}/timeline", params=span).json()["spans"]
        assert client.get(f"{path}/clip", params=span).status_code == 403
    refused = recorded.run("ticket", "--camera", "Chùa", "--action", "live", "--ttl", "60", code=3)
    assert "No camera" in refused.stderr
    recorded.run("ticket", "--camera", "Cổng chợ", "--action", "everything", "--ttl", "60", code=2)
    recorded.run("ticket", "--camera", "Cổng chợ", "--action", "live", "--ttl", "0", code=2)


def test_an_export_is_proven_by_another_person_with_the_key(recorded: RunningNode, tmp_path: Path) -> None:
    segment = recorded.segments("Cổng chợ")[0]
    export, key = tmp_path / "export", tmp_path / "node.pem"
    recorded.run("export", "Cổng chợ", "--from", segment["from"], "--to", "-1s", "--output", export)
    recorded.run("key", "--output", key)
    assert "AUTHENTIC" in xomyen("verify", export, "--key", key).stdout
    clip = next(export.rglob("*.mp4"))
    content = bytearray(clip.read_bytes())
    content[len(content) // 2] ^= 1
    clip.write_bytes(content)
    assert "ALTERED" in xomyen("verify", export, "--key", key, code=None).stdout


def test_check_is_clean_while_the_node_records(recorded: RunningNode) -> None:
    report = json.loads(recorded.run("check", "--hashes", "--json").stdout)
    assert report["clean"]
    # Each camera's newest segment is being written: it counts as a segment and its file as a file of it.
    assert report["open"] >= 1
    assert report["files"] == report["segments"] >= report["open"]
    assert report["foreign"] == 0
    said = recorded.run("check").stdout
    assert re.search(r"^[0-9]+ segments? \([1-9][0-9]* being written\), [0-9]+ files? of them", said)
    assert "all is well" in said


def test_check_finds_a_changed_byte(recorded: RunningNode, camera_port: int) -> None:
    recorded.run("camera", "add", "Sân", f"rtsp://127.0.0.1:{camera_port}/1/sub")
    recorded.wait_for_frames("Sân", 60)
    recorded.run("camera", "remove", "Sân")

    def sealed() -> Path | None:
        found = recorded.json("timeline", "Sân", "--from", "-10m")["segments"]
        paths = [Path(one["path"]) for one in found if one["state"] == "sealed" and one["bytes"] > 60_000]
        return paths[0] if paths else None

    victim = wait_until(sealed, 90)
    content = bytearray(victim.read_bytes())
    content[50_000] ^= 1
    victim.write_bytes(content)
    report = recorded.run("check", "--hashes", "--json", code=10)
    assert str(victim) in report.stdout
    content[50_000] ^= 1
    victim.write_bytes(content)


def test_commands_that_need_a_running_node_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    xomyen("camera", "add", "Sân", "rtsp://192.0.2.7/1", "--dir", folder)
    assert "not running" in xomyen("signin", "--dir", folder, code=7).stderr
