"""The one writer of the node's configuration: validates, compares and sets, answers the revision."""

import asyncio
import base64
import re
from urllib.parse import urlsplit

import nats.js.errors
from nats.aio.client import Client
from nats.js.kv import KeyValue

from xomyen.bus import subjects
from xomyen.bus.configuration import read_bucket, read_removed
from xomyen.bus.messages import (
    CameraConfig,
    CameraList,
    CameraRecord,
    CameraWanted,
    ConfigPut,
    ConfigRemove,
    ConfigRemoved,
    SecretsKey,
    StreamConfig,
)
from xomyen.bus.requests import Empty
from xomyen.bus.service import Service
from xomyen.node.secrets import Secrets
from xomyen.terms.errors import Conflict, InvalidConfiguration, UnknownCamera
from xomyen.terms.ids import is_id
from xomyen.terms.names import fold_name, match_name, tidy_name

SCHEMES = ("rtsp", "rtsps", "rtsp+udp", "rtmp", "rtmps", "http", "https", "file")
_HOSTLESS = ("file",)
_MOST_URL = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ConfigService:
    """Answers config.list, .removed, .get, .put, .remove and .key while it is entered."""

    def __init__(self, client: Client, node: str, secrets: Secrets, most_cameras: int) -> None:
        self._client = client
        self._node = node
        self._secrets = secrets
        self._most = most_cameras
        self._service = Service(client, node, "config")
        self._one_writer = asyncio.Lock()
        self._kv: KeyValue | None = None

    async def __aenter__(self) -> "ConfigService":
        self._kv = await self._client.jetstream().key_value(subjects.config_bucket(self._node))
        await self._service.offer("list", Empty, self.cameras)
        await self._service.offer("removed", Empty, self.removed)
        await self._service.offer("get", CameraWanted, self.get)
        await self._service.offer("put", ConfigPut, self.put)
        await self._service.offer("remove", ConfigRemove, self.remove)
        await self._service.offer("key", Empty, self.key)
        await self._service.reachable()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._service.close()

    @property
    def _bucket(self) -> KeyValue:
        if self._kv is None:
            raise RuntimeError("the configuration service was not entered")
        return self._kv

    async def _records(self) -> list[CameraRecord]:
        records = (await read_bucket(self._client, self._bucket, self._node)).cameras.values()
        return sorted(records, key=lambda record: (record.config.order, fold_name(record.config.name)))

    async def cameras(self, _request: Empty) -> CameraList:
        """All cameras in the order of the wall."""
        return CameraList(cameras=tuple(await self._records()))

    async def removed(self, _request: Empty) -> CameraList:
        """Cameras that were taken out; the newest removal first."""
        return CameraList(cameras=tuple(await read_removed(self._client, self._bucket, self._node)))

    async def get(self, request: CameraWanted) -> CameraRecord:
        """One camera by name, id or unique beginning. Raises UnknownCamera, InvalidConfiguration."""
        candidates = await self._records()
        if request.removed:
            candidates += await read_removed(self._client, self._bucket, self._node)
        records = {record.config.id: record for record in candidates}
        meant = match_name(request.camera, [(id_, record.config.name) for id_, record in records.items()])
        found = [records[id_] for id_ in meant]
        # A camera in force goes before those that are gone, and the last holder of a name before earlier ones.
        found = [record for record in found if record.removed_ns is None] or found
        if not found:
            raise UnknownCamera(request.camera)
        if len({fold_name(record.config.name) for record in found}) > 1:
            raise InvalidConfiguration(f"{request.camera!r} may mean {_listed(found)}.", field="camera")
        return found[0]

    async def put(self, request: ConfigPut) -> CameraRecord:
        """Adds or changes a camera. Raises InvalidConfiguration, Conflict."""
        async with self._one_writer:
            config = request.config.model_copy(update={"name": tidy_name(request.config.name)})
            records = await self._records()
            self._validate(config, records)
            key, value = config.id, config.model_dump_json().encode()
            try:
                if request.revision == 0:
                    revision = await self._bucket.create(key, value)
                else:
                    revision = await self._bucket.update(key, value, last=request.revision)
            except nats.js.errors.KeyWrongLastSequenceError as error:
                raise Conflict(
                    f"Camera {config.name!r} was changed by somebody else meanwhile: look at it again and repeat."
                ) from error
            return CameraRecord(revision=revision, config=config)

    def _validate(self, config: CameraConfig, records: list[CameraRecord]) -> None:
        if not config.name:
            raise InvalidConfiguration("A camera needs a name.", field="name")
        if _CONTROL.search(config.name) or _CONTROL.search(config.site):
            raise InvalidConfiguration("A name holds letters, digits and signs, no control characters.", field="name")
        if is_id(config.name):
            raise InvalidConfiguration("A name must not look like an id.", field="name")
        others = [record.config for record in records if record.config.id != config.id]
        if len(others) >= self._most:
            raise InvalidConfiguration(
                f"The node takes at most {self._most} cameras (setting `cameras`).", field="cameras"
            )
        folded = fold_name(config.name)
        for other in others:
            if fold_name(other.name) == folded:
                raise InvalidConfiguration(
                    f"There is a camera {other.name!r} already; names must differ by more than case and tone marks.",
                    field="name",
                )
        validate_stream(config.main, "main")
        if config.sub is not None:
            validate_stream(config.sub, "sub")
        if _CONTROL.search(config.user) or ":" in config.user:
            raise InvalidConfiguration("A user name holds no colon and no control characters.", field="user")
        if config.sealed_password:
            self._secrets.open(config.sealed_password)

    async def remove(self, request: ConfigRemove) -> ConfigRemoved:
        """Takes a camera out. Raises UnknownCamera, Conflict."""
        async with self._one_writer:
            try:
                entry = await self._bucket.get(request.camera)
            except nats.js.errors.KeyNotFoundError as error:
                raise UnknownCamera(request.camera) from error
            if entry.revision != request.revision:
                raise Conflict("The camera was changed by somebody else meanwhile: look at it again and repeat.")
            try:
                await self._bucket.delete(request.camera, last=request.revision)
            except nats.js.errors.APIError as error:
                raise Conflict(f"The camera could not be removed: {error.description}.") from error
            return ConfigRemoved(camera=request.camera, revision=request.revision)

    async def key(self, _request: Empty) -> SecretsKey:
        """The public key to which passwords are sealed."""
        return SecretsKey(public=base64.b64encode(self._secrets.public).decode())


def _listed(found: list[CameraRecord]) -> str:
    """Names to choose from; with ids where names alone would not do."""
    if all(record.removed_ns is None for record in found):
        return f"{', '.join(sorted(record.config.name for record in found))}: write the whole name"
    return f"{', '.join(f'{record.config.name} ({record.config.id})' for record in found)}: give the id"


def validate_stream(stream: StreamConfig, field: str) -> None:
    """Raises InvalidConfiguration for a URL no source can open, or one that holds a password."""
    url = stream.url
    name = f"{field}.url"
    if len(url) > _MOST_URL or _CONTROL.search(url) or " " in url:
        raise InvalidConfiguration("The URL is too long or holds spaces or control characters.", field=name)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidConfiguration(f"The URL cannot be read: {error}.", field=name) from error
    if parts.scheme not in SCHEMES:
        raise InvalidConfiguration(
            f"The URL must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}.", field=name
        )
    if parts.scheme in _HOSTLESS:
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise InvalidConfiguration("A file's URL is file:///absolute/path.", field=name)
    elif not parts.hostname:
        raise InvalidConfiguration("The URL names no host.", field=name)
    if parts.username is not None or parts.password is not None:
        raise InvalidConfiguration("The URL must not hold a user or password; give them apart.", field=name)
    if port == 0:
        raise InvalidConfiguration("The URL's port must be between 1 and 65535.", field=name)
