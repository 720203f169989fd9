"""The centre in tests: Django on SQLite, or on PostgreSQL when XOMYEN_TESTS_ON=postgresql; an invented province."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser
from tests.browser import chromium_beside_django
from tests.django_centre import FOLDER

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.accounts.services import OWNER_LINK, STRONG
from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, Node, Site
from xomyen.centre.organisation.models import Post, PostKind, Unit, UnitKind, UnitLink
from xomyen.centre.permissions.roles import Role
from xomyen.proof.keys import SigningKey
from xomyen.terms.ids import new_id

_SHORTLY_S = 10.0  # longer than most tests take


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module; a folder whose modules share one has its own fixture."""
    with chromium_beside_django() as started:
        yield started


@pytest.fixture(autouse=True)
def one_day() -> None:
    """Under no test today becomes yesterday: one that would begin just before midnight begins after it."""
    now = timezone.localtime()
    left_s = 86_400 - (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    if left_s < _SHORTLY_S:
        time.sleep(left_s)


@pytest.fixture(scope="session", autouse=True)
def issuer_key() -> SigningKey:
    """The key with which the centre issues tickets."""
    return SigningKey.load_or_create(FOLDER / "centre" / "issuer.pem")


def make_unit(code: str, kind: UnitKind, type_name: str, name: str, parent: Unit | None = None, **dates: Any) -> Unit:
    """A unit, hung under its parent for the same time; groups have the product's own codes."""
    official = kind != UnitKind.GROUP
    unit = Unit.objects.create(code=code, kind=kind, type_name=type_name, name=name, official=official, **dates)
    if parent is not None:
        UnitLink.objects.create(unit=unit, parent=parent, **dates)
    return unit


@dataclass(frozen=True)
class Province:
    """Two communes; the first with two residential groups, a node and cameras, the second with a secret one."""

    province: Unit
    commune: Unit
    group: Unit
    other_group: Unit
    other_commune: Unit
    duty_room: Post
    node: Node
    other_node: Node
    public: Camera  # in `group`
    private: Camera  # in `group`, watches private property
    neighbour: Camera  # in `other_group`
    secret: Camera  # in `other_commune`


def make_camera(unit: Unit, node: Node, code: str, name: str, **fields: Any) -> Camera:
    """An accepted camera on a site of its own."""
    site = Site.objects.create(unit=unit, code=f"S-{code}", name=f"Điểm {name}", latitude=21.03, longitude=106.08)
    kept, _ = CameraClass.objects.get_or_create(name="Công cộng")
    values = {"purpose": "Trật tự", "acceptance": Acceptance.ACCEPTED, "camera_class": kept, **fields}
    return Camera.objects.create(site=site, node=node, code=code, name=name, main_url="rtsp://192.0.2.1/1", **values)


def build_province() -> Province:
    """The same in whatever transaction there is."""
    top = make_unit("24", UnitKind.PROVINCE, "Tỉnh", "Bắc Ninh")
    commune = make_unit("90001", UnitKind.COMMUNE, "Xã", "Gia Khê", top)
    other = make_unit("90009", UnitKind.COMMUNE, "Xã", "Bên Sông", top)
    group = make_unit("90001-03", UnitKind.GROUP, "Thôn", "Đông", commune)
    other_group = make_unit("90001-01", UnitKind.GROUP, "Thôn", "Thượng", commune)
    room = Post.objects.create(name="Phòng trực ban Công an xã Gia Khê", kind=PostKind.DUTY_ROOM)
    room.jurisdictions.create(unit=commune)
    node = Node.objects.create(id=new_id(), unit=commune, name="Đầu ghi Gia Khê", address="http://127.0.0.1:8460")
    far = Node.objects.create(id=new_id(), unit=other, name="Đầu ghi Bên Sông", address="http://127.0.0.1:8461")
    return Province(
        province=top,
        commune=commune,
        group=group,
        other_group=other_group,
        other_commune=other,
        duty_room=room,
        node=node,
        other_node=far,
        public=make_camera(group, node, "C14", "Sân nhà văn hóa"),
        private=make_camera(group, node, "C21", "Cổng hộ số 17", is_public=False),
        neighbour=make_camera(other_group, node, "C01", "Vào xã"),
        secret=make_camera(other, far, "X99", "Camera bí mật"),
    )


@pytest.fixture
def province(db: None) -> Province:
    return build_province()


Appoint = Callable[..., User]


@pytest.fixture
def appoint(db: None) -> Appoint:
    """Makes a person who holds a role at a unit or post: `appoint(Role.DUTY_OFFICER, unit=…, valid_to=…)`."""
    made = 0

    def appointed(role: str | None = None, person: User | None = None, **where: Any) -> User:
        nonlocal made
        made += 1
        if person is None:
            person = User.objects.create_user(f"nguoi{made}", full_name=f"Lương Khê Số {made}")
        if role is not None:
            Appointment.objects.create(user=person, role=role, **where)
        return person

    return appointed


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A test client with the person's session, which counts as proved by a second factor."""

    def client(person: User) -> Client:
        made = Client()
        made.force_login(person, "django.contrib.auth.backends.ModelBackend")
        session = made.session
        session[STRONG] = OWNER_LINK
        session.save()
        return made

    return client


@pytest.fixture
def technician(province: Province, appoint: Appoint, signed_in: Callable[[User], Client]) -> Client:
    """The commune's, signed in."""
    return signed_in(appoint(Role.TECHNICIAN, unit=province.commune))
