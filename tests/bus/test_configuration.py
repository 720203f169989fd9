"""The node's configuration: validated, compared and set, followed live."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from tests.waiting import until

from xomyen.bus import subjects
from xomyen.bus.configuration import Configuration, follow
from xomyen.bus.messages import CameraConfig, CameraRecord, StreamConfig
from xomyen.bus.sealing import seal
from xomyen.bus.server import BusServer
from xomyen.node.config_service import ConfigService
from xomyen.node.secrets import Secrets
from xomyen.terms.errors import Conflict, InvalidConfiguration, UnknownCamera
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id


def camera(name: str, **changes: object) -> CameraConfig:
    return CameraConfig.model_validate(
        {"id": new_id(), "name": name, "main": StreamConfig(url="rtsp://192.0.2.1/1"), **changes}
    )


@pytest.fixture
async def configuration(folder: NodeFolder, node: str, client: Client) -> AsyncIterator[Configuration]:
    async with ConfigService(client, node, Secrets.load_or_create(folder.secrets_key), 5):
        yield Configuration(client, node)


async def test_every_change_has_a_new_revision(configuration: Configuration) -> None:
    first = await configuration.put(camera("Sân"), 0)
    second = await configuration.put(first.config.model_copy(update={"order": 3}), first.revision)
    assert second.revision > first.revision
    assert await configuration.camera("sân") == second


MASK = ((0, 0), (10_000, 0), (10_000, 10_000))


async def test_masks_are_kept_as_they_were_drawn(configuration: Configuration) -> None:
    record = await configuration.put(camera("Sân", masks=(MASK,) * 16), 0)
    assert (await configuration.camera("sân")).config.masks == (MASK,) * 16
    fewer = await configuration.put(record.config.model_copy(update={"masks": ()}), record.revision)
    assert (await configuration.camera("sân")).config == fewer.config


@pytest.mark.parametrize(
    ("masks", "field"),
    [
        ((MASK,) * 17, "config.masks"),
        ((MASK, MASK[:2]), "config.masks.1"),
        ((MASK * 11,), "config.masks.0"),
        (((*MASK, (0, 10_001)),), "config.masks.0.3.1"),
        (((*MASK, (-1, 0)),), "config.masks.0.3.0"),
        (((*MASK, (0.5, 0)),), "config.masks.0.3.0"),
        (((*MASK, (0, 0, 0)),), "config.masks.0.3"),
        ("all", "config.masks"),
    ],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_what_is_no_mask_is_refused_with_its_place(
    configuration: Configuration, masks: object, field: str
) -> None:
    wrong = camera("Sân").model_copy(update={"masks": masks})
    with pytest.raises(InvalidConfiguration) as refusal:
        await configuration.put(wrong, 0)
    assert refusal.value.details["field"] == field
    assert refusal.value.message.startswith(f"{field}: ")
    assert await configuration.cameras() == ()


async def test_a_camera_that_was_kept_before_there_were_masks_has_none(
    configuration: Configuration, client: Client, node: str
) -> None:
    old = camera("Sân").model_dump(mode="json", exclude={"masks"})
    bucket = await client.jetstream().key_value(subjects.config_bucket(node))
    await bucket.put(old["id"], json.dumps(old).encode())
    assert (await configuration.camera("sân")).config.masks == ()


async def test_of_two_who_change_the_same_revision_one_is_told(configuration: Configuration) -> None:
    record = await configuration.put(camera("Sân"), 0)
    changes = [record.config.model_copy(update={"order": number}) for number in range(8)]
    outcomes = await asyncio.gather(
        *(configuration.put(change, record.revision) for change in changes), return_exceptions=True
    )
    assert sum(isinstance(outcome, CameraRecord) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7


async def test_of_two_who_take_the_same_name_one_is_told(configuration: Configuration) -> None:
    outcomes = await asyncio.gather(
        *(configuration.put(camera(name), 0) for name in ("Cổng", "CỔNG", "cong")), return_exceptions=True
    )
    assert sum(isinstance(outcome, CameraRecord) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidConfiguration) for outcome in outcomes) == 2


async def test_an_id_cannot_be_added_twice_but_comes_back_after_removal(configuration: Configuration) -> None:
    record = await configuration.put(camera("Sân"), 0)
    with pytest.raises(Conflict):
        await configuration.put(record.config, 0)
    await configuration.remove(record.config.id, record.revision)
    with pytest.raises(UnknownCamera):
        await configuration.camera("Sân")
    again = await configuration.put(record.config, 0)
    assert again.revision > record.revision


async def test_removing_what_changed_meanwhile_is_a_conflict(configuration: Configuration) -> None:
    record = await configuration.put(camera("Sân"), 0)
    await configuration.put(record.config.model_copy(update={"order": 1}), record.revision)
    with pytest.raises(Conflict):
        await configuration.remove(record.config.id, record.revision)
    with pytest.raises(UnknownCamera):
        await configuration.remove(new_id(), 1)


async def test_more_cameras_than_allowed_are_refused_and_changes_still_taken(configuration: Configuration) -> None:
    records = [await configuration.put(camera(f"Số {number}"), 0) for number in range(5)]
    with pytest.raises(InvalidConfiguration, match="at most 5"):
        await configuration.put(camera("Số 6"), 0)
    await configuration.put(records[0].config.model_copy(update={"name": "Số 0"}), records[0].revision)


@pytest.mark.parametrize(
    "url",
    [
        "", "rtsp://", "rtsp://user@host/1", "rtsp://user:secret@host/1", "gopher://host/1", "rtsp://host:0/1",
        "rtsp://host:70000/1", "rtsp://ho st/1", "rtsp://host/\r\nX: y", "file://host/../x", "rtsp://" + "a" * 2000,
        "rtsp://[::1/1", "http://", "//host/1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("which", ["main", "sub"])
async def test_a_url_that_no_source_can_open_is_refused(configuration: Configuration, url: str, which: str) -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        await configuration.put(camera("Sân", **{which: StreamConfig(url=url)}), 0)
    assert "secret" not in str(raised.value)
    assert await configuration.cameras() == ()


@pytest.mark.parametrize(
    "url",
    ["rtsp://host/1", "rtsps://host:322/a?b=c", "rtsp://[2001:db8::1]:554/1", "rtsp+udp://host/1", "rtmp://host/live",
     "http://host/mjpeg", "https://host/mjpeg", "file:///srv/a.mp4"],
)  # fmt: skip
async def test_every_scheme_there_is_a_source_for_is_taken(configuration: Configuration, url: str) -> None:
    assert (await configuration.put(camera("Sân", main=StreamConfig(url=url)), 0)).config.main.url == url


async def test_only_a_password_sealed_to_this_node_is_taken(configuration: Configuration) -> None:
    public = base64.b64decode((await configuration.secrets_key()).public)
    await configuration.put(camera("Sân", sealed_password=seal("bí mật", public)), 0)
    stranger = base64.b64encode(b"\x01" * 80).decode()
    for wrong in (stranger, "bí mật", "AAAA", "=" * 10, "A" * 5000):
        with pytest.raises(InvalidConfiguration, match="seal"):
            await configuration.put(camera("Cổng", sealed_password=wrong), 0)


async def test_followers_hear_of_every_change_and_survive_a_restart_of_the_bus(
    server: BusServer, configuration: Configuration, client: Client, node: str
) -> None:
    heard: list[set[str]] = []

    async def listen() -> None:
        async for cameras in follow(client, node):
            names = {record.config.name for record in cameras.values()}
            heard.append(names)

    listening = asyncio.create_task(listen())
    await until(lambda: heard == [set()])
    record = await configuration.put(camera("Sân"), 0)
    await until(lambda: heard[-1] == {"Sân"})
    await server.stop()
    await server.start()
    await until(lambda: client.is_connected)
    await configuration.put(camera("Cổng"), 0)
    await until(lambda: heard[-1] == {"Sân", "Cổng"})
    await configuration.remove(record.config.id, record.revision)
    await until(lambda: heard[-1] == {"Cổng"})
    listening.cancel()


async def test_a_busy_node_never_takes_its_configuration_for_empty(
    configuration: Configuration, client: Client, node: str
) -> None:
    names = {"Sân", "Cổng", "Chợ"}
    for name in names:
        await configuration.put(camera(name), 0)

    async def first_heard() -> set[str]:
        async with contextlib.aclosing(follow(client, node)) as followed:
            async for cameras in followed:
                return {record.config.name for record in cameras.values()}
        raise AssertionError("the follower ended")

    async def listed() -> set[str]:
        return {record.config.name for record in await configuration.cameras()}

    for found in await asyncio.gather(*(first_heard() for _ in range(60)), *(listed() for _ in range(60))):
        assert found == names


async def test_a_follower_that_ends_leaves_nothing_behind(
    configuration: Configuration, client: Client, node: str
) -> None:
    async with contextlib.aclosing(follow(client, node)) as followed:
        assert await anext(followed) == {}
        assert [consumer.push_bound for consumer in await _consumers(client, node)] == [True]

    async def unbound() -> bool:
        return not any(consumer.push_bound for consumer in await _consumers(client, node))

    await until(unbound)


async def _consumers(client: Client, node: str) -> list[ConsumerInfo]:
    return await client.jetstream().consumers_info(f"KV_{subjects.config_bucket(node)}")


async def test_a_camera_that_a_newer_version_configured_is_neither_followed_nor_called_removed(
    configuration: Configuration, client: Client, node: str
) -> None:
    record = await configuration.put(camera("Sân"), 0)
    bucket = await client.jetstream().key_value(subjects.config_bucket(node))
    await bucket.put(record.config.id, b'{"schema": 2}')
    assert await configuration.cameras() == ()
    assert await configuration.removed() == ()


async def test_the_bucket_holds_configurations_and_no_password_in_clear(
    configuration: Configuration, client: Client, node: str
) -> None:
    public = base64.b64decode((await configuration.secrets_key()).public)
    record = await configuration.put(camera("Sân", user="admin", sealed_password=seal("bí mật", public)), 0)
    bucket = await client.jetstream().key_value(subjects.config_bucket(node))
    value = (await bucket.get(record.config.id)).value or b""
    assert "bí mật".encode() not in value
    assert CameraConfig.model_validate_json(value) == record.config


async def _taken_out(configuration: Configuration, name: str) -> CameraConfig:
    record = await configuration.put(camera(name), 0)
    changed = await configuration.put(record.config.model_copy(update={"order": 7}), record.revision)
    await configuration.remove(changed.config.id, changed.revision)
    return changed.config


async def test_a_removed_camera_is_still_found_by_its_name_and_id(configuration: Configuration) -> None:
    gone = await _taken_out(configuration, "Sân sau")
    for wanted in ("Sân sau", "san", gone.id):
        found = await configuration.camera(wanted, removed=True)
        assert (found.config, found.removed_ns is not None) == (gone, True)
        with pytest.raises(UnknownCamera):
            await configuration.camera(wanted)
    assert [record.config for record in await configuration.removed()] == [gone]
    assert await configuration.cameras() == ()


async def test_a_name_means_its_latest_holder(configuration: Configuration) -> None:
    first = await _taken_out(configuration, "Sân")
    second = await _taken_out(configuration, "SÂN")
    assert [record.config.id for record in await configuration.removed()] == [second.id, first.id]
    assert (await configuration.camera("san", removed=True)).config.id == second.id
    assert (await configuration.camera(first.id, removed=True)).config.id == first.id
    third = (await configuration.put(camera("Sân"), 0)).config
    assert (await configuration.camera("Sân", removed=True)).config.id == third.id


async def test_a_beginning_that_several_removed_cameras_had_is_refused_with_their_ids(
    configuration: Configuration,
) -> None:
    gone = [await _taken_out(configuration, name) for name in ("Sân trước", "Sân sau")]
    with pytest.raises(InvalidConfiguration) as raised:
        await configuration.camera("sân", removed=True)
    assert all(config.id in str(raised.value) for config in gone)


async def test_the_password_of_a_removed_camera_is_not_told(configuration: Configuration) -> None:
    public = base64.b64decode((await configuration.secrets_key()).public)
    record = await configuration.put(camera("Sân", sealed_password=seal("bí mật", public)), 0)
    await configuration.remove(record.config.id, record.revision)
    assert [gone.config.sealed_password for gone in await configuration.removed()] == [""]
