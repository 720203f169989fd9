"""Access tokens: shown once, kept as a hash, for a time, revoked at once."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.api.conftest import DAY, Program
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts import services
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import accept, enact
from xomyen.centre.api.models import AccessToken
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import MOST, find_token, make_token
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    return appoint(Role.SECURITY_TEAM, unit=province.commune)


def test_a_token_is_made_on_the_page_shown_once_and_kept_as_a_hash(
    person: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(person)
    made = client.post("/me/tokens/", {"name": "Báo cáo quý", "scopes": ["units:read", "cameras:read"], "days": "7"})
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert secret not in client.get("/me/tokens/").content.decode()
    kept = AccessToken.objects.get()
    assert secret not in str(AccessToken.objects.values().get())
    assert kept.scopes == ["cameras:read", "units:read"]
    assert abs(kept.expires - timezone.now() - 7 * DAY) < datetime.timedelta(minutes=1)
    answer = Program(secret).get("me").json()
    assert (answer["id"], answer["scopes"]) == (str(person.pk), ["cameras:read", "units:read"])
    chain_pending()
    row = Record.objects.get(action="token.made")
    assert secret not in str(row.content())


def test_a_revoked_token_counts_no_more_and_its_page_says_so(person: User, signed_in: Callable[[User], Client]) -> None:
    made, secret = make_token(person, "Báo cáo quý", [Scope.UNITS_READ], DAY)
    assert Program(secret).get("me").status_code == 200
    client = signed_in(person)
    page = client.post(f"/me/tokens/{made.pk}/revoke/", follow=True)
    assert "Báo cáo quý" not in page.content.decode()
    assert Program(secret).get("me").status_code == 401
    chain_pending()
    assert Record.objects.get(action="token.revoked").person == str(person.pk)


def test_nobody_revokes_the_token_of_somebody_else(
    person: User, province: Province, appoint: Appoint, signed_in: Callable[[User], Client]
) -> None:
    made, secret = make_token(person, "Báo cáo quý", [Scope.UNITS_READ], DAY)
    other = signed_in(appoint(Role.SECURITY_TEAM, unit=province.commune))
    assert other.post(f"/me/tokens/{made.pk}/revoke/").status_code == 404
    assert find_token(secret) is not None


@pytest.mark.parametrize("change", ["expired", "locked"])
def test_a_token_ends_with_its_time_and_with_its_owners_access(person: User, change: str) -> None:
    made, secret = make_token(person, "Báo cáo quý", [Scope.UNITS_READ], DAY)
    if change == "expired":
        AccessToken.objects.filter(pk=made.pk).update(expires=timezone.now())
    else:
        User.objects.filter(pk=person.pk).update(is_active=False)
    assert Program(secret).get("me").status_code == 401


@pytest.mark.parametrize("secret", ["", "xyc_", "xyc_" + "a" * 43, "xyc_" + "a" * 5000, "khác", "xyc_\ud800"])
def test_what_is_no_token_finds_none(db: None, secret: str) -> None:
    assert find_token(secret) is None


def test_a_token_needs_a_purpose_and_a_scope_and_there_are_not_too_many(
    person: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(person)
    refused: Any = client.post("/me/tokens/", {"name": "", "days": "7"})
    assert set(refused.context["form"].errors) == {"name", "scopes"}
    for _ in range(MOST):
        make_token(person, "Báo cáo quý", [Scope.UNITS_READ], DAY)
    full = client.post("/me/tokens/", {"name": "Thêm", "scopes": ["units:read"], "days": "7"})
    assert full.context["form"].non_field_errors()
    assert AccessToken.objects.count() == MOST


def test_when_a_token_was_used_is_kept(person: User) -> None:
    made, secret = make_token(person, "Báo cáo quý", [Scope.UNITS_READ], DAY)
    Program(secret).get("me")
    made.refresh_from_db()
    assert made.last_used is not None


@pytest.fixture
def officer(province: Province, appoint: Appoint) -> User:
    return appoint(Role.DUTY_OFFICER, unit=province.commune)


def test_a_token_made_with_a_password_alone_carries_no_officers_rights(
    province: Province, appoint: Appoint, person: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(person)
    session = client.session
    session.clear()
    session.save()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    made = client.post("/me/tokens/", {"name": "Thử", "scopes": ["tickets:issue", "units:read"], "days": "7"})
    program = Program(made.context["secret"])
    assert program.get("me").status_code == 200
    appoint(Role.DUTY_OFFICER, person, unit=province.commune)
    for answer in (
        program.get("me"),
        program.get("units"),
        program.send("POST", "tickets", {"cameras": [province.private.pk], "use": "past", "purpose": "x"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:xomyen:second_factor")
    assert "xác thực hai lớp" in answer.json()["detail"]
    assert "không dùng được" in signed_in(person).get("/me/tokens/").content.decode()


def test_a_token_made_with_a_second_factor_carries_them(officer: User, signed_in: Callable[[User], Client]) -> None:
    made = signed_in(officer).post("/me/tokens/", {"name": "Thử", "scopes": ["units:read"], "days": "7"})
    assert Program(made.context["secret"]).get("units").status_code == 200


def test_no_program_gets_tickets_before_its_owner_accepted_the_regulations(province: Province, officer: User) -> None:
    secret = make_token(officer, "Thử", [Scope.TICKETS_ISSUE], DAY, strong=True)[1]
    regulation = enact(province.commune, None, today(), "Quy chế khai thác", "Điều 1")
    wish = {"cameras": [province.public.pk]}
    refused = Program(secret).send("POST", "tickets", wish)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:xomyen:regulation")
    accept(officer, regulation, None)
    assert Program(secret).send("POST", "tickets", wish).status_code == 201


@pytest.mark.parametrize(
    "ends", [services.sign_out_everywhere, services.forget_second_factor, services.lock, services.unlock]
)
def test_what_ends_sessions_ends_tokens(officer: User, ends: Callable[[User], None]) -> None:
    _, secret = make_token(officer, "Thử", [Scope.UNITS_READ], DAY, strong=True)
    ends(officer)
    services.unlock(officer)
    assert find_token(secret) is None
    chain_pending()
    assert Record.objects.filter(action="token.revoked").count() == 1


def test_another_password_ends_tokens(person: User, officer: User) -> None:
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    client.post("/account/login/", {"login": person.username, "password": PASSWORD})
    _, secret = make_token(person, "Thử", [Scope.UNITS_READ], DAY)
    new = "con-thuyen-ngoai-bai-dau"
    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert find_token(secret) is None
    link = services.invitation_link(person, officer)
    _, secret = make_token(person, "Thử", [Scope.UNITS_READ], DAY)
    client = Client()
    client.post("/account/link/", {"code": link.partition("#")[2]})
    client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD})
    assert find_token(secret) is None
    chain_pending()
    by_link = Record.objects.filter(action="account.password_changed").latest("sequence")
    assert (by_link.person, by_link.thing) == (str(person.pk), str(person.pk))


def test_who_may_lock_a_person_sees_how_many_tokens_count(
    province: Province, appoint: Appoint, officer: User, signed_in: Callable[[User], Client]
) -> None:
    head = signed_in(appoint(Role.POLICE_HEAD, unit=province.commune))
    assert "mã truy cập API" not in head.get(f"/people/{officer.pk}/").content.decode()
    for _ in range(2):
        make_token(officer, "Thử", [Scope.UNITS_READ], DAY, strong=True)
    assert "2 mã truy cập API" in head.get(f"/people/{officer.pk}/").content.decode()
    other = signed_in(appoint(Role.DUTY_COMMANDER, unit=province.commune))
    assert "mã truy cập API" not in other.get(f"/people/{officer.pk}/").content.decode()
