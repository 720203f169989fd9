"""Masks that are wanted come into force whatever else of a camera is not settled, and stay the centre's affair."""

from django.utils.translation import override
from tests.centre.link.conftest import RealNode, now

from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.centre.cameras import services
from xomyen.centre.cameras.desired import differences, lacks_masks, wanted
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.apply import bring
from xomyen.centre.link.soon import soon
from xomyen.terms.ids import new_id


def test_masks_come_into_force_and_are_the_centres_affair_alone(real_node: RealNode, yard: Camera) -> None:
    drawn = [[[0, 0], [0.25, 0], [0.33333, 1]], [[1, 1], [0.5, 1], [1, 0.00004]]]
    Camera.objects.filter(pk=yard.pk).update(masks=drawn, standing="pending")
    bring(yard.node_id)
    masks = (((0, 0), (2500, 0), (3333, 10_000)), ((10_000, 10_000), (5000, 10_000), (10_000, 0)))
    assert real_node.cameras()["C30 Sân kho"].config.masks == masks
    assert now(yard).standing == "in_force"
    real_node.change("C30 Sân kho", masks=())
    bring(yard.node_id)
    assert real_node.cameras()["C30 Sân kho"].config.masks == masks


def test_masks_that_somebody_adds_at_the_node_stay_and_those_taken_away_there_come_back(
    real_node: RealNode, yard: Camera
) -> None:
    corner, door = ((0, 0), (2000, 0), (2000, 2000)), ((5000, 5000), (7000, 5000), (7000, 9000))
    Camera.objects.filter(pk=yard.pk).update(masks=[[[0, 0], [0.2, 0], [0.2, 0.2]]])
    bring(yard.node_id)
    flat = ((0, 0), (1, 1), (2, 2))
    real_node.change("C30 Sân kho", masks=(door, flat))
    bring(yard.node_id)
    assert now(yard).masks == [[[0, 0], [0.2, 0], [0.2, 0.2]], [[0.5, 0.5], [0.7, 0.5], [0.7, 0.9]]]
    assert real_node.cameras()["C30 Sân kho"].config.masks == (corner, door)
    assert now(yard).standing == "in_force"


def test_masks_are_brought_while_something_else_waits_for_a_person(real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    real_node.change("C30 Sân kho", name="Tên tại chỗ")
    Camera.objects.filter(pk=yard.pk).update(
        name="Tên ở trung tâm", standing="pending", masks=[[[0, 0], [0.2, 0], [0.2, 0.2]]]
    )
    bring(yard.node_id)
    assert [len(one.config.masks) for one in real_node.cameras().values()] == [1]
    camera = now(yard)
    assert (camera.standing, camera.refused_field, lacks_masks(camera)) == ("changed", "name", False)
    services.change_masks(camera, [[[0, 0], [0.9, 0], [0.9, 0.9]]], camera.masks)
    soon.finish()
    assert real_node.cameras()["Tên tại chỗ"].config.masks == (((0, 0), (9000, 0), (9000, 9000)),)
    assert now(yard).standing == "changed"  # who draws masks does not choose between two names
    services.take_the_nodes(now(yard))
    soon.finish()
    assert real_node.cameras()["C30 Tên tại chỗ"].config.masks == (((0, 0), (9000, 0), (9000, 9000)),)


def test_masks_are_brought_although_the_node_refuses_something_else(real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    other = CameraConfig(id=new_id(), name="C30 Chợ", main=StreamConfig(url="rtsp://192.0.2.9/1"))
    real_node.ask(lambda asked: asked.put(other, 0))
    Camera.objects.filter(pk=yard.pk).update(name="Chợ", standing="pending", masks=[[[0, 0], [0.2, 0], [0.2, 0.2]]])
    bring(yard.node_id)
    assert len(real_node.cameras()["C30 Sân kho"].config.masks) == 1
    camera = now(yard)
    assert (camera.standing, camera.refused_field, lacks_masks(camera)) == ("refused", "name", False)


def test_masks_that_were_drawn_before_recorders_took_any_are_brought(real_node: RealNode, yard: Camera) -> None:
    bring(yard.node_id)
    Camera.objects.filter(pk=yard.pk).update(masks=[[[0, 0], [0.5, 0], [0.5, 0.5]]])
    assert now(yard).standing == "in_force"
    bring(yard.node_id)
    assert real_node.cameras()["C30 Sân kho"].config.masks == (((0, 0), (5000, 0), (5000, 5000)),)


def test_the_difference_in_masks_is_told_without_their_corners(registered: Node, yard: Camera) -> None:
    yard.masks = [[[0, 0], [0.5, 0], [0.5, 0.5]]]
    yard.in_force = wanted(yard).model_copy(update={"masks": ()}).model_dump(mode="json")
    with override("en"):
        (found,) = differences(yard)
        assert (found.label, found.wanted, found.in_force) == ("Privacy masks", "set", "none")
        yard.in_force["masks"] = [[[0, 0], [1, 0], [1, 1]]]
        (found,) = differences(yard)
        assert (found.wanted, found.in_force) == ("new masks", "earlier masks")
