"""`export`, `verify`, `trust` and `key` as their users run them, on a node that records."""

import json
from itertools import pairwise
from pathlib import Path

import av
import pytest
from tests.command_line import xomyen
from tests.picture import read_mark
from tests.running_node import ENVIRONMENT, RunningNode

from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.messages import AccessEvent
from xomyen.node.home import read_identity
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import parse_time

# A node is started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def exported(recorded: RunningNode, tmp_path: Path) -> Path:
    """A ZIP with all that was recorded up to now."""
    path = tmp_path / "out.zip"
    recorded.run("export", "Cổng chợ", "--from", "-1h", "--to", "now", "--output", path, "--purpose", "Vụ việc 3")
    return path


def test_the_clip_shows_consecutive_pictures_up_to_the_checkpoint(recorded: RunningNode, tmp_path: Path) -> None:
    said = recorded.json("export", "Cổng chợ", "--from", "-15s", "--to", "now", "--output", tmp_path / "out")
    (clip,) = said["clips"]
    with av.open(str(tmp_path / "out" / clip["file"])) as container:
        counters = [read_mark(frame.to_ndarray(format="gray")).counter for frame in container.decode(video=0)]
    assert len(counters) == clip["frames"] > 50
    # The simulated camera counts on from picture to picture, or begins its loop again.
    assert all(after == before + 1 or after < before for before, after in pairwise(counters))
    assert parse_time(clip["to"], 0) - parse_time(clip["from"], 0) == pytest.approx(
        clip["frames"] * 40_000_000, rel=0.1
    )


async def test_an_export_is_told_to_the_event_stream(recorded: RunningNode, exported: Path) -> None:
    folder = NodeFolder(recorded.folder)
    node = read_identity(folder)
    async with connected(folder, "test") as client:
        newest = await client.jetstream().get_last_msg(subjects.event_stream(node), subjects.event(node, "access"))
    assert newest.data is not None
    event = AccessEvent.model_validate_json(newest.data)
    assert (event.action, event.cameras) == ("export", (recorded.camera("Cổng chợ")["id"],))
    assert event.start_ns is not None
    assert event.end_ns is not None
    assert event.start_ns < event.end_ns
    assert event.subject.startswith("command-line")
    assert str(exported) in event.detail


def test_trust_makes_an_unknown_key_known(
    recorded: RunningNode, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "XDG_CONFIG_HOME", str(tmp_path / "config"))
    fingerprint = recorded.json("key")["key"]
    unknown = json.loads(xomyen("verify", exported, "--json", code=12).stdout)
    assert (unknown["verdict"], unknown["key"]) == ("UNKNOWN KEY", fingerprint)
    recorded.run("key", "--output", tmp_path / "node.pem")
    node = recorded.json("key")["node"]
    said = xomyen("trust", tmp_path / "node.pem").stdout
    assert fingerprint in said
    assert node in said
    known = json.loads(xomyen("verify", exported, "--json").stdout)
    assert known["taken"]["subject"].startswith("command-line: ")
    assert known["taken"]["purpose"] == "Vụ việc 3"
    assert "by command-line: " in xomyen("verify", exported).stdout
    assert (known["verdict"], known["camera_name"], known["findings"]) == ("AUTHENTIC", "Cổng chợ", [])
    assert known["cannot_exclude"]
    assert node in known["trusted_as"]


def test_a_key_without_its_node_is_trusted_only_for_the_one_that_is_named(
    recorded: RunningNode, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "XDG_CONFIG_HOME", str(tmp_path / "config"))
    key = recorded.json("key")
    bare = tmp_path / "bare.pem"
    bare.write_text(key["pem"][key["pem"].index("-----BEGIN") :])
    assert "--node" in xomyen("trust", bare, code=2).stderr
    xomyen("trust", bare, "--node", "nonsense", code=2)
    xomyen("trust", bare, "--node", new_id())
    foreign = json.loads(xomyen("verify", exported, "--json", code=12).stdout)
    assert key["node"] in foreign["findings"][0]["text"]
    xomyen("trust", bare, "--node", key["node"])
    assert xomyen("verify", exported).stdout.startswith("AUTHENTIC")
    recorded.run("key", "--output", tmp_path / "node.pem")
    assert "not of" in xomyen("trust", tmp_path / "node.pem", "--node", new_id(), code=2).stderr


def test_the_nodes_folder_is_enough_to_trust_its_own_key(recorded: RunningNode, exported: Path) -> None:
    assert recorded.run("verify", exported).stdout.startswith("AUTHENTIC\n")


def test_a_changed_export_names_camera_segment_and_bytes(recorded: RunningNode, exported: Path) -> None:
    content = bytearray(exported.read_bytes())
    content[len(content) // 2] ^= 1
    exported.write_bytes(content)
    found = json.loads(recorded.run("verify", exported, "--json", code=11).stdout)
    (finding,) = found["findings"]
    assert finding["camera"] == recorded.camera("Cổng chợ")["id"]
    assert finding["segment"]
    assert finding["start"] < finding["end"]


def test_what_cannot_be_exported_is_said_and_leaves_nothing(
    recorded: RunningNode, exported: Path, tmp_path: Path
) -> None:
    before = exported.read_bytes()
    range_of_all = ("--from", "-1h", "--to", "now")
    assert "--force" in recorded.run("export", "Cổng chợ", *range_of_all, "--output", exported, code=5).stderr
    assert exported.read_bytes() == before
    output = tmp_path / "other"
    for code, arguments in {
        2: ("Cổng chợ", "--from", "now", "--to", "-1h"),
        3: ("Không có", *range_of_all),
        4: ("Cổng chợ", "--from", "-20d", "--to", "-10d"),
    }.items():
        recorded.run("export", *arguments, "--output", output, code=code)
    recorded.run("export", "Cổng chợ", "--from", "+1h", "--to", "+2h", "--output", output, code=2)
    assert not output.exists()
    assert xomyen("verify", tmp_path / "nowhere", code=13).stderr


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("hello")
    assert "not a public key" in xomyen("trust", tmp_path / "key.pem", code=9).stderr
