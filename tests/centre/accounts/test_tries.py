"""Guessing: how many wrong codes and passwords there may be, from wherever they come."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.db import models
from django.test import Client
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.accounts.test_entry import code
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Try, User
from xomyen.centre.audit.models import Pending
from xomyen.centre.permissions.roles import Role

LOGIN = "/account/login/"
CODE = "/account/2fa/authenticate/"
AGAIN = "/account/2fa/reauthenticate/"
WRONG = {"code": "not-a-code"}


@pytest.fixture(autouse=True)
def quick_hasher(settings: Any) -> None:
    """What is counted here does not depend on how long a hash takes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def officer(province: Province, appoint: Appoint) -> User:
    cache.clear()  # allauth counts attempts there
    made = appoint(Role.DUTY_OFFICER, unit=province.commune)
    made.set_password(PASSWORD)
    made.save()
    return made


@pytest.fixture
def secret(officer: User) -> str:
    made: str = generate_totp_secret()
    TOTP.activate(officer, made)
    return made


def by_password(person: User, address: str = "192.0.2.1") -> Client:
    """A client that has yet to show the second factor."""
    client = Client(REMOTE_ADDR=address)
    assert client.post(LOGIN, {"login": person.username, "password": PASSWORD})["Location"] == CODE
    return client


def test_after_five_wrong_codes_from_wherever_even_the_right_one_is_refused(officer: User, secret: str) -> None:
    for number in range(5):
        cache.clear()  # as another process would count
        assert by_password(officer, f"192.0.2.{number}").post(CODE, WRONG).status_code == 200
    last = by_password(officer, "192.0.2.9")
    refused = last.post(CODE, {"code": code(secret)})
    assert refused.status_code == 429
    assert "Nhập sai mã quá nhiều lần" in refused.content.decode()
    assert last.get(CODE)["Location"] == LOGIN  # what the password had begun is over
    assert Pending.objects.filter(action="account.second_factor_locked", person=str(officer.pk)).count() == 1
    recovery = RecoveryCodes.activate(officer).get_unused_codes()[0]
    assert by_password(officer, "192.0.2.10").post(CODE, {"code": recovery}).status_code == 429


def test_codes_count_again_after_a_quarter_of_an_hour(officer: User, secret: str) -> None:
    client = by_password(officer)
    for _ in range(5):
        client.post(CODE, WRONG)
    Try.objects.update(at=models.F("at") - datetime.timedelta(minutes=15))
    assert client.post(CODE, {"code": code(secret)}).status_code == 302
    assert client.get("/people/").status_code == 200


def test_a_right_code_is_no_wrong_try(officer: User, secret: str) -> None:
    assert by_password(officer).post(CODE, {"code": code(secret)}).status_code == 302
    assert not Try.objects.exists()


def test_a_session_in_which_codes_are_guessed_ends(
    officer: User, secret: str, weakly_in: Callable[[User], Client]
) -> None:
    client = weakly_in(officer)
    for _ in range(5):
        assert client.post(AGAIN, WRONG).status_code == 200
    assert client.post(AGAIN, {"code": code(secret)}).status_code == 429
    assert client.get("/me/")["Location"].startswith(LOGIN)


def test_one_persons_wrong_codes_keep_nobody_else_out(
    province: Province, appoint: Appoint, officer: User, secret: str
) -> None:
    client = by_password(officer)
    for _ in range(6):
        client.post(CODE, WRONG)
    other = appoint(Role.DUTY_OFFICER, unit=province.commune)
    other.set_password(PASSWORD)
    other.save()
    TOTP.activate(other, secret)
    assert by_password(other).post(CODE, {"code": code(secret)}).status_code == 302


def test_thirty_wrong_passwords_from_changing_addresses_lock_the_name(officer: User) -> None:
    wrong, right = ({"login": officer.username, "password": word} for word in ("sai-mat-khau-roi", PASSWORD))
    for number in range(30):
        assert Client().post(LOGIN, wrong, REMOTE_ADDR=f"192.0.2.{number}").status_code == 200
    locked = Client().post(LOGIN, right, REMOTE_ADDR="192.0.2.99")
    assert "Đăng nhập sai quá nhiều lần" in locked.content.decode()
    Try.objects.update(at=models.F("at") - datetime.timedelta(hours=1))
    assert Client().post(LOGIN, right, REMOTE_ADDR="192.0.2.99")["Location"] == "/"


def test_one_address_alone_locks_the_name_nowhere_else(officer: User) -> None:
    for _ in range(29):
        Client().post(LOGIN, {"login": officer.username, "password": "sai"}, REMOTE_ADDR="192.0.2.1")
    assert Try.objects.count() == 5
    right = {"login": officer.username, "password": PASSWORD}
    assert Client().post(LOGIN, right, REMOTE_ADDR="192.0.2.2").status_code == 302


def test_all_addresses_of_an_ipv6_network_count_as_one(officer: User) -> None:
    wrong = {"login": officer.username, "password": "sai-mat-khau-roi"}
    answers = [Client().post(LOGIN, wrong, REMOTE_ADDR=f"2001:db8::{n:x}").status_code for n in range(6)]
    assert answers[-1] == 429
    right = {"login": officer.username, "password": PASSWORD}
    assert Client().post(LOGIN, right, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302
