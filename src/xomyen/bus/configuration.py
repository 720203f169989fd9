"""The node's cameras as others see them: asking the configuration service, and following the bucket live."""

import asyncio
import logging
from collections.abc import AsyncIterator

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.kv import KeyValue
from pydantic import ValidationError

from xomyen.bus import subjects
from xomyen.bus.messages import (
    CameraConfig,
    CameraList,
    CameraRecord,
    CameraWanted,
    ConfigPut,
    ConfigRemove,
    ConfigRemoved,
    SecretsKey,
)
from xomyen.bus.requests import Empty, ask

_LOG = logging.getLogger(__name__)


class Configuration:
    """The configuration service, asked over the bus."""

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node

    def _subject(self, action: str) -> str:
        return subjects.service(self._node, "config", action)

    async def cameras(self) -> tuple[CameraRecord, ...]:
        """All cameras, in the order of the wall."""
        return (await ask(self._client, self._subject("list"), Empty(), CameraList)).cameras

    async def camera(self, name_or_id: str) -> CameraRecord:
        """The camera meant by a name, an id or the unique beginning of a name. Raises UnknownCamera."""
        return await ask(self._client, self._subject("get"), CameraWanted(camera=name_or_id), CameraRecord)

    async def put(self, config: CameraConfig, revision: int) -> CameraRecord:
        """Adds (revision 0) or changes a camera. Raises Conflict when it changed since `revision` was read."""
        return await ask(self._client, self._subject("put"), ConfigPut(config=config, revision=revision), CameraRecord)

    async def remove(self, camera: str, revision: int) -> ConfigRemoved:
        """Takes a camera out; its recordings stay until retention. Raises Conflict, UnknownCamera."""
        request = ConfigRemove(camera=camera, revision=revision)
        return await ask(self._client, self._subject("remove"), request, ConfigRemoved)

    async def secrets_key(self) -> SecretsKey:
        """The public key to which passwords are sealed."""
        return await ask(self._client, self._subject("key"), Empty(), SecretsKey)


async def follow(client: Client, node: str) -> AsyncIterator[dict[str, CameraRecord]]:
    """The cameras in force by id: at once, and again after every change.

    Reads the bucket anew whenever the connection was lost in between, so that no change is missed.
    """
    known: dict[str, CameraRecord] | None = None
    bucket = await _bucket(client, node)
    while not client.is_closed:
        reconnects = client.stats["reconnects"]
        try:
            watcher = await bucket.watchall()
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            _LOG.warning("cannot watch the configuration yet: %s", type(error).__name__)
            await asyncio.sleep(0.5)
            continue
        seen: dict[str, CameraRecord] = {}
        complete = False
        while client.is_connected and client.stats["reconnects"] == reconnects:
            try:
                entry = await watcher.updates(timeout=1.0)  # type: ignore[no-untyped-call]
            except (nats.errors.TimeoutError, TimeoutError):
                continue
            if entry is None:
                complete = True
            else:
                _apply(seen, entry)
            if complete and seen != known:
                known = dict(seen)
                yield dict(seen)
        await _stop(watcher)
        await asyncio.sleep(0.2)


async def _bucket(client: Client, node: str) -> KeyValue:
    while True:
        try:
            return await client.jetstream().key_value(subjects.config_bucket(node))
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            if client.is_closed:
                raise
            _LOG.warning("the configuration cannot be read yet: %s", type(error).__name__)
        await asyncio.sleep(0.5)


async def _stop(watcher: KeyValue.KeyWatcher) -> None:
    try:
        await watcher.stop()  # type: ignore[no-untyped-call]
    except nats.errors.Error as error:
        _LOG.debug("the watcher ended with its connection: %s", type(error).__name__)


def _apply(cameras: dict[str, CameraRecord], entry: KeyValue.Entry) -> None:
    record = read_entry(entry)
    if record is not None:
        cameras[entry.key] = record
    else:
        cameras.pop(entry.key, None)


def read_entry(entry: KeyValue.Entry) -> CameraRecord | None:
    """The camera of a bucket's entry; None when it was removed or a newer version wrote it."""
    if entry.operation is not None or not entry.value:
        return None
    try:
        return CameraRecord(revision=entry.revision or 0, config=CameraConfig.model_validate_json(entry.value))
    except ValidationError as error:
        _LOG.error("the configuration of camera %s cannot be read: %s", entry.key, error.errors(include_input=False))
        return None
