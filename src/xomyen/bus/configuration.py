"""The node's cameras as others see them: asking the configuration service, and following the bucket live."""

import asyncio
import logging
from collections.abc import AsyncGenerator

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
_AGAIN_S = 0.5


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

    async def removed(self) -> tuple[CameraRecord, ...]:
        """Cameras that were taken out, as they were, without their passwords; the newest removal first."""
        return (await ask(self._client, self._subject("removed"), Empty(), CameraList)).cameras

    async def camera(self, name_or_id: str, removed: bool = False) -> CameraRecord:
        """The camera meant by a name, an id or the unique beginning of a name.

        With `removed` also one that was taken out, when none in force is meant; of several that had the very name,
        the one removed last. Raises UnknownCamera, InvalidConfiguration when several are meant.
        """
        request = CameraWanted(camera=name_or_id, removed=removed)
        return await ask(self._client, self._subject("get"), request, CameraRecord)

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


async def follow(client: Client, node: str) -> AsyncGenerator[dict[str, CameraRecord], None]:
    """The cameras in force by id: at once, and again after every change.

    Reads the bucket anew whenever the connection was lost in between, so that no change is missed.
    """
    known: dict[str, CameraRecord] | None = None
    bucket = await _bucket(client, node)
    while not client.is_closed:
        reconnects = client.stats["reconnects"]
        watcher: KeyValue.KeyWatcher | None = None
        try:
            watcher = await bucket.watchall()
            state = await read_bucket(client, bucket, node)
            while client.is_connected and client.stats["reconnects"] == reconnects:
                if state.cameras != known:
                    known = dict(state.cameras)
                    yield dict(known)
                if (entry := await _update(watcher)) is not None:
                    state.apply(entry)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            _LOG.warning("cannot watch the configuration yet: %s", type(error).__name__)
            await asyncio.sleep(_AGAIN_S)
        finally:
            if watcher is not None:
                await _stop(watcher)
        await asyncio.sleep(0.2)


async def _update(watcher: KeyValue.KeyWatcher) -> KeyValue.Entry | None:
    """The next entry; None when there was none for a second."""
    try:
        entry: KeyValue.Entry | None = await watcher.updates(timeout=1.0)  # type: ignore[no-untyped-call]
    except (nats.errors.TimeoutError, TimeoutError):
        return None
    return entry


class BucketState:
    """The cameras of the bucket, and the newest revision seen of each key, deleted ones too."""

    def __init__(self) -> None:
        self.cameras: dict[str, CameraRecord] = {}
        self.removed: dict[str, int] = {}  # keys whose newest entry is a deletion, and its revision
        self._revisions: dict[str, int] = {}

    def apply(self, entry: KeyValue.Entry) -> None:
        """Takes an entry in, unless a newer one of its key is known."""
        revision = entry.revision or 0
        if revision <= self._revisions.get(entry.key, 0):
            return
        self._revisions[entry.key] = revision
        if _is_deletion(entry):
            self.removed[entry.key] = revision
        else:
            self.removed.pop(entry.key, None)
        record = read_entry(entry)
        if record is not None:
            self.cameras[entry.key] = record
        else:
            self.cameras.pop(entry.key, None)


async def read_bucket(client: Client, bucket: KeyValue, node: str) -> BucketState:
    """What the bucket holds now, for certain.

    The client's own listing asks a new watcher whether anything is pending, and takes messages that the server
    has sent and that were not handled yet for an empty bucket: a loaded node would drop all its cameras for a
    moment. So the names come from the stream's own list of subjects, and each entry is read.
    """
    name = subjects.config_bucket(node)
    prefix = f"$KV.{name}."
    info = await client.jetstream().stream_info(f"KV_{name}", subjects_filter=f"{prefix}>")
    state = BucketState()
    for subject in info.state.subjects or {}:
        try:
            state.apply(await bucket.get(subject.removeprefix(prefix)))
        except nats.js.errors.KeyNotFoundError as gone:
            if gone.entry is not None:
                state.apply(gone.entry)
    return state


async def read_removed(client: Client, bucket: KeyValue, node: str) -> list[CameraRecord]:
    """Cameras that were taken out, as they were before, without their passwords; the newest removal first.

    The bucket keeps the entries before a deletion: footage outlives its camera, and so does the name it was
    recorded under.
    """
    name = subjects.config_bucket(node)
    js = client.jetstream()
    found = []
    for key, deleted in (await read_bucket(client, bucket, node)).removed.items():
        last: CameraRecord | None = None
        revision = 0
        while revision < deleted:
            message = await js.get_msg(f"KV_{name}", seq=revision + 1, subject=f"$KV.{name}.{key}", next=True)
            revision = message.seq or deleted
            entry = KeyValue.Entry(name, key, message.data, revision, None, None, None)
            last = read_entry(entry) or last
        if last is not None and message.time is not None:
            config = last.config.model_copy(update={"sealed_password": ""})
            removed_ns = round(message.time.timestamp() * 1e6) * 1000
            found.append(last.model_copy(update={"config": config, "removed_ns": removed_ns}))
    return sorted(found, key=lambda record: record.removed_ns or 0, reverse=True)


async def _bucket(client: Client, node: str) -> KeyValue:
    while True:
        try:
            return await client.jetstream().key_value(subjects.config_bucket(node))
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            if client.is_closed:
                raise
            _LOG.warning("the configuration cannot be read yet: %s", type(error).__name__)
        await asyncio.sleep(_AGAIN_S)


async def _stop(watcher: KeyValue.KeyWatcher) -> None:
    try:
        await watcher.stop()  # type: ignore[no-untyped-call]
    except nats.errors.Error as error:
        _LOG.debug("the watcher ended with its connection: %s", type(error).__name__)


def _is_deletion(entry: KeyValue.Entry) -> bool:
    return entry.operation is not None or not entry.value


def read_entry(entry: KeyValue.Entry) -> CameraRecord | None:
    """The camera of a bucket's entry; None when it was removed or a newer version wrote it."""
    if _is_deletion(entry):
        return None
    try:
        config = CameraConfig.model_validate_json(entry.value or b"")
        return CameraRecord(revision=entry.revision or 0, config=config)
    except ValidationError as error:
        _LOG.error("the configuration of camera %s cannot be read: %s", entry.key, error.errors(include_input=False))
        return None
