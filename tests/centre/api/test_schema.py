"""Every operation, asked at random as each role: no failure of ours, no answer that is not described, no secret."""

import datetime
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.centre.api.conftest import DAY
from tests.centre.conftest import Province, build_province

from xomyen.centre.accounts.models import Appointment, PairedScreen, Regulation, User
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import make_token
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Camera, CameraClass, ImportBatch, Node
from xomyen.centre.dates import today
from xomyen.centre.operation import pace
from xomyen.centre.operation.pace import Pace
from xomyen.centre.organisation.models import (
    Change,
    ChangeKind,
    DocumentKind,
    MandateDocument,
    Post,
    PostKind,
    Scheme,
    Unit,
)
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import Bookmark, Layout
from xomyen.centre.wsgi import application

ROLES = [role for role in Role if role != Role.SCREEN]
EXAMPLES = 8
CHECKS = [
    not_a_server_error,  # first
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
NOBODY = ""
# Each test is a transaction within that of the module.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class World:
    """What all tests here ask about; what one of them changes is put back."""

    province: Province
    tokens: dict[str, str]  # of a person of each role in the first commune, and one that does not count
    ids: dict[str, dict[str, Any]]  # to put into requests: of the commune, and of what nobody there may know of
    secrets: tuple[str, ...]


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests share the test's connection, and its transaction, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: with its tokens and its log it takes longer than asking."""
    unbounded = pytest.MonkeyPatch.context()
    with django_db_blocker.unblock(), one_connection(), transaction.atomic(), unbounded as patch:
        patch.setattr(pace, "PACE", Pace(1_000_000))  # what is asked here would take a person hours
        yield build_world()
        transaction.set_rollback(True)


def build_world() -> World:
    province = build_province()
    people = {role.value: person_of(role, province.commune) for role in ROLES}
    # Nothing of the other commune is known to any of them, but it is there, and has its people.
    person_of(Role.DUTY_OFFICER, province.other_commune)
    person_of(Role.AUDITOR, province.province)  # who reads what belongs to no unit
    room = Post.objects.create(name="Phòng trực ban Bên Sông", kind=PostKind.DUTY_ROOM)
    room.jurisdictions.create(unit=province.other_commune)
    own = ids_of(province.commune, province.group, province.duty_room, province.public, province.node)
    own |= {"others": [province.other_group.pk], "into": province.other_group.pk, "successor": province.other_group.pk}
    secret = ids_of(province.other_commune, province.other_commune, room, province.secret, province.other_node)
    chain_pending()
    for known in (own, secret):
        known["sequence"] = Record.objects.get(action="camera.added", thing=str(known["camera"])).sequence
    tokens = {role: make_token(person, "Thử", list(Scope), DAY, strong=True)[1] for role, person in people.items()}
    hidden = [str(value) for name, value in secret.items() if name not in ("sequence", "camera_class", "cells")]
    return World(
        province,
        tokens | {NOBODY: "xyc_no"},
        {"own": own, "secret": secret, "random": {}},
        ("X99", "bí mật", "Bên Sông", *(one for one in hidden if one and not one.startswith("["))),
    )


def person_of(role: Any, unit: Unit) -> User:
    count = User.objects.count() + 1
    person = User.objects.create_user(f"nguoi{count}", full_name=f"Lương Khê Số {count}")
    Appointment.objects.create(user=person, role=role, unit=unit)
    return person


def ids_of(commune: Unit, unit: Unit, post: Post, camera: Camera, node: Node) -> dict[str, Any]:
    """The ids of things of a commune, one of each kind, most of them made here."""
    now = timezone.now()
    held = Appointment.objects.filter(unit=commune).earliest("id")
    layout = Layout.objects.create(post=post, name=f"Cổng {commune.name}", size=4, cells=[str(camera.pk)])
    mark = Bookmark.objects.create(camera=camera, at=now - DAY, note=f"Xe ở {commune.name}", made_by=held.user)
    screen = PairedScreen.objects.create(
        name=f"Ti vi {commune.name}", unit=commune, confirmed=now, code_expires=now, digest=commune.code
    )
    paper = MandateDocument.objects.create(
        unit=commune, kind=DocumentKind.DECISION, number="27/QĐ-UBND", title=commune.name, issuer="UBND",
        issued=datetime.date(2026, 4, 1),
    )  # fmt: skip
    change = Change.objects.create(kind=ChangeKind.CREATE, day=today(), summary={"to": [commune.name]})
    change.units.add(unit)
    scheme = Scheme.objects.create(unit=commune, name=f"Camera an ninh {commune.name}")
    scheme.groups.add(unit)
    scheme.documents.add(paper)
    jurisdiction = post.jurisdictions.earliest("id")
    # Not in force yet: nobody has to accept it before they see pictures.
    regulation = Regulation.objects.create(
        unit=commune, version=1, title=f"Quy chế {commune.name}", text=commune.name, valid_from=today() + 30 * DAY
    )
    keeper = Appointment.objects.filter(unit=commune, role=Role.POLICE_HEAD).first() or held
    table = ImportBatch.objects.create(by=keeper.user, unit=commune, rows=[{"row": "2", "site_name": commune.name}])
    turning = {"ptz": True, "onvif_address": "http://192.0.2.1/", "ptz_profile": "main", "in_force": {"id": "1"}}
    Camera.objects.filter(pk=camera.pk).update(**turning)
    return {
        "unit": unit.pk, "parent": commune.pk, "camera": camera.pk, "site": camera.site_id, "node": node.pk,
        "person": held.user_id, "appointment": held.pk, "cameras": [camera.pk],
        "camera_class": CameraClass.objects.earliest("id").pk, "post": post.pk, "units": [unit.pk],
        "jurisdiction": jurisdiction.pk, "layout": layout.pk, "cells": [camera.pk], "bookmark": mark.pk,
        "screen": screen.pk, "document": paper.pk, "scheme": scheme.pk, "change": change.pk,
        "others": [unit.pk], "into": unit.pk, "successor": unit.pk, "regulation": regulation.pk, "batch": table.pk,
        "job": uuid.uuid4(),
    }  # fmt: skip


def put(case: Any, known: dict[str, Any]) -> None:
    """Real ids in the places of random ones."""
    for values in (case.path_parameters, case.query, case.body):
        if not isinstance(values, dict):
            continue
        for name in set(values) & set(known):
            value = known[name]
            values[name] = [str(one) for one in value] if isinstance(value, list) else str(value)
        # At a unit or at a post, not at both.
        if values.get("unit") and values.get("post") and "role" in values:
            values["post"] = None


class Asking:
    """Asks one operation and looks at every answer."""

    def __init__(self, world: World) -> None:
        self.statuses: set[int] = set()
        self._world = world

    def ask(self, case: Any, role: str) -> None:
        bearer = f"Bearer {self._world.tokens[role]}"
        answer = case.call(headers={"Authorization": bearer, "Accept-Language": "en"})
        # There is no recorder here, and to say so is no failure of the centre.
        away = answer.status_code == 503 and answer.json()["type"] == "urn:xomyen:not_running"
        case.validate_response(answer, checks=CHECKS[1:] if away else CHECKS)
        self.statuses.add(answer.status_code)
        told = answer.content.decode()
        # What somebody asked with may come back to them.
        sent = repr((case.path_parameters, case.query, case.body))
        found = [one for one in self._world.secrets if one in told and one not in sent]
        assert not found, f"{role or 'nobody'} was told {found}: {told}"

    def ask_as_everybody(self, case: Any) -> None:
        for role in self._world.tokens:
            self.ask(case, role)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_as_each_role_every_answer_is_described_and_tells_nothing_of_other_units(operation: Any, world: World) -> None:
    asking = Asking(world)
    reads = operation.method == "get"
    # Requests that could be meant are put by everybody, for things of one's own and of others; the rest by one each.
    swept = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        drawn=st.one_of(
            st.tuples(st.just(mode), operation.as_strategy(generation_mode=mode)) for mode in GenerationMode
        ),
        place=st.sampled_from(list(world.ids)),
        role=st.sampled_from(list(world.tokens)),
    )
    def ask_at_random(drawn: Any, place: str, role: str) -> None:
        mode, case = drawn
        # What is not there first: what is there may be gone afterwards.
        for each in ("secret", "own") if mode == GenerationMode.POSITIVE and not swept else ():
            put(case, world.ids[each])
            asking.ask_as_everybody(case)
            swept.add(each)
        put(case, world.ids[place])
        asking.ask(case, role)

    ask_at_random()
    assert swept, "no request was made that could be meant"
    for place in ("own", "secret") if reads else ():
        known = world.ids[place]
        named = {name: str(value) for name, value in known.items() if f"{{{name}}}" in operation.path}
        asking.ask_as_everybody(operation.Case(path_parameters=named))
    if reads:
        # Where a recorder is asked, there is none.
        good = {200, 503} if "devices" in operation.definition.raw["tags"] else {200}
        assert good & asking.statuses, "nobody was answered: the test asked in vain"
        assert 401 in asking.statuses


def test_the_planted_camera_is_found_by_those_who_may(world: World) -> None:
    """So that not finding it means something."""
    operation = next(one for one in OPERATIONS if one.path.endswith("/cameras") and one.method == "get")
    head = Appointment.objects.get(role=Role.POLICE_HEAD).user
    Appointment.objects.create(user=head, role=Role.COMMAND_CENTRE, unit=world.province.province)
    answer = operation.Case().call(headers={"Authorization": f"Bearer {world.tokens['police_head']}"})
    assert "X99" in answer.content.decode()
