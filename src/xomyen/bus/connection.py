"""Connections to the node's bus that come back by themselves, and the streams every node has."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, KeyValueConfig, StorageType, StreamConfig

from xomyen.bus import subjects
from xomyen.bus.address import node_user, wait_for_address
from xomyen.terms.errors import InvalidConfiguration, NotRunning
from xomyen.terms.folder import NodeFolder

_LOG = logging.getLogger(__name__)

_ENDS = (OSError, nats.errors.StaleConnectionError)
_PREPARE_S = 30.0  # a disk that has much else to do
MEBI = 1 << 20
DAY_S = 86_400.0
DUPLICATE_WINDOW_S = 1200.0
"""How long the server knows message ids: longer than an outbox keeps trying after a crash."""


async def connect(folder: NodeFolder, name: str, wait_s: float = 10.0) -> Client:
    """A connection to the node's running bus; `name` is the part of the product that asks.

    Reconnects for ever. Raises NotRunning when no bus answers within `wait_s` seconds.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while True:
        address = await wait_for_address(folder, max(0.0, until - loop.time()))
        try:
            return await connect_to(address.url, node_user(folder).seed, name, address.others)
        except (OSError, nats.errors.Error) as error:
            # An address left by a server that was killed, or one that is being started again.
            if loop.time() >= until:
                raise NotRunning(
                    f"The node in {folder.root} is not running: its bus does not answer ({type(error).__name__})."
                ) from error
        await asyncio.sleep(0.1)


async def connect_to(url: str, seed: str, name: str, others: Sequence[str] = ()) -> Client:
    """A connection with a user's seed; `others` are tried as well when it is lost.

    Raises OSError or nats.errors.Error when the first attempt fails.
    """

    client = Client()
    lost = False
    cause = ""

    async def failed(error: Exception) -> None:
        nonlocal cause
        if isinstance(error, _ENDS):
            cause = type(error).__name__
        elif client.is_connected:  # else it is one of many vain attempts
            _LOG.info("bus connection of %s: %s: %s", name, type(error).__name__, error)

    async def disconnected() -> None:
        nonlocal lost
        if client.is_reconnecting and not lost:
            lost = True
            _LOG.info("bus connection of %s is lost (%s); it is tried again until it is back", name, cause)

    async def reconnected() -> None:
        nonlocal lost
        lost = False
        _LOG.info("bus connection of %s is back", name)

    await client.connect(
        [url, *others],
        dont_randomize=True,
        name=name,
        nkeys_seed_str=seed,
        error_cb=failed,
        disconnected_cb=disconnected,
        reconnected_cb=reconnected,
        connect_timeout=3,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]  # annotated int, used as seconds of asyncio.sleep
        ping_interval=10,
        pending_size=8 * MEBI,
    )
    # The first attempts failed at once and said so; from now on the client comes back by itself, for ever.
    client.options["allow_reconnect"] = True
    client.options["max_reconnect_attempts"] = -1
    return client


@asynccontextmanager
async def connected(folder: NodeFolder, name: str, wait_s: float = 10.0) -> AsyncIterator[Client]:
    """`connect` for the length of a block; what was published is sent before it closes."""
    client = await connect(folder, name, wait_s)
    try:
        yield client
    finally:
        await finish(client)


async def finish(client: Client, seconds: float = 1.0) -> None:
    """Sends what waits, if the server still takes it within the seconds, and closes."""
    if client.is_connected:
        try:
            await client.flush(timeout=seconds)  # type: ignore[arg-type]  # annotated int
        except nats.errors.Error as error:
            _LOG.warning("bus connection closed with unsent messages: %s", type(error).__name__)
    await client.close()


async def prepare_streams(client: Client, node: str, event_bytes: int = 512 * MEBI, event_days: float = 90.0) -> None:
    """Makes the node's event stream and configuration bucket, or brings the stream's limits up to date.

    Only on the node's own server: through a leaf these calls would make them at the centre.
    """
    js = client.jetstream(timeout=_PREPARE_S)
    events = StreamConfig(
        name=subjects.event_stream(node),
        description="Events of this node, oldest first out when full",
        subjects=[subjects.event(node, ">")],
        storage=StorageType.FILE,
        max_bytes=event_bytes,
        max_age=event_days * DAY_S,
        discard=DiscardPolicy.OLD,
        duplicate_window=DUPLICATE_WINDOW_S,
        allow_direct=True,
    )
    bucket = subjects.config_bucket(node)
    try:
        if events.name not in await _names(js):
            await js.add_stream(events)
        else:
            await js.update_stream(events)
        try:
            await js.key_value(bucket)
        except nats.js.errors.NotFoundError:
            await js.create_key_value(
                KeyValueConfig(bucket=bucket, description="Cameras in force", history=10, max_bytes=32 * MEBI)
            )
    except nats.js.errors.APIError as error:
        raise InvalidConfiguration(f"The bus cannot keep the node's events: {error.description}.") from error


async def _names(js: JetStreamContext) -> set[str | None]:
    # Adding a stream that is there would count its space twice and fail where space is short.
    return {stream.config.name for stream in await js.streams_info()}
