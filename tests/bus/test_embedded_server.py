"""The embedded bus server: private, tied to its starter, durable."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import nats.errors
import psutil
import pytest
from nats.aio.client import Client
from tests.waiting import until

from xomyen.bus import subjects
from xomyen.bus.address import node_user, read_address
from xomyen.bus.connection import connect, connect_to, connected, prepare_streams
from xomyen.bus.events import publish_event
from xomyen.bus.server import BusServer
from xomyen.terms.errors import InvalidConfiguration, NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id

STARTER = """
import asyncio, pathlib, sys
from xomyen.bus.server import BusServer
from xomyen.terms.folder import NodeFolder

async def run():
    address = await BusServer(NodeFolder(pathlib.Path(sys.argv[1])), sys.argv[2]).start()
    print(address.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(run())
"""


async def test_it_listens_on_loopback_alone(server: BusServer) -> None:
    process = psutil.Process(server.pid)
    listening = {item.laddr.ip for item in process.net_connections() if item.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


async def test_a_folder_may_be_called_as_people_call_things(tmp_path: Path, node: str) -> None:
    folder = NodeFolder(tmp_path / "UBND xã Gia Khê" / 'máy "chính" 100% $HOME \\ #1 {2}')
    async with BusServer(folder, node), connected(folder, "test") as client:
        await client.flush()
    assert (folder.bus / "store").is_dir()


async def test_whoever_has_no_secret_is_refused(folder: NodeFolder, server: BusServer, tmp_path: Path) -> None:
    stranger = NodeFolder(tmp_path / "stranger")
    stranger.bus.mkdir(parents=True)
    with pytest.raises(nats.errors.Error):
        await connect_to(read_address(folder).url, node_user(stranger).seed, "stranger")


async def test_the_secret_is_in_no_argument_and_no_environment_and_only_its_owner_can_read_it(
    folder: NodeFolder, server: BusServer
) -> None:
    seed = node_user(folder).seed
    process = psutil.Process(server.pid)
    assert seed not in " ".join(process.cmdline())
    assert seed not in "\n".join(f"{key}={value}" for key, value in process.environ().items())
    for file in (folder.bus / "node.nk", folder.bus / "media.nk", folder.bus / "server.conf", folder.run / "bus.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for path in (folder.root, folder.bus, folder.run):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


async def test_connecting_without_a_server_says_that_the_node_is_not_running(folder: NodeFolder, node: str) -> None:
    with pytest.raises(NotRunning):
        await connect(folder, "test", wait_s=0.1)


async def test_an_address_that_a_killed_server_left_behind_is_not_believed(folder: NodeFolder, node: str) -> None:
    server = BusServer(folder, node)
    address = await server.start()
    os.kill(address.pid, signal.SIGKILL)
    assert await server.exited() == -signal.SIGKILL
    with pytest.raises(NotRunning):
        await connect(folder, "test", wait_s=0.3)


async def test_a_server_started_again_is_found_by_those_who_were_connected(
    folder: NodeFolder, node: str, server: BusServer, client: Client
) -> None:
    assert await publish_event(client, node, "node", new_id(), b"{}")
    before = read_address(folder)
    os.kill(before.pid, signal.SIGKILL)
    await server.exited()
    after = await server.start()
    assert after.url == before.url
    await until(lambda: client.is_connected and client.stats["reconnects"] == 1)
    info = await client.jetstream().stream_info(subjects.event_stream(node))
    assert info.state.messages == 1


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_is_over(
    folder: NodeFolder, server: BusServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "xomyen.bus.connection")
    address = read_address(folder)
    os.kill(address.pid, signal.SIGKILL)
    await server.exited()
    vain = 0

    def close_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal vain
        vain += 1
        writer.close()

    async with await asyncio.start_server(close_at_once, "127.0.0.1", _port(address.url)):
        await until(lambda: vain > 2)
    await server.start()
    await until(lambda: len(caplog.messages) > 1 and client.is_connected)
    assert [text.partition(" (")[0] for text in caplog.messages] == [
        "bus connection of test is lost",
        "bus connection of test is back",
    ]


async def test_a_server_whose_port_was_taken_meanwhile_is_found_on_another(
    folder: NodeFolder, node: str, server: BusServer, client: Client
) -> None:
    before = read_address(folder)
    os.kill(before.pid, signal.SIGKILL)
    await server.exited()
    # Somebody who takes connections and says nothing.
    other = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", _port(before.url))
    try:
        after = await server.start()
        assert after.url in before.others
        await until(lambda: client.is_connected)
        assert await publish_event(client, node, "node", new_id(), b"{}")
        async with connected(folder, "another") as late:
            assert late.is_connected
    finally:
        other.close()


async def test_a_server_whose_ports_are_all_taken_says_so_and_starts_once_one_is_free(
    folder: NodeFolder, node: str, server: BusServer, client: Client
) -> None:
    before = read_address(folder)
    os.kill(before.pid, signal.SIGKILL)
    await server.exited()
    taken = [
        await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", _port(url))
        for url in (before.url, *before.others)
    ]
    try:
        with pytest.raises(NotRunning, match=str(_port(before.url))):
            await server.start()
    finally:
        for one in taken:
            one.close()
    assert (await server.start()).url == before.url
    await until(lambda: client.is_connected)


async def test_an_event_sent_twice_is_stored_once(node: str, client: Client) -> None:
    event = new_id()
    assert await publish_event(client, node, "gap", event, b"{}")
    assert not await publish_event(client, node, "gap", event, b"{}")
    info = await client.jetstream().stream_info(subjects.event_stream(node))
    assert info.state.messages == 1


async def test_acknowledged_events_survive_a_kill(folder: NodeFolder, node: str) -> None:
    events = [new_id() for _ in range(50)]
    server = BusServer(folder, node)
    address = await server.start()
    async with connected(folder, "test") as client:
        await prepare_streams(client, node)
        for event in events:
            await publish_event(client, node, "segment", event, event.encode())
    os.kill(address.pid, signal.SIGKILL)
    await server.exited()
    async with BusServer(folder, node), connected(folder, "test") as client:
        subscription = await client.jetstream().pull_subscribe(
            subjects.event(node, ">"), stream=subjects.event_stream(node)
        )
        stored = await subscription.fetch(len(events), timeout=60)
    assert [message.data.decode() for message in stored] == events


async def test_the_streams_can_be_prepared_again_and_again(node: str, client: Client) -> None:
    await prepare_streams(client, node)
    await prepare_streams(client, node)


async def test_event_streams_larger_than_the_store_are_refused_in_words(
    folder: NodeFolder, node: str, server: BusServer
) -> None:
    async with connected(folder, "test") as client:
        with pytest.raises(InvalidConfiguration, match="cannot keep"):
            await prepare_streams(client, node, event_bytes=1 << 40)


async def test_a_server_that_cannot_start_says_where_to_look(folder: NodeFolder, node: str) -> None:
    (folder.bus / "store").write_text("in the way")
    with pytest.raises(NotRunning, match=r"server\.log"):
        await BusServer(folder, node).start()
    assert "storage directory" in (folder.bus / "server.log").read_text()


async def test_a_server_that_cannot_read_its_configuration_says_why(
    folder: NodeFolder, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.bus.server.render", lambda config: "listen: {")
    with pytest.raises(NotRunning, match=r"server\.log"):
        await BusServer(folder, node).start()
    assert "nats-server: " in (folder.bus / "server.log").read_text()


def test_it_dies_with_the_process_that_started_it(folder: NodeFolder, node: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder.root), node],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert starter.stdout is not None
    server = psutil.Process(int(starter.stdout.readline()))
    starter.kill()
    starter.wait()
    psutil.wait_procs([server], timeout=60)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
