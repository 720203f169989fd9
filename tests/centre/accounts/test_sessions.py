"""How long a session lasts, what its cookie is, and what all processes remember together."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.accounts.test_entry import code
from tests.centre.conftest import Appoint, Province
from tests.centre.operation.conftest import OWN

from xomyen.centre.accounts.entry import BEGAN, IDLE_S, LASTS_S
from xomyen.centre.accounts.models import Remembered, User
from xomyen.centre.accounts.shared import SharedCache
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]


def back_by(client: Client, key: str, seconds: float) -> None:
    """As if what the session noted had been so long ago."""
    session = client.session
    session[key] = int(time.time() - seconds)
    session.save()


def test_a_session_is_over_after_its_time_however_it_is_used(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    client = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    back_by(client, BEGAN, LASTS_S - 60)
    assert client.get("/me/").status_code == 200
    back_by(client, BEGAN, LASTS_S)
    assert client.get("/me/")["Location"].startswith("/account/login/")
    assert client.get("/me/")["Location"].startswith("/account/login/")


def test_a_session_that_asks_for_nothing_is_over(province: Province, appoint: Appoint, signed_in: SignedIn) -> None:
    client = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    assert client.get("/me/").status_code == 200
    back_by(client, "seen", IDLE_S)
    assert client.get("/me/").status_code == 200
    back_by(client, "seen", IDLE_S + 301)
    assert client.get("/me/")["Location"].startswith("/account/login/")


def test_who_signs_in_again_begins_a_new_session(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    for _ in range(2):
        client.post("/account/login/", {"login": person.username, "password": PASSWORD})
        first = client.session.session_key
        assert client.get("/me/").status_code == 200
        back_by(client, BEGAN, LASTS_S)
        client.get("/me/")
        assert client.session.session_key != first


def test_who_shows_the_password_again_goes_on_under_another_name(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    client.post("/account/login/", {"login": person.username, "password": PASSWORD})
    learnt = client.session.session_key
    wrong = client.post("/account/reauthenticate/", {"password": "sai-mat-khau-roi"})
    assert (wrong.status_code, client.session.session_key) == (200, learnt)
    assert client.post("/account/reauthenticate/?next=/me/", {"password": PASSWORD})["Location"] == "/me/"
    assert client.session.session_key != learnt
    assert client.get("/me/").status_code == 200
    # One session as before, which the person still finds and ends.
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [client.session.session_key]
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = learnt
    assert thief.get("/me/").status_code == 302


def test_what_was_asked_under_the_name_of_before_leaves_the_cookie_with_the_new_one(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    late = Client()
    late.cookies[settings.SESSION_COOKIE_NAME] = "a-name-that-a-session-had-before"
    answer = late.get("/me/")
    assert answer["Location"].startswith("/account/login/")
    assert not answer.cookies
    assert "Cookie" in answer["Vary"]
    # Signing in begins another, and who signs out, or whose time is over, keeps no cookie.
    assert late.get("/account/login/").cookies[settings.SESSION_COOKIE_NAME].value
    client, over = signed_in(person), signed_in(person)
    back_by(over, BEGAN, LASTS_S)
    for ended in (client.post("/account/logout/"), over.get("/me/")):
        assert ended.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0


def test_who_shows_or_sets_up_a_second_factor_goes_on_under_another_name(
    transactional_db: None, province: Province, appoint: Appoint, weakly_in: SignedIn
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    setting_up = weakly_in(person)
    names = [setting_up.session.session_key]
    setting_up.get("/account/2fa/totp/activate/")
    secret = setting_up.session["mfa.totp.secret"]
    setting_up.post("/account/2fa/totp/activate/", {"code": code(secret)})
    names.append(setting_up.session.session_key)
    Remembered.objects.all().delete()  # the code counts once
    showing = weakly_in(person)
    names.append(showing.session.session_key)
    showing.post("/account/2fa/reauthenticate/", {"code": code(secret)})
    names.append(showing.session.session_key)
    assert len(set(names)) == 4
    for client in (setting_up, showing):
        assert client.get("/people/").status_code == 200


def test_ending_the_other_sessions_asks_for_a_factor_that_was_not_shown_just_now(
    province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_password(PASSWORD)
    person.save()
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/account/login/", {"login": person.username, "password": PASSWORD})
    session = here.session
    session["account_authentication_methods"][0]["at"] -= 600
    session.save()
    assert here.get("/account/sessions/").status_code == 200
    asked = here.post("/account/sessions/")
    assert asked["Location"].startswith("/account/reauthenticate/?next=")
    assert there.get("/me/").status_code == 200
    here.post(asked["Location"], {"password": PASSWORD})
    assert there.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200
    # Nor is there another cookie, such as for what a page tells once.
    assert set(here.cookies) == {settings.SESSION_COOKIE_NAME}


def test_signing_out_clears_what_the_browser_kept(province: Province, appoint: Appoint, signed_in: SignedIn) -> None:
    client = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    assert client.post("/account/logout/").headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.timeout(600)  # a program is started
def test_over_tls_cookies_belong_to_this_host_alone(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text("behind_tls = true\n")
    look = (
        "import sys; from pathlib import Path; from xomyen.cli.centre import prepare_centre;"
        "prepare_centre(Path(sys.argv[1])); from django.test import Client;"
        "browser = Client(headers={'Host': 'localhost', 'X-Forwarded-Proto': 'https'});"
        "answer = browser.post('/language/setlang/', {'language': 'en'});"
        "browser.get('/pair/'); answer = browser.get('/account/login/');"
        "print(*(cookie.OutputString() for cookie in browser.cookies.values()), sep='\\n');"
        "print(answer.headers['Strict-Transport-Security'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", look, tmp_path], capture_output=True, text=True, timeout=300, check=True, env=OWN
    )
    *cookies, policy = done.stdout.splitlines()
    assert policy == "max-age=31536000; includeSubDomains"
    assert {cookie.partition("=")[0].removeprefix("__Host-xomyen_") for cookie in cookies} == {
        "centre", "language", "screen",
    }  # fmt: skip
    for cookie in cookies:
        assert cookie.startswith("__Host-xomyen_")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_a_code_of_an_app_counts_once_for_all_processes(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    app = TOTP(TOTP.activate(person, generate_totp_secret()).instance)
    shown = code(decrypt(app.instance.data["secret"]))
    assert app.validate_code(shown)
    # What was used is in the database, where another process looks.
    assert Remembered.objects.count() == 1
    assert not app.validate_code(shown)
    Remembered.objects.all().delete()
    assert app.validate_code(shown)


def test_attempts_are_counted_in_the_database_under_keys_that_tell_nothing(db: None, client: Client) -> None:
    client.post("/account/login/", {"login": "khong.co", "password": "sai"})
    counted = Remembered.objects.values_list("key", flat=True)
    assert counted
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in counted)


def test_what_is_remembered_ends_and_is_told_to_one_alone(db: None) -> None:
    assert isinstance(cache._connections[cache._alias], SharedCache)
    assert cache.add("a", [1.5], 60)
    assert not cache.add("a", [2.5], 60)
    assert cache.get("a") == [1.5]
    cache.set("a", "khác", 60)
    assert cache.touch("a", 30)
    assert cache.get("a") == "khác"
    cache.set("a", 1, -1)
    assert cache.get("a", "nothing") == "nothing"
    assert not cache.touch("a")
    assert cache.add("a", 2, None)
    assert cache.get("a") == 2
    assert cache.delete("a")
    assert not cache.delete("a")
    with pytest.raises(TypeError):
        cache.set("a", object())
