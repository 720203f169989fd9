"""Masks are drawn in a browser on the picture that the recorder fetches from the camera."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from tests.browser import serious
from tests.centre.conftest import Appoint, Province, make_camera
from tests.centre.link.conftest import RealNode
from tests.simulated import small_simulator
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.permissions.roles import Role

pytestmark = pytest.mark.timeout(600)

DOOR = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.5]]


@pytest.fixture
def gate(real_node: RealNode, registered: Node, province: Province) -> Camera:
    """A camera with a mask, whose stream the node reaches."""
    cameras = real_node.run(small_simulator())
    made = make_camera(province.group, registered, "C44", "Cổng", masks=[DOOR])
    Camera.objects.filter(pk=made.pk).update(main_url=cameras.url())
    return Camera.objects.get(pk=made.pk)


def test_the_picture_comes_without_masks_to_the_one_who_asked_and_it_is_noted(
    gate: Camera, province: Province, appoint: Appoint, signed_in: Callable[[User], Client]
) -> None:
    chief, other = (signed_in(appoint(Role.POLICE_HEAD, unit=province.commune)) for _ in range(2))
    begun = chief.post(f"/cameras/{gate.pk}/masks/look/").json()
    address = f"/cameras/{gate.pk}/masks/look/{begun['job']}/"

    def told() -> Any:
        answer = chief.get(address)
        assert "trouble" not in answer.json()
        return answer.json()["still"]

    assert wait_until(told).startswith("/9j/")
    assert other.get(address).status_code == 404
    assert chief.get(address.replace(str(gate.pk), str(province.public.pk))).status_code == 404
    assert [(one.action, one.thing) for one in Pending.objects.filter(action="camera.unmasked")] == [
        ("camera.unmasked", str(gate.pk))
    ]


@pytest.mark.browser
@pytest.mark.parametrize("size", [{"width": 1366, "height": 768}, {"width": 390, "height": 844}])
def test_masks_are_drawn_by_pointer_and_by_keys(opened: Callable[..., Page], gate: Camera, size: Any) -> None:
    page = opened(f"/cameras/{gate.pk}/masks/", viewport=size)
    expect(page.get_by_alt_text("Ảnh của camera khi chưa che")).to_be_visible()
    ground = page.locator(".mask-ground svg")
    expect(ground.locator(".mask")).to_have_count(1)
    box = ground.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*at(0.8, 0.9), steps=4)
    page.mouse.up()
    expect(ground.locator(".mask")).to_have_count(2)
    page.keyboard.press("Enter")  # to its first corner
    page.keyboard.press("Shift+ArrowLeft")
    corner = page.get_by_role("button", name="Đỉnh 1:")
    expect(corner).to_have_attribute("aria-label", "Đỉnh 1: cách mép trái 45%, cách mép trên 50%")
    page.get_by_role("button", name="Thêm đỉnh sau đỉnh 4").press("Enter")
    expect(ground.locator(".mask-corner")).to_have_count(5)
    page.keyboard.press("Delete")
    expect(ground.locator(".mask-corner")).to_have_count(4)
    page.get_by_role("button", name="Hoàn tác").click()
    expect(ground.locator(".mask-corner")).to_have_count(5)
    ground.locator(".mask").first.press("Delete")
    expect(ground.locator(".mask")).to_have_count(1)
    assert serious(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name="Lưu", exact=True).click()
    page.wait_for_url(f"**/cameras/{gate.pk}/")
    gate.refresh_from_db()
    (mask,) = gate.masks
    assert len(mask) == 5
    assert mask[0] == pytest.approx([0.45, 0.5], abs=0.01)
    assert mask[2] == pytest.approx([0.8, 0.9], abs=0.01)
