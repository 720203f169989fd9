"""Signing in: wrong passwords, lock-out, accounts of elsewhere, and what the person changes themselves."""

import datetime
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from tests.centre.accounts.conftest import PASSWORD, just_signed_in
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
LOGIN = "/account/login/"


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    cache.clear()  # allauth counts attempts there
    made = appoint(Role.GROUP_HEAD, unit=province.group)
    made.set_password(PASSWORD)
    made.save()
    return made


def test_who_is_signed_in_stands_on_the_list_of_sessions(person: User) -> None:
    here, there = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"), Client()
    for client in (here, there):
        assert client.post(LOGIN, {"login": person.username.upper(), "password": PASSWORD})["Location"] == "/"
    page = here.get("/account/sessions/").content.decode()
    assert "Chrome · Windows" in page
    assert "phiên này" in page
    assert here.post("/account/sessions/").status_code == 302
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302
    assert UserSession.objects.count() == 1


def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(person: User) -> None:
    told = "Tên đăng nhập hoặc mật khẩu không đúng."
    for name in (person.username, "khongco.ai"):
        assert told in Client().post(LOGIN, {"login": name, "password": "sai-mat-khau-roi"}).content.decode()


def test_five_wrong_passwords_lock_the_name_at_this_address_and_nowhere_else(person: User) -> None:
    wrong = {"login": person.username, "password": "sai-mat-khau-roi"}
    right = {"login": person.username, "password": PASSWORD}
    answers = [Client().post(LOGIN, wrong, REMOTE_ADDR="192.0.2.1").status_code for _ in range(5)]
    assert answers[:4] == [200] * 4
    locked = Client().post(LOGIN, right, REMOTE_ADDR="192.0.2.1")
    assert locked.status_code == 429
    assert "Nhập sai mật khẩu quá nhiều lần" in locked.content.decode()
    assert Client().post(LOGIN, right, REMOTE_ADDR="192.0.2.2").status_code == 302


def test_tries_while_the_name_is_locked_make_the_wait_no_longer(person: User) -> None:
    right = {"login": person.username, "password": PASSWORD}
    for _ in range(5):
        Client().post(LOGIN, {**right, "password": "sai-mat-khau-roi"})
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - datetime.timedelta(minutes=14))
    assert Client().post(LOGIN, right).status_code == 429
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - datetime.timedelta(minutes=1))
    assert Client().post(LOGIN, right).status_code == 302


def test_only_who_knows_the_password_is_told_that_the_account_is_locked(person: User) -> None:
    person.is_active = False
    person.save()
    guess = Client().post(LOGIN, {"login": person.username, "password": "sai-mat-khau-roi"})
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in guess.content.decode()
    answer = Client().post(LOGIN, {"login": person.username, "password": PASSWORD}, follow=True)
    assert "Tài khoản này đã bị khóa" in answer.content.decode()


def test_changing_the_password_keeps_this_session_and_ends_the_others(person: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.post(LOGIN, {"login": person.username, "password": PASSWORD})
    new = "con-thuyen-ngoai-bai-dau"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    weak = here.post("/account/password/change/", {**data, "password1": "123456789012", "password2": "123456789012"})
    assert weak.status_code == 200
    wrong = here.post("/account/password/change/", {**data, "oldpassword": "sai"})
    assert "Hãy nhập mật khẩu hiện tại." in wrong.content.decode()
    assert here.post("/account/password/change/", data)["Location"] == "/me/"
    assert here.get("/me/").status_code == 200
    assert there.get("/me/").status_code == 302


def test_who_came_by_a_link_sets_a_password_on_their_own_page(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_unusable_password()
    person.save()
    client = signed_in(person)
    just_signed_in(client, person)
    assert "/account/password/set/" in client.get("/me/").content.decode()
    client.post("/account/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


@pytest.mark.timeout(600)  # a program is started
def test_an_account_of_elsewhere_is_offered_where_the_settings_name_one(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("bi-mat\n")
    (tmp_path / "centre.toml").write_text(
        '[oidc]\nname = "Cổng Công an tỉnh"\nserver = "https://id.example.vn"\nclient_id = "xomyen"\n'
        f'client_secret_file = "{tmp_path / "secret"}"\n'
    )
    look = (
        "import sys; from pathlib import Path; from xomyen.cli.centre import prepare_centre;"
        "prepare_centre(Path(sys.argv[1])); from django.test import Client;"
        "print(Client(headers={'Host': 'localhost'}).get('/account/login/').content.decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", look, tmp_path], capture_output=True, text=True, timeout=300, check=True
    )
    assert "Cổng Công an tỉnh" in done.stdout
    assert 'action="/account/oidc/oidc/login/' in done.stdout
