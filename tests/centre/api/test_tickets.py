"""Programs take one stretch of one camera at a time, recorded, from the recorder under its right name."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from tests.centre.api.conftest import Program
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.audit.models import Pending
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.tickets import LIFETIME_S, LONGEST_TAKEN_S
from xomyen.terms.time import NS_PER_SECOND, SystemClock

Speak = Callable[..., Program]
HOUR_NS = 3600 * NS_PER_SECOND


def test_a_program_takes_one_stretch_of_one_camera_and_that_is_recorded(
    province: Province, appoint: Appoint, program: Speak
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    now = SystemClock().wall_ns()
    wish = {
        "use": "take",
        "cameras": [province.public.pk],
        "from_ns": now - HOUR_NS,
        "to_ns": now,
        "purpose": "Vụ 0138",
    }
    answer = program(officer).send("POST", "tickets", wish)
    assert answer.status_code == 201, answer.content
    (ticket,) = json.loads(answer.content)["tickets"]
    claims = jwt.decode(ticket["ticket"], options={"verify_signature": False})
    assert (claims["cameras"], claims["actions"]) == ([str(province.public.pk)], ["clip"])
    assert (claims["from_ns"], claims["to_ns"]) == (now - HOUR_NS, now)
    assert claims["exp"] - claims["iat"] == LIFETIME_S + 3600
    # As on the pages: a node on the same box is reached under the name by which the centre was.
    assert ticket["address"] == "http://testserver:8460"
    row = Pending.objects.get(action="ticket.issued")
    assert (row.person, row.thing, row.purpose) == (str(officer.pk), str(province.public.pk), "Vụ 0138")
    assert json.loads(row.details_json) == {"actions": ["clip"], "from_ns": now - HOUR_NS, "to_ns": now}


def test_the_number_of_queries_does_not_grow_with_the_cameras_of_tickets(
    province: Province, appoint: Appoint, program: Speak, django_assert_max_num_queries: Any
) -> None:
    own = program(appoint(Role.DUTY_OFFICER, unit=province.commune))
    cameras = [make_camera(province.group, province.node, f"C6{number}", f"Máy {number}").pk for number in range(20)]
    with django_assert_max_num_queries(24):
        assert own.send("POST", "tickets", {"cameras": cameras, "use": "live"}).status_code == 201
    rows = Pending.objects.filter(action="ticket.issued")
    assert {row.thing for row in rows} == {str(key) for key in cameras}
    assert {(row.unit, row.unit_label) for row in rows} == {(province.group.pk, str(province.group))}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"from_ns": None}, "span_is_missing"),
        ({"to_ns": None}, "span_is_missing"),
        ({"from_ns": 2 * HOUR_NS}, "span_is_empty"),
        ({"to_ns": HOUR_NS + LONGEST_TAKEN_S * NS_PER_SECOND + 1}, "span_is_too_long"),
        ({"cameras": "both"}, "one_camera_at_a_time"),
        ({"use": "past", "to_ns": HOUR_NS}, "span_is_empty"),
    ],
)
def test_a_wish_for_more_than_one_stretch_of_one_camera_is_refused(
    province: Province, appoint: Appoint, program: Speak, changed: dict[str, Any], code: str
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    wish = {"use": "take", "cameras": [province.public.pk], "from_ns": HOUR_NS, "to_ns": 2 * HOUR_NS, **changed}
    if wish["cameras"] == "both":
        wish["cameras"] = [province.public.pk, province.private.pk]
    answer = program(officer).send("POST", "tickets", wish)
    assert (answer.status_code, json.loads(answer.content)["type"]) == (422, f"urn:xomyen:{code}")
    assert not Pending.objects.filter(action="ticket.issued").exists()
