"""What commands share: whose folder it is, and files that are put in place."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.running_node import ENVIRONMENT, RunningNode

from xomyen.cli.common import node_bus, node_folder, require_own, write_new
from xomyen.cli.serve import serve_node
from xomyen.node.home import prepare
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder

# A node is started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(300)

NOBODY = 65_534


def test_a_folder_of_another_user_names_the_user_to_run_the_command_as(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_own(NodeFolder(tmp_path))
    require_own(NodeFolder(tmp_path / "not there yet"))
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    with pytest.raises(InvalidConfiguration, match=r"belongs to user \w+; run the command as that user: runuser -u"):
        require_own(NodeFolder(tmp_path))
    assert node_folder(tmp_path).root == tmp_path, "whoever may write there is asked only when something would be made"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InvalidConfiguration, match="belongs to user"):
        node_folder(tmp_path)


async def test_nobody_makes_files_in_a_node_of_another_user_root_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = NodeFolder(tmp_path / "node")
    prepare(folder)
    before = sorted(folder.root.rglob("*"))
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    for create in (False, True):
        with pytest.raises(InvalidConfiguration, match="belongs to user"):
            async with node_bus(folder, create):
                pass
    with pytest.raises(InvalidConfiguration, match="belongs to user"):
        serve_node(folder.root, "127.0.0.1:0")
    assert sorted(folder.root.rglob("*")) == before


def test_a_file_that_cannot_be_put_in_place_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"missing/key\.pem cannot be written: No such file"):
        write_new(tmp_path / "missing" / "key.pem", b"x", force=False)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidConfiguration, match=r"file/key\.pem cannot be written: Not a directory"):
        write_new(tmp_path / "file" / "key.pem", b"x", force=False)


def test_an_export_says_how_to_check_it_and_why_it_cannot_be_written(recorded: RunningNode, tmp_path: Path) -> None:
    order = ("export", "Cổng chợ", "--from", "-1h", "--to", "now", "--output")
    place = tmp_path / "vụ việc số 7.zip"
    said = recorded.run(*order, place).stdout
    command = shlex.split(said.rpartition("Check it with: ")[2])
    assert command == ["xomyen", "verify", str(place)]
    assert "/proc/x.zip cannot be written: No such file" in recorded.run(*order, "/proc/x.zip", code=2).stderr


def test_commands_that_show_no_pictures_load_nothing_that_decodes_any() -> None:
    rooms = ("cameras", "check", "evidence", "heads", "ticket", "timeline")
    program = f"import sys; [__import__('xomyen.cli.' + room) for room in {rooms}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert {"av", "numpy"} & set(done.stdout.split()) == set()
