"""A request that is sent twice with the same key is done once."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from tests.centre.api.conftest import DAY, Program, refused
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import lock
from xomyen.centre.api.models import KeptAnswer
from xomyen.centre.cameras.models import Site
from xomyen.centre.permissions.roles import Role

Speak = Callable[..., Program]
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    return appoint(Role.POLICE_HEAD, unit=province.commune)


@pytest.fixture
def head(person: User, program: Speak) -> Program:
    return program(person)


def site(province: Province, **others: Any) -> dict[str, Any]:
    return {"unit": province.group.pk, "code": "S50", "name": "Cổng làng"} | others


def test_the_same_again_is_answered_as_before_and_done_once(province: Province, head: Program) -> None:
    first, again = (head.send("POST", "sites", site(province), **KEY) for _ in range(2))
    assert (again.status_code, again.content, again["ETag"]) == (201, first.content, first["ETag"])
    assert again["Content-Type"] == first["Content-Type"]
    assert Site.objects.filter(code="S50").count() == 1
    other = {"Idempotency-Key": "another"}
    refused(head.send("POST", "sites", site(province), **other), 422, "invalid")


def test_a_key_is_for_one_request_of_one_token(province: Province, person: User, head: Program, program: Speak) -> None:
    head.send("POST", "sites", site(province), **KEY)
    refused(head.send("POST", "sites", site(province, code="S51"), **KEY), 422, "idempotency_key_reused")
    refused(head.send("POST", "cameras", site(province), **KEY), 422, "idempotency_key_reused")
    refused(
        head.send("POST", "sites", site(province), **{"Idempotency-Key": "k" * 256}), 422, "idempotency_key_too_long"
    )
    assert program(person).send("POST", "sites", site(province, code="S52"), **KEY).status_code == 201


def test_what_was_refused_may_be_tried_again(province: Province, head: Program) -> None:
    refused(head.send("POST", "sites", site(province, name=""), **KEY), 422, "invalid")
    assert head.send("POST", "sites", site(province), **KEY).status_code == 201


def test_the_second_waits_while_the_first_is_being_answered(province: Province, head: Program) -> None:
    head.send("POST", "sites", site(province), **KEY)
    KeptAnswer.objects.update(sealed=None)
    refused(head.send("POST", "sites", site(province), **KEY), 409, "in_progress")
    # One that was cut off does not stand in the way for ever.
    KeptAnswer.objects.update(begun=timezone.now() - datetime.timedelta(minutes=16))
    refused(head.send("POST", "sites", site(province), **KEY), 422, "invalid")


def test_an_answer_is_kept_for_a_day_and_to_nobody_elses_eyes(
    province: Province, person: User, head: Program, appoint: Appoint
) -> None:
    new = {"full_name": "Đỗ Khắc Tùng", "username": "tung.dk", "role": "duty_officer", "unit": province.commune.pk}
    link = head.send("POST", "people", new, **KEY).json()["link"]
    assert head.send("POST", "people", new, **KEY).json()["link"] == link
    assert link.partition("#")[2].encode() not in bytes(KeptAnswer.objects.get().sealed)
    KeptAnswer.objects.update(begun=timezone.now() - DAY)
    refused(head.send("POST", "people", new, **KEY), 422, "invalid")
    assert not KeptAnswer.objects.exists()
    head.send("POST", "sites", site(province), **KEY)
    lock(person)
    refused(head.send("POST", "sites", site(province), **KEY), 401, "unauthorized")
