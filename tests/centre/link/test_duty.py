"""What the worker does for nodes: it brings again what waits, and takes in what they say."""

import asyncio
import threading
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from tests.centre.conftest import Appoint, Province, make_camera
from tests.centre.link.conftest import RealNode, be_patient, now
from tests.waiting import wait_until

from xomyen.bus.messages import CameraEvent
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.apply import bring
from xomyen.centre.link.ask import sealed_for
from xomyen.centre.link.duty import bring_to_answering, bring_to_silent, look
from xomyen.centre.permissions.roles import Role
from xomyen.terms.errors import NotRunning
from xomyen.terms.ids import new_id
from xomyen.terms.words import CameraState, StreamName


def test_what_waits_is_not_kept_up_by_nodes_that_hang(
    real_node: RealNode, yard: Camera, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are visited at once, and each with a camera that waits."""
    be_patient(monkeypatch, 100)  # so long they hang
    free = asyncio.Event()
    for number in range(8):
        node = Node.objects.create(unit=province.commune, name=f"Treo {number}", address="", since=timezone.now())
        make_camera(province.group, node, f"T{number}", "Treo", standing="away")
        real_node.answer_late(str(node.pk), free)
    Node.objects.filter(pk=yard.node_id).update(answers=True)
    silent = threading.Thread(target=bring_to_silent)
    silent.start()
    wait_until(lambda: real_node.late == 8)
    bring_to_answering()
    assert now(yard).standing == "in_force"
    assert silent.is_alive()
    real_node.free(free)
    silent.join()


def test_a_node_whose_answer_cannot_be_read_ends_no_round(
    real_node: RealNode, yard: Camera, province: Province
) -> None:
    strange = Node.objects.create(unit=province.commune, name="Lạ", address="", answers=True, since=timezone.now())
    make_camera(province.group, strange, "L1", "Lạ", standing="away")
    Node.objects.filter(pk=yard.node_id).update(answers=True)
    real_node.answer_strangely(str(strange.pk))
    bring_to_answering()
    assert now(yard).standing == "in_force"


def test_a_password_can_be_sealed_while_the_node_is_away_once_its_key_is_known(
    real_node: RealNode, registered: Node
) -> None:
    look()
    real_node.go_away()
    node = Node.objects.get(pk=registered.pk)
    assert real_node.secrets.open(sealed_for(node, "kín")) == "kín"
    with pytest.raises(NotRunning):
        sealed_for(Node(pk=uuid.UUID(new_id())), "kín")


def test_the_round_keeps_how_streams_are(technician: Client, real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    real_node.streams = (
        CameraEvent(
            id=new_id(), camera=str(yard.pk), stream=StreamName.MAIN, state=CameraState.RECORDING, since_ns=10**18
        ),
    )
    look()
    state = technician.get(f"/cameras/{yard.pk}/state/").context["streams"]
    assert [one.colour for one in state] == ["success"]
    assert technician.get("/cameras/").context["counts"]["recording"] == 1


def test_the_node_of_this_machine_is_added_by_itself_where_somebody_keeps_recorders(
    transactional_db: None, province: Province, real_node: RealNode, appoint: Appoint
) -> None:
    look()
    assert not Node.objects.filter(pk=real_node.id).exists()  # nobody who could keep it yet
    appoint(Role.ADMINISTRATOR, unit=province.commune)
    look()
    node = Node.objects.get(pk=real_node.id)
    assert (node.unit, node.address, node.answers) == (province.commune, "http://127.0.0.1:8460", True)
