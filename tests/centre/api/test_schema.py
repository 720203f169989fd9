"""Every operation, asked at random as each role: no failure of ours, no answer that is not described, no secret."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
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
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Appointment
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import make_token
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import CameraClass
from xomyen.centre.permissions.roles import Role
from xomyen.centre.wsgi import application

ROLES = [role for role in Role if role != Role.SCREEN]
EXAMPLES = 3
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
PATH_NAMES = ("unit", "person", "camera", "site", "node", "sequence")
PLACES = ("own", "secret", "random")


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests share the test's connection, and its transaction, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def tokens(province: Province, appoint: Appoint) -> dict[str, str]:
    """A program for each role in the first commune, and one whose token does not count."""
    people = {role.value: appoint(role, unit=province.commune) for role in ROLES}
    # Nothing of the other commune is known to any of them, but it is there, and has its people.
    appoint(Role.DUTY_OFFICER, unit=province.other_commune)
    chain_pending()
    return {role: make_token(person, "Thử", list(Scope), DAY, strong=True)[1] for role, person in people.items()} | {
        "": "xyc_no"
    }


@pytest.fixture
def ids(province: Province, tokens: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Real ids to put into requests: of the commune, and of what nobody there may know of."""

    def of(unit: Any, camera: Any, node: Any, inside: bool) -> dict[str, Any]:
        held = Appointment.objects.filter(unit=province.commune if inside else province.other_commune)
        appointment = held.earliest("id")
        return {
            "unit": unit.pk, "parent": unit.pk, "camera": camera.pk, "site": camera.site_id, "node": node.pk,
            "person": appointment.user_id, "appointment": appointment.pk, "sequence": 1 if inside else 2,
            "camera_class": CameraClass.objects.earliest("id").pk, "cameras": [camera.pk], "post": None,
        }  # fmt: skip

    return {
        "own": of(province.group, province.public, province.node, True),
        "secret": of(province.other_commune, province.secret, province.other_node, False),
        "random": {},
    }


def put(case: Any, known: dict[str, Any]) -> None:
    """Real ids in the places of random ones."""
    for values in (case.path_parameters, case.query, case.body):
        if not isinstance(values, dict):
            continue
        for name in set(values) & set(known):
            value = known[name]
            values[name] = [str(one) for one in value] if isinstance(value, list) else value and str(value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_as_each_role_every_answer_is_described_and_tells_nothing_of_other_units(
    operation: Any, province: Province, tokens: dict[str, str], ids: dict[str, dict[str, Any]]
) -> None:
    secrets = ("X99", "bí mật", "Bên Sông", str(province.secret.pk), str(province.other_node.pk))

    statuses: set[int] = set()

    def ask_as_everybody(case: Any) -> None:
        sent = repr((case.path_parameters, case.query, case.body))
        for role, token in tokens.items():
            answer = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"})
            case.validate_response(answer, checks=CHECKS)
            statuses.add(answer.status_code)
            told = answer.content.decode()
            # What somebody asked with may come back to them.
            found = [one for one in secrets if one in told and one not in sent]
            assert not found, f"{role} was told {found}: {told}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode),
        place=st.sampled_from(PLACES),
    )
    def ask_at_random(case: Any, place: str) -> None:
        put(case, ids[place])
        ask_as_everybody(case)

    ask_at_random()
    if operation.method == "get":
        for place in ("own", "secret"):
            named = {name: str(ids[place][name]) for name in PATH_NAMES if f"{{{name}}}" in operation.path}
            ask_as_everybody(operation.Case(path_parameters=named))
        assert {200, 401} <= statuses, "nobody was answered: the test asked in vain"


def test_the_planted_camera_is_found_by_those_who_may(province: Province, tokens: dict[str, str]) -> None:
    """So that not finding it means something."""
    operation = next(one for one in OPERATIONS if one.path.endswith("/cameras") and one.method == "get")
    head = Appointment.objects.get(role=Role.POLICE_HEAD).user
    Appointment.objects.create(user=head, role=Role.COMMAND_CENTRE, unit=province.province)
    answer = operation.Case().call(headers={"Authorization": f"Bearer {tokens['police_head']}"})
    assert "X99" in answer.content.decode()
