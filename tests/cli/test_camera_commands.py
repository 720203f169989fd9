"""camera add, list, edit, remove: on a node that does not run, as one would type them."""

import json
from pathlib import Path

import psutil
import pytest
from tests import running_node
from tests.command_line import xomyen

from xomyen.terms.ids import new_id

URL = "rtsp://192.0.2.7:554/stream1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "node"


def listed(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(xomyen("camera", "list", "--json", "--dir", folder).stdout)
    return found


def failed(*arguments: str | Path, code: int) -> str:
    """The one line that a failing command writes."""
    done = xomyen(*arguments, code=code)
    assert done.stdout == ""
    assert done.stderr.startswith("xomyen: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_camera_is_added_listed_changed_and_removed(folder: Path) -> None:
    added = xomyen("camera", "add", "Cổng chợ", URL, "--sub", URL + "/sub", "--dir", folder)
    assert "Cổng chợ" in added.stdout
    (camera,) = listed(folder)
    assert (camera["name"], camera["main"], camera["sub"]) == (
        "Cổng chợ",
        {"url": URL, "record": True},
        {"url": URL + "/sub", "record": False},
    )
    assert (camera["state"], camera["reason"]) == ("not_recording", "node_stopped")
    xomyen("camera", "edit", "cong", "--name", "Cổng sau", "--days", "7", "--sub", "", "--dir", folder)
    (changed,) = listed(folder)
    assert (changed["id"], changed["name"], changed["retention_days"], changed["sub"]) == (
        camera["id"], "Cổng sau", 7, None,
    )  # fmt: skip
    table = xomyen("camera", "list", "--dir", folder).stdout
    assert "Cổng sau" in table
    assert str(camera["id"]) in table
    xomyen("camera", "remove", str(camera["id"]), "--dir", folder)
    assert listed(folder) == []


def test_no_process_stays_behind(folder: Path) -> None:
    running_node.xomyen("camera", "add", "Sân", URL, "--dir", folder)
    left = [one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or [])]
    assert left == []
    assert list((folder / "run").iterdir()) == []


def test_a_password_in_the_url_is_taken_out_and_sealed(folder: Path) -> None:
    done = xomyen("camera", "add", "Sân", "rtsp://quản:mật%40khẩu@192.0.2.7/1", "--dir", folder)
    assert "khẩu" not in done.stdout + done.stderr
    (camera,) = listed(folder)
    assert (camera["main"], camera["user"], camera["password"]) == (
        {"url": "rtsp://192.0.2.7/1", "record": True}, "quản", True,
    )  # fmt: skip
    kept = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert "mật@khẩu".encode() not in kept
    assert "mật%40khẩu".encode() not in kept


def test_a_password_may_come_from_the_input(folder: Path) -> None:
    xomyen(
        "camera", "add", "Sân", URL, "--user", "admin", "--password-file", "-", "--dir", folder, typed="bí mật\n"
    )  # fmt: skip
    assert [camera["password"] for camera in listed(folder)] == [True]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Sân", "192.0.2.7/1"), "must begin with"),
        (("Sân", "ftp://192.0.2.7/1"), "must begin with"),
        (("Sân", "rtsp:///1"), "no host"),
        (("Sân", "rtsp://192.0.2.7:99999/1"), "cannot be read"),
        (("Sân", "rtsp://192.0.2.7:0/1"), "port"),
        (("Sân", "file://relative"), "file:///"),
        (("Sân", "rtsp://192.0.2.7/a b"), "spaces"),
        (("   ", URL), "name"),
        (("", URL), "name"),
        (("a" * 101, URL), "name"),
        (("tab\there\x07", URL), "control"),
        (("Sân", URL, "--days", "0"), "days"),
        (("Sân", URL, "--user", "a:b"), "colon"),
        (("Sân", URL, "--password-file", "/nonexistent"), "password file"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    assert says in failed("camera", "add", *arguments, "--dir", folder, code=2)


def test_a_name_can_be_had_once_whatever_its_case_and_tone_marks(folder: Path) -> None:
    xomyen("camera", "add", "Cổng Hòa Bình", URL, "--dir", folder)
    for name in ("cổng hòa bình", "CONG HOA BINH", "Cổng  hoà   bình"):
        assert "already" in failed("camera", "add", name, URL, "--dir", folder, code=2)


def test_an_unknown_camera_is_told_and_an_ambiguous_beginning_asks_for_more(folder: Path) -> None:
    xomyen("camera", "add", "Ngã ba Đông", URL, "--dir", folder)
    xomyen("camera", "add", "Ngã ba Tây", URL, "--dir", folder)
    assert "No camera" in failed("camera", "remove", "Ngã tư", "--dir", folder, code=3)
    line = failed("camera", "edit", "nga ba", "--days", "3", "--dir", folder, code=2)
    assert "Ngã ba Đông" in line
    assert "Ngã ba Tây" in line
    xomyen("camera", "remove", "nga ba d", "--dir", folder)
    assert [camera["name"] for camera in listed(folder)] == ["Ngã ba Tây"]


def test_a_folder_without_a_node_is_not_made_by_looking(folder: Path) -> None:
    for command in (("camera", "list"), ("camera", "remove", "x"), ("timeline", "x", "--from", "-1m"), ("check",)):
        assert "no node" in failed(*command, "--dir", folder, code=2)
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used" in failed("camera", "add", "Sân", URL, "--dir", tmp_path / "file" / "node", code=2)


def test_more_cameras_than_the_settings_allow_are_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "settings.toml").write_text("cameras = 2\n")
    xomyen("camera", "add", "Một", URL, "--dir", folder)
    xomyen("camera", "add", "Hai", URL, "--dir", folder)
    assert "at most 2" in failed("camera", "add", "Ba", URL, "--dir", folder, code=2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cameras = 0\n", ("settings.toml", "cameras", "1 to 5000")),
        ("cameras = 'viele'\n", ("settings.toml", "cameras")),
        ("camera = 3\n", ("settings.toml", "'camera'")),
        ("cameras = \n", ("settings.toml", "not TOML")),
        ("commit_seconds = 99\n", ("commit_seconds", "0.1 to 30")),
        ("listen = 'nowhere'\n", ("listen",)),
    ],
)
def test_a_setting_out_of_range_names_file_key_and_range(folder: Path, text: str, says: tuple[str, ...]) -> None:
    folder.mkdir(mode=0o700)
    (folder / "settings.toml").write_text(text)
    for command in (("serve",), ("camera", "add", "Sân", URL)):
        line = failed(*command, "--dir", folder, code=2)
        for part in says:
            assert part in line


@pytest.mark.parametrize(
    "arguments",
    [("camera", "lis"), ("nothing",), ("camera", "add", "x"), ("ticket", "--camera", "x"), ("serve", "--port", "1")],
)
def test_mistyped_commands_end_with_one_line_and_code_2(arguments: tuple[str, ...]) -> None:
    failed(*arguments, code=2)


COMMANDS = (
    "serve", "signin", "camera add", "camera list", "camera edit", "camera remove", "camera masks", "camera probe",
    "camera simulate", "timeline", "export", "verify", "trust", "key", "heads", "check", "ticket", "demo",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    text = xomyen(*command.split(), "--help").stdout
    assert f"Example: xomyen {command}" in " ".join(text.split())


def test_a_removed_camera_stays_in_the_full_list_and_its_name_is_understood(folder: Path) -> None:
    xomyen("camera", "add", "Sân", URL, "--dir", folder)
    (camera,) = listed(folder)
    said = xomyen("camera", "remove", "Sân", "--dir", folder).stdout
    assert "30 days" in said
    assert listed(folder) == []
    (gone,) = json.loads(xomyen("camera", "list", "--all", "--json", "--dir", folder).stdout)
    assert (gone["id"], gone["name"], gone["state"]) == (camera["id"], "Sân", "removed")
    assert gone["since"]
    span = ("--from", "-1h", "--dir", folder)
    assert "Nothing was recorded" in xomyen("timeline", "san", *span).stdout
    assert json.loads(xomyen("timeline", "Sân", *span, "--json").stdout)["camera"] == camera["id"]
    assert "No camera" in failed("timeline", new_id(), *span, code=3)
    assert "No camera" in failed("camera", "edit", "Sân", "--days", "5", "--dir", folder, code=3)


def test_a_password_in_the_address_of_the_smaller_stream_counts_too(folder: Path) -> None:
    xomyen("camera", "add", "Sân", URL, "--sub", "rtsp://admin:pw@192.0.2.7/2", "--dir", folder)
    (camera,) = listed(folder)
    assert (camera["user"], camera["password"]) == ("admin", True)
    both = ("rtsp://a:1@192.0.2.7/1", "--sub", "rtsp://a:2@192.0.2.7/2")
    assert "different" in failed("camera", "add", "Cổng", *both, "--dir", folder, code=2)


def test_masks_are_set_shown_and_taken_away_without_a_centre(folder: Path, tmp_path: Path) -> None:
    xomyen("camera", "add", "Cổng chợ", URL, "--dir", folder)
    (before,) = listed(folder)
    drawn = [[[0, 0], [2500, 0], [2500, 4000]], [[9000, 9000], [10000, 9000], [10000, 10000], [9000, 10000]]]
    file = tmp_path / "masks.json"
    file.write_text(json.dumps(drawn))
    assert "2 masks" in xomyen("camera", "masks", "cong", "--set", file, "--dir", folder).stdout
    assert json.loads(xomyen("camera", "masks", "cong", "--dir", folder).stdout) == drawn
    (after,) = listed(folder)
    assert {**after, "masks": [], "revision": 0} == {**before, "revision": 0}
    for wrong, says in (
        ([[[0, 0], [1, 1]]], "mask 1"),
        ([drawn[0], [[0, 0], [1, 0], [1, 10_001]]], "mask 2, corner 3, number 2"),
        ([[[0, 0], [5, 5], [9, 9]]], "one line"),
        ([drawn[0]] * 17, "at most 16"),
        ({}, "No masks"),
    ):
        file.write_text(json.dumps(wrong))
        assert says in failed("camera", "masks", "cong", "--set", file, "--dir", folder, code=2)
    assert "0 masks" in xomyen("camera", "masks", "cong", "--none", "--dir", folder).stdout
    assert json.loads(xomyen("camera", "masks", "cong", "--dir", folder).stdout) == []


def test_a_change_of_nothing_is_no_change(folder: Path) -> None:
    xomyen("camera", "add", "Sân", URL, "--dir", folder)
    assert "Nothing to change" in failed("camera", "edit", "Sân", "--dir", folder, code=2)


@pytest.mark.parametrize("arguments", [(), ("camera",)])
def test_without_a_command_the_help_is_shown_as_it_is(arguments: tuple[str, ...]) -> None:
    done = xomyen(*arguments, code=2)
    assert done.stderr == ""
    assert "Commands:\n" in done.stdout
