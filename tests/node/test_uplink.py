"""`xomyen serve` with an uplink: to a centre's nats-server with TLS and credentials, over a link that breaks."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js.api import ExternalStream, StreamConfig, StreamSource
from tests.certificates import self_signed
from tests.leaf_node import leaf_answers
from tests.running_node import RunningNode, running_node, xomyen
from tests.tcp_proxy import TcpProxy
from tests.waiting import until

from xomyen.bus import subjects
from xomyen.bus.address import BusUser, load_or_create_user
from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected, finish
from xomyen.bus.events import read_events
from xomyen.bus.messages import CameraConfig, NodeEvent
from xomyen.bus.messages import StreamConfig as CameraStream
from xomyen.bus.server import BusServer, server_program
from xomyen.bus.server_config import Remote, Uplink, domain
from xomyen.node.home import prepare
from xomyen.terms.errors import NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COPY = "OF_THE_NODE"
SEEDS = ("nodes.nk", "media.nk")


@dataclass(frozen=True)
class Centre:
    """A centre's server whose every connection is TLS."""

    port: int
    leaf_port: int
    nodes: BusUser
    certificate: Path

    async def connect(self) -> Client:
        client = Client()
        context = ssl.create_default_context(cafile=self.certificate)
        await client.connect(f"tls://127.0.0.1:{self.port}", nkeys_seed_str=self.nodes.seed, tls=context)
        return client


@asynccontextmanager
async def centre_server(folder: Path, tls: bool = True) -> AsyncIterator[Centre]:
    (folder / "run").mkdir(parents=True)
    nodes, media = load_or_create_user(folder / "nodes.nk"), load_or_create_user(folder / "media.nk")
    config, log, own = folder / "centre.conf", folder / "centre.log", self_signed(folder, "centre")
    block = f"tls {{ cert_file: {own.certificate}, key_file: {own.key} }}" if tls else ""
    config.write_text(
        f"""
        server_name: centre
        listen: "127.0.0.1:-1"
        ports_file_dir: {json.dumps(str(folder / "run"))}
        log_file: {json.dumps(str(log))}
        {block}
        leafnodes {{ listen: "127.0.0.1:-1", {block} }}
        jetstream {{ store_dir: {json.dumps(str(folder / "store"))}, domain: centre }}
        accounts {{
          NODES: {{ jetstream: enabled, users: [{{ nkey: {nodes.public} }}] }}
          MEDIA: {{ users: [{{ nkey: {media.public} }}] }}
        }}
        """
    )
    process = await asyncio.create_subprocess_exec(server_program(), "-c", str(config))
    try:
        ports = json.loads(await until(lambda: next((f.read_text() for f in (folder / "run").glob("*.ports")), "")))
        leafs = await until(lambda: re.search(r"leafnode connections on 127.0.0.1:(\d+)", log.read_text()))
        yield Centre(int(str(ports["nats"][0]).rpartition(":")[2]), int(leafs[1]), nodes, own.certificate)
    finally:
        process.terminate()
        await process.wait()


def write_settings(folder: Path, centre: Path, port: int, certificate: Path | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    ca = f"ca_file = {json.dumps(str(certificate))}" if certificate else ""
    (folder / "settings.toml").write_text(
        "".join(
            f'[uplink.{name}]\nurl = "tls://127.0.0.1:{port}"\nseed_file = "{centre / file}"\n{ca}\n'
            for name, file in (("events", "nodes.nk"), ("media", "media.nk"))
        )
    )


async def test_a_served_node_is_reached_and_its_events_arrive_over_a_link_that_was_cut(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    node = prepare(NodeFolder(folder))
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(centre_server(tmp_path / "centre"))
        link = await stack.enter_async_context(TcpProxy(centre.leaf_port))
        write_settings(folder, tmp_path / "centre", link.port, centre.certificate)
        served = await asyncio.to_thread(stack.enter_context, _served(folder))
        client = await centre.connect()
        stack.push_async_callback(finish, client)
        await until(lambda: leaf_answers(client, node), every=0.2)
        assert "JetStream using domains" in (tmp_path / "centre" / "centre.log").read_text()
        js = client.jetstream()
        source = StreamSource(
            name=subjects.event_stream(node), external=ExternalStream(api=f"$JS.{domain(node)}.API", deliver="")
        )
        await js.add_stream(StreamConfig(name=COPY, sources=[source]))

        remote = Configuration(client, node)
        config = CameraConfig(id=new_id(), name="Cổng chợ", main=CameraStream(url="rtsp://127.0.0.1:1/1"))
        await remote.put(config, 0)
        listed = await asyncio.to_thread(served.json, "camera", "list")
        assert [(one["id"], one["name"]) for one in listed] == [(config.id, "Cổng chợ")]

        link.cut()
        served.part("recorder").kill()
        own = await until(lambda: _told_of_the_end(served, node), every=0.3)
        assert (await js.stream_info(COPY)).state.messages < own
        link.mend()

        async def arrived() -> bool:
            return (await js.stream_info(COPY)).state.messages >= own

        await until(arrived, seconds=60, every=0.2)
        assert await until(lambda: _cameras(remote), every=0.2) == {config.id}


async def _cameras(remote: Configuration) -> set[str]:
    """Ids of the node's cameras; none while its service is not reached."""
    try:
        return {camera.config.id for camera in await remote.cameras()}
    except NotRunning:
        return set()


@contextmanager
def _served(folder: Path) -> Iterator[RunningNode]:
    with running_node(folder) as served:
        yield served


async def _told_of_the_end(served: RunningNode, node: str) -> int:
    """How many events the node's own stream has once it tells that the recorder ended and was started again."""
    async with connected(NodeFolder(served.folder), "test") as client:
        info = await client.jetstream().stream_info(subjects.event_stream(node))
        told = [NodeEvent.model_validate_json(data) async for data, _at in read_events(client, node, "node", 0)]
        return info.state.messages if sum(event.part == "recorder" for event in told) >= 3 else 0


@pytest.mark.parametrize(("tls", "trusted"), [(False, True), (True, False)])
async def test_a_centre_without_tls_or_with_a_strangers_certificate_gets_nothing(
    tmp_path: Path, tls: bool, trusted: bool
) -> None:
    folder = NodeFolder(tmp_path / "node")
    node = prepare(folder)
    async with centre_server(tmp_path / "centre", tls=tls) as centre, TcpProxy(centre.leaf_port) as link:
        end = f"tls://127.0.0.1:{link.port}"
        ca = centre.certificate if trusted else None
        uplink = Uplink(*(Remote(end, load_or_create_user(tmp_path / "centre" / name).seed, ca) for name in SEEDS))
        async with BusServer(folder, node, uplink=uplink):
            log = folder.bus / "server.log"
            await until(lambda: log.read_text().count("TLS Handshake Failure") >= 4, seconds=60)
            # The centre never got so far as to know who calls.
            assert "JetStream using domains" not in (tmp_path / "centre" / "centre.log").read_text()


def test_an_uplink_whose_files_are_not_there_stops_the_start_with_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    write_settings(folder, tmp_path, 1, None)
    done = xomyen("serve", "--dir", folder, "--listen", "127.0.0.1:0", code=2)
    assert "nodes.nk" in done.stderr
    assert done.stderr.count("\n") == 1
