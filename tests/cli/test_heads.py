"""`heads` and `verify --heads`: footage that is removed on the node is missed by what was written before."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running_node import RunningNode, running_node, xomyen
from tests.waiting import wait_until

from xomyen.bus.connection import connected
from xomyen.bus.events import publish_event
from xomyen.node.home import read_identity
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "Cổng chợ"


@pytest.fixture
def node(tmp_path: Path, camera_port: int) -> Iterator[RunningNode]:
    """A node with two sealed segments of a camera that is switched off now."""
    with running_node(tmp_path / "node") as node:
        node.run("camera", "add", NAME, f"rtsp://127.0.0.1:{camera_port}/1")
        for frames in (25, 50):
            node.wait_for_frames(NAME, max(frames, node.frames(NAME) + 25))
            node.run("camera", "edit", NAME, "--disable")
            node.wait_for(NAME, "disabled")
            wait_until(lambda: all(one["state"] == "sealed" for one in node.segments(NAME)))
            if frames == 25:
                node.run("camera", "edit", NAME, "--enable")
        yield node


def test_what_is_cut_off_on_the_node_is_missed_with_the_heads_written_before(node: RunningNode, tmp_path: Path) -> None:
    heads, whole, cut = tmp_path / "heads.json", tmp_path / "whole", tmp_path / "cut"

    def told() -> bool:
        said = node.json("heads", "--from", "-10m", "--camera", NAME, "--output", heads, "--force")
        return said["heads"] == len(node.segments(NAME)) >= 2

    wait_until(told, every=0.5)
    span = ("--from", "-10m", "--to", node.segments(NAME)[-1]["to"])
    node.run("export", NAME, *span, "--output", whole)
    proven = node.json("verify", whole, "--heads", heads)
    assert (proven["verdict"], proven["findings"]) == ("AUTHENTIC", [])
    assert all("before" in text for text in proven["cannot_exclude"])  # the node was not there ten minutes ago

    newest = node.segments(NAME)[-1]
    node.stop()
    Path(newest["path"] if newest["path"].startswith("/") else node.folder / "video" / newest["path"]).unlink()
    with sqlite3.connect(node.folder / "index.sqlite") as index:
        index.execute("DELETE FROM checkpoint WHERE segment = ?", (newest["id"],))
        index.execute("DELETE FROM segment WHERE id = ?", (newest["id"],))
    xomyen("export", NAME, *span, "--output", cut, "--dir", node.folder)
    alone = json.loads(xomyen("verify", cut, "--json", "--dir", node.folder).stdout)
    assert alone["verdict"] == "AUTHENTIC"
    assert "no heads" in alone["cannot_exclude"][0]
    found = json.loads(xomyen("verify", cut, "--heads", heads, "--json", "--dir", node.folder, code=10).stdout)
    assert [finding["segment"] for finding in found["findings"]] == [newest["id"]]
    # The node's own event stream remembers it as well.
    late = tmp_path / "late.json"
    xomyen("heads", "--from", "-10m", "--output", late, "--dir", node.folder)
    assert xomyen("verify", cut, "--heads", late, "--dir", node.folder, code=10).stdout.startswith("INCOMPLETE")

    content = late.read_bytes()
    late.write_bytes(content.replace(newest["id"].encode(), new_id().encode()))
    assert "was changed" in xomyen("verify", cut, "--heads", late, "--dir", node.folder, code=13).stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--from", "+1h", "--to", "+2h"), 2),
        (("--from", "-1m", "--to", "-5m"), 2),
        (("--from", "-5m", "--camera", "Không có"), 3),
    ],
)
def test_heads_that_make_no_sense_are_refused(
    recorded: RunningNode, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    output = tmp_path / "heads.json"
    assert recorded.run("heads", *arguments, "--output", output, code=code).stderr.count("\n") == 1
    assert not output.exists()
    output.write_text("mine")
    assert "--force" in recorded.run("heads", "--from", "-5m", "--output", output, code=5).stderr
    assert output.read_text() == "mine"


def test_an_event_of_another_version_is_told_instead_of_heads_without_it(tmp_path: Path) -> None:
    async def publish(folder: NodeFolder) -> None:
        async with connected(folder, "test") as client:
            await publish_event(client, read_identity(folder), "segment", new_id(), b'{"version": 2}')

    with running_node(tmp_path / "node") as node:
        asyncio.run(publish(NodeFolder(node.folder)))
        told = node.run("heads", "--from", "-5m", "--output", tmp_path / "heads.json", code=5).stderr
    assert "cannot read" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "heads.json").exists()
