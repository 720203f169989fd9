"""What nodes tell of the use of tickets comes into the log: once, in order, named, and later where a node was away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from nats.aio.client import Client
from tests.centre.conftest import Appoint, Province, make_unit
from tests.centre.link.conftest import wait_for_stores
from tests.waiting import until

from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.events import publish_event
from xomyen.bus.messages import AccessEvent
from xomyen.bus.server import BusServer
from xomyen.centre.audit import access
from xomyen.centre.audit.access import store, subscribe, take_batch
from xomyen.centre.audit.models import Pending, Record
from xomyen.centre.audit.off_loop import in_database
from xomyen.centre.audit.words import Kind
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.organisation.models import UnitKind
from xomyen.centre.permissions.roles import Role
from xomyen.node.home import prepare, read_identity
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND


def event(issuer: SigningKey, camera: Camera | None = None, **fields: Any) -> AccessEvent:
    values: dict[str, Any] = {
        "id": new_id(),
        "at_ns": 1_790_000_000 * NS_PER_SECOND,
        "ticket": new_id(),
        "issuer": issuer.fingerprint,
        "subject": "command-line",
        "action": "live",
        "cameras": () if camera is None else (str(camera.pk),),
    }
    return AccessEvent.model_validate(values | fields)


def told(province: Province, *events: AccessEvent) -> list[Record]:
    """The events of the first commune's node as the log has them."""
    store(str(province.node.pk), [one.model_dump_json().encode() for one in events])
    while chain_pending():
        pass
    return list(Record.objects.exclude(source="").order_by("sequence"))


def test_an_event_becomes_a_record_that_names_the_person_and_the_camera(
    province: Province, appoint: Appoint, issuer_key: SigningKey
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    found = told(
        province,
        event(
            issuer_key, province.public, action="past", subject=f"user:{officer.pk}", purpose="Tìm xe mất",
            address="192.0.2.5", start_ns=5, end_ns=9,
        ),
    )[0]  # fmt: skip
    assert (found.action, found.person, found.person_name) == ("camera.past", str(officer.pk), officer.full_name)
    assert (found.thing, found.thing_label) == (str(province.public.pk), "C14 Sân nhà văn hóa")
    assert (found.unit, found.purpose, found.address) == (province.group.pk, "Tìm xe mất", "192.0.2.5")
    assert (found.at_ns, found.source) == (1_790_000_000 * NS_PER_SECOND, str(province.node.pk))
    assert (found.details["from_ns"], found.details["to_ns"]) == (5, 9)


def test_an_event_that_comes_again_counts_once_waiting_or_chained(province: Province, issuer_key: SigningKey) -> None:
    one = event(issuer_key, province.public)
    payload = one.model_dump_json().encode()
    store(str(province.node.pk), [payload, payload])
    store(str(province.node.pk), [payload])
    assert Pending.objects.exclude(source="").count() == 1
    assert len(told(province, one)) == 1
    assert len(told(province, one)) == 1
    # A node may send again between the looks of two writers: the chain itself passes over what it has.
    Pending.objects.create(id=one.id, at_ns=1, action="camera.live", source=str(province.node.pk))
    assert len(told(province)) == 1


def test_a_ticket_that_was_not_issued_here_names_nobody_of_the_centre(
    province: Province, appoint: Appoint, issuer_key: SigningKey
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    other = SigningKey.generate()
    found = told(province, event(other, province.public, subject=f"user:{officer.pk}"))[0]
    assert found.person_name == f"user:{officer.pk}"
    assert found.person != str(officer.pk)
    assert found.details["issuer"] == other.fingerprint


def test_a_node_speaks_for_its_own_cameras_alone(province: Province, issuer_key: SigningKey) -> None:
    found = told(province, event(issuer_key, province.secret))[0]
    assert (found.unit, found.thing_label) == (province.commune.pk, "")


def test_a_camera_that_moved_to_another_node_is_still_named_by_the_old_one(
    province: Province, issuer_key: SigningKey
) -> None:
    province.public.node = province.other_node
    province.public.save()
    assert told(province, event(issuer_key, province.public))[0].thing_label == "C14 Sân nhà văn hóa"


def test_an_event_about_several_cameras_is_a_record_for_each_and_about_none_one_for_the_node(
    province: Province, issuer_key: SigningKey
) -> None:
    several = event(issuer_key, cameras=(str(province.public.pk), str(province.neighbour.pk)), action="export")
    none = event(issuer_key, action="sign_in")
    found = told(province, several, none, several)
    assert [row.unit for row in found] == [province.group.pk, province.other_group.pk, province.commune.pk]
    assert (found[2].action, found[2].thing) == ("node.sign_in", str(province.node.pk))


def test_looking_for_footage_is_found_as_a_search(province: Province, issuer_key: SigningKey) -> None:
    (found,) = told(province, event(issuer_key, province.public, action="timeline"))
    assert found.kind == Kind.SEARCH


def test_what_cannot_be_read_or_lies_beyond_all_time_holds_nothing_up(
    province: Province, issuer_key: SigningKey
) -> None:
    store(str(province.node.pk), [b"no event", b"{}"])
    found = told(province, event(issuer_key, province.public, at_ns=2**70, purpose="a\0b"))
    assert [(row.at_ns, row.purpose) for row in found] == [(2**63 - 1, "ab")]


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    return NodeFolder(tmp_path / "node")


@pytest.fixture
async def server(folder: NodeFolder) -> AsyncIterator[BusServer]:
    """The bus of a node of its own."""
    async with BusServer(folder, prepare(folder)) as running:
        yield running


@pytest.fixture
async def client(folder: NodeFolder, server: BusServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    wait_for_stores(monkeypatch, 20)
    async with connected(folder, "test") as connection:
        await prepare_streams(connection, read_identity(folder))
        yield connection
        await in_database(connections.close_all)


async def publish(client: Client, node: str, one: AccessEvent) -> None:
    await publish_event(client, node, "access", one.id, one.model_dump_json().encode())


@pytest.mark.django_db(transaction=True)
async def test_reading_goes_on_where_it_was_and_repeats_what_was_not_acknowledged(
    client: Client, folder: NodeFolder, issuer_key: SigningKey
) -> None:
    node = read_identity(folder)
    first, second, third = (event(issuer_key) for _ in range(3))
    await publish(client, node, first)
    reading = await subscribe(client, node, "audit-test")
    assert await take_batch(reading, node, 60) == 1
    await publish(client, node, second)
    # Stored, and then the process ends before it acknowledges.
    taken = await reading.fetch(10, timeout=60)
    await in_database(store, node, [message.data for message in taken])
    await taken[0].nak()
    await publish(client, node, third)
    again = await subscribe(client, node, "audit-test")
    count = 0
    while count < 2:
        count += await take_batch(again, node, 60)
    await in_database(chain_pending)
    rows = await in_database(lambda: list(Record.objects.exclude(source="").order_by("sequence")))
    assert sorted(str(row.id) for row in rows) == sorted((first.id, second.id, third.id))


def _known(node: str) -> None:
    unit = make_unit("90001", UnitKind.COMMUNE, "Xã", "Gia Khê")
    Node.objects.create(id=node, unit=unit, name="Đầu ghi", address="http://127.0.0.1:8460")


@pytest.mark.django_db(transaction=True)
async def test_a_node_that_was_away_is_caught_up_with(
    client: Client, server: BusServer, folder: NodeFolder, issuer_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_AGAIN_S", 0.1)
    monkeypatch.setattr(access, "_WAIT_S", 0.5)
    node = read_identity(folder)
    await in_database(_known, node)
    events = [event(issuer_key) for _ in range(3)]
    duty = asyncio.create_task(access.take_access_events(client))

    async def taken(count: int) -> None:
        async def enough() -> bool:
            return await in_database(Pending.objects.exclude(source="").count) >= count

        await until(enough)

    try:
        await publish(client, node, events[0])
        await taken(1)
        await server.stop()
        await server.start()
        async with connected(folder, "node") as own:
            await publish(own, node, events[1])
            await publish(own, node, events[2])
        await taken(3)
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty
