"""Access events that a node's stream dropped before the centre read them are told of."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.db import connections
from nats.aio.client import Client
from tests.centre.audit.test_access import event, publish
from tests.centre.conftest import Province, make_unit
from tests.centre.link.conftest import wait_for_stores

from xomyen.bus import subjects
from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.server import BusServer
from xomyen.centre.audit import gaps
from xomyen.centre.audit.access import subscribe, take_batch
from xomyen.centre.audit.models import NodeReading, Pending
from xomyen.centre.audit.off_loop import in_database
from xomyen.centre.cameras.models import Node
from xomyen.centre.operation import centre_findings
from xomyen.centre.operation.examination import Severity, words
from xomyen.centre.organisation.models import UnitKind
from xomyen.node.home import prepare, read_identity
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder


def told() -> list[dict[str, int]]:
    """The details of what the log says is missing."""
    rows = Pending.objects.filter(action="audit.gap").order_by("number")
    return [json.loads(row.details_json) for row in rows]


def test_what_went_before_the_centre_knew_the_node_is_no_gap(province: Province) -> None:
    gaps.compare(str(province.node.pk), 501, 900, caught_up=False)
    assert told() == []
    assert NodeReading.objects.get().read_to == 500


def test_what_was_dropped_unread_is_counted_once_and_said_since_when(province: Province) -> None:
    node = str(province.node.pk)
    gaps.compare(node, 1, 40, caught_up=True)
    read = NodeReading.objects.get()
    gaps.compare(node, 41, 90, caught_up=False)  # what was read may go
    assert told() == []
    gaps.read(node, 60)
    gaps.compare(node, 101, 200, caught_up=False)
    gaps.compare(node, 101, 230, caught_up=True)
    gaps.compare(node, 231, 230, caught_up=True)  # an empty stream: all of it was read
    (gap,) = told()
    assert gap["missing"] == 40
    assert read.at_ns < gap["from_ns"] < gap["to_ns"]
    row = Pending.objects.get(action="audit.gap")
    assert (row.thing, row.unit) == (node, province.commune.pk)


def test_a_stream_that_was_begun_anew_is_told(province: Province) -> None:
    node = str(province.node.pk)
    gaps.compare(node, 1, 40, caught_up=True)
    gaps.compare(node, 1, 3, caught_up=False)
    gaps.compare(node, 1, 5, caught_up=True)
    (gap,) = told()
    assert gap["made_anew"] is True
    assert NodeReading.objects.get().read_to == 5


def test_a_node_that_the_centre_does_not_know_is_passed_over(db: None) -> None:
    gaps.compare(str(uuid.uuid4()), 1, 2, caught_up=True)
    assert not NodeReading.objects.exists()


def test_the_doctor_tells_of_it_by_the_recorders_name(province: Province) -> None:
    assert centre_findings.of_work(words("vi")) == []
    node = str(province.node.pk)
    for first, last in ((1, 10), (31, 40)):
        gaps.compare(node, first, last, caught_up=True)
    gaps.compare(str(province.other_node.pk), 1, 10, caught_up=True)
    gaps.compare(str(province.other_node.pk), 1, 2, caught_up=True)
    (finding,) = centre_findings.of_work(words("vi"))
    assert finding.severity is Severity.NOTE
    assert "Đầu ghi Gia Khê (tối đa 20 sự kiện)" in finding.text
    assert "Đầu ghi Bên Sông" in finding.text


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Client, str]]:
    """A node's bus with its streams, and the node's id."""
    wait_for_stores(monkeypatch, 20)
    folder = NodeFolder(tmp_path / "node")
    async with BusServer(folder, prepare(folder)), connected(folder, "test") as made:
        await prepare_streams(made, read_identity(folder))
        yield made, read_identity(folder)
        await in_database(connections.close_all)


def _known(node: str) -> None:
    unit = make_unit("90001", UnitKind.COMMUNE, "Xã", "Gia Khê")
    Node.objects.create(id=node, unit=unit, name="Đầu ghi", address="http://127.0.0.1:8460")


@pytest.mark.django_db(transaction=True)
async def test_a_stream_that_drops_what_nobody_read_is_noticed(
    client: tuple[Client, str], issuer_key: SigningKey
) -> None:
    bus, node = client
    await in_database(_known, node)
    await publish(bus, node, event(issuer_key))
    reading = await subscribe(bus, node, "audit-test")
    await gaps.look(bus, node, reading)
    assert await take_batch(reading, node, 60) == 1
    await gaps.look(bus, node, reading)
    for _ in range(5):
        await publish(bus, node, event(issuer_key))
    # As a full stream does: the oldest go.
    await bus.jetstream().purge_stream(subjects.event_stream(node), seq=5)
    await gaps.look(bus, node, reading)
    taken = 0
    while taken < 2:
        taken += await take_batch(reading, node, 60)
    await gaps.look(bus, node, reading)
    (gap,) = await in_database(told)
    assert gap["missing"] == 3
