"""A node as a leaf of a centre: real servers, real links that break, stall and fill up."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats.errors
import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ExternalStream, StreamConfig, StreamSource
from tests.leaf_node import leaf_answers
from tests.tcp_proxy import TcpProxy
from tests.waiting import until

from xomyen.bus import subjects
from xomyen.bus.address import BusUser, load_or_create_user, media_user, read_address
from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connect_to, connected, finish, prepare_streams
from xomyen.bus.events import publish_event
from xomyen.bus.messages import CameraConfig
from xomyen.bus.messages import StreamConfig as CameraStream
from xomyen.bus.server import BusServer, server_program
from xomyen.bus.server_config import Remote, Uplink, domain
from xomyen.node.config_service import ConfigService
from xomyen.node.home import prepare
from xomyen.node.secrets import Secrets
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id

HUB_STREAM = "ALL_EVENTS"
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Hub:
    """A centre's server: one account for the nodes' events and services, one for their media."""

    port: int
    leaf_port: int
    nodes: BusUser
    media: BusUser

    async def connect(self, user: BusUser) -> Client:
        return await connect_to(f"nats://127.0.0.1:{self.port}", user.seed, "centre")


@asynccontextmanager
async def hub_server(folder: Path) -> AsyncIterator[Hub]:
    (folder / "run").mkdir(parents=True)
    nodes, media = load_or_create_user(folder / "nodes.nk"), load_or_create_user(folder / "media.nk")
    config, log = folder / "hub.conf", folder / "hub.log"
    config.write_text(
        f"""
        server_name: centre
        listen: "127.0.0.1:-1"
        ports_file_dir: {json.dumps(str(folder / "run"))}
        log_file: {json.dumps(str(log))}
        leafnodes {{ listen: "127.0.0.1:-1" }}
        jetstream {{ store_dir: {json.dumps(str(folder / "store"))}, domain: centre, max_file_store: 1GB }}
        accounts {{
          NODES: {{ jetstream: enabled, users: [{{ nkey: {nodes.public} }}] }}
          MEDIA: {{ users: [{{ nkey: {media.public} }}] }}
        }}
        """
    )
    process = await asyncio.create_subprocess_exec(server_program(), "-c", str(config))
    try:
        ports = json.loads(await until(lambda: _written(folder / "run")))
        leafs = await until(lambda: re.search(r"leafnode connections on 127.0.0.1:(\d+)", log.read_text()))
        yield Hub(_port(ports["nats"][0]), int(leafs[1]), nodes, media)
    finally:
        process.terminate()
        await process.wait()


def _written(run: Path) -> str:
    return next((text for file in run.glob("*.ports") if (text := file.read_text())), "")


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


@dataclass(frozen=True)
class Province:
    """A hub, a leaf, and the two links between them."""

    node: str
    folder: NodeFolder
    events_link: TcpProxy
    media_link: TcpProxy
    local: Client  # on the node
    centre: Client  # at the hub, in the account of events and services
    hub: Hub


@pytest.fixture
async def province(tmp_path: Path) -> AsyncIterator[Province]:
    folder = NodeFolder(tmp_path / "node")
    node = prepare(folder)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_server(tmp_path / "hub"))
        events_link = await stack.enter_async_context(TcpProxy(hub.leaf_port))
        media_link = await stack.enter_async_context(TcpProxy(hub.leaf_port))
        uplink = Uplink(
            Remote(f"nats-leaf://127.0.0.1:{events_link.port}", hub.nodes.seed),
            Remote(f"nats-leaf://127.0.0.1:{media_link.port}", hub.media.seed),
        )
        await stack.enter_async_context(BusServer(folder, node, uplink=uplink))
        local = await stack.enter_async_context(connected(folder, "test"))
        await prepare_streams(local, node)
        secrets = Secrets.load_or_create(folder.secrets_key)
        await stack.enter_async_context(ConfigService(local, node, secrets, 100))
        centre = await hub.connect(hub.nodes)
        stack.push_async_callback(finish, centre)
        await until(lambda: leaf_answers(centre, node))
        source = StreamSource(
            name=subjects.event_stream(node), external=ExternalStream(api=f"$JS.{domain(node)}.API", deliver="")
        )
        await centre.jetstream().add_stream(StreamConfig(name=HUB_STREAM, sources=[source]))
        yield Province(node, folder, events_link, media_link, local, centre, hub)


async def _stored(centre: Client) -> int:
    return (await centre.jetstream().stream_info(HUB_STREAM)).state.messages


async def _publish(province: Province, count: int) -> list[str]:
    events = [new_id() for _ in range(count)]
    for event in events:
        await publish_event(province.local, province.node, "segment", event, event.encode())
    return events


async def _arrived(province: Province, count: int) -> list[str]:
    """The events at the centre, in their order, once there are `count`."""

    async def enough() -> bool:
        return await _stored(province.centre) >= count

    await until(enough, seconds=60)
    js = province.centre.jetstream()
    messages = [await js.get_msg(HUB_STREAM, seq=number) for number in range(1, count + 1)]
    return [(message.data or b"").decode() for message in messages]


async def test_events_pass_up_once_and_in_order(province: Province) -> None:
    events = await _publish(province, 100)
    assert not await publish_event(province.local, province.node, "segment", events[0], b"again")
    assert await _arrived(province, 100) == events


async def test_events_of_a_cut_link_arrive_when_it_is_mended(province: Province) -> None:
    before = await _publish(province, 20)
    await _arrived(province, 20)
    province.events_link.cut()
    meanwhile = await _publish(province, 50)
    assert await _stored(province.centre) == 20
    province.events_link.mend()
    assert await _arrived(province, 70) == before + meanwhile
    assert await _stored(province.centre) == 70


async def test_the_node_keeps_its_events_while_the_link_is_stalled(province: Province) -> None:
    province.events_link.stall()
    events = await _publish(province, 30)
    info = await province.local.jetstream().stream_info(subjects.event_stream(province.node))
    assert info.state.messages == 30
    province.events_link.flow()
    assert await _arrived(province, 30) == events


async def test_the_configuration_service_answers_through_the_leaf(province: Province) -> None:
    remote = Configuration(province.centre, province.node)
    config = CameraConfig(id=new_id(), name="Cổng chợ", main=CameraStream(url="rtsp://192.0.2.1/1"))
    record = await remote.put(config, 0)
    assert [found.config for found in await Configuration(province.local, province.node).cameras()] == [config]
    assert (await remote.camera("cong")).revision == record.revision
    with pytest.raises(InvalidConfiguration, match="already"):
        await remote.put(config.model_copy(update={"id": new_id(), "name": "CONG CHO"}), 0)
    # It is in the node's own bucket, not in one that the request made at the centre.
    with pytest.raises(nats.js.errors.NotFoundError):
        await province.centre.jetstream().key_value(subjects.config_bucket(province.node))


async def test_a_saturated_media_link_does_not_hold_up_events(province: Province) -> None:
    province.media_link.bytes_per_second = 40_000
    received = 0

    async def take(message: Msg) -> None:
        nonlocal received
        received += len(message.data)

    media_centre = await province.hub.connect(province.hub.media)
    media_node = await connect_to(read_address(province.folder).url, media_user(province.folder).seed, "media")
    try:
        await media_centre.subscribe("media.>", cb=take)
        await media_centre.flush()

        async def interested() -> bool:
            await media_node.publish("media.first", b"x")
            return received > 0

        await until(interested, every=0.1)
        # 16 MB into a link of 40 kB/s: it is full for seven minutes, longer than any test may take.
        sent = 64 * CHUNK
        for _ in range(64):
            # As little to be compressed as video: leaf connections compress when the link is slow.
            await media_node.publish("media.chunk", random.randbytes(CHUNK))
        await media_node.flush(60)
        assert await _arrived(province, len(events := await _publish(province, 50))) == events
        remote = Configuration(province.centre, province.node)
        assert await remote.cameras() == ()
        assert received < sent, "the media link was not saturated: the test proves nothing"
    finally:
        province.media_link.cut()  # else the node's server takes its time to end
        await media_centre.close()
        await media_node.close()


async def test_media_and_events_cannot_reach_each_other(province: Province) -> None:
    media_node = await connect_to(read_address(province.folder).url, media_user(province.folder).seed, "media")
    try:
        with pytest.raises(nats.errors.NoRespondersError):
            await media_node.request(subjects.service(province.node, "config", "list"), b"{}", timeout=5)
    finally:
        await media_node.close()
