"""What every page of the centre has: headers, a way round that fits the person, and nothing without signing in."""

import json

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.permissions.roles import Role


def test_every_answer_forbids_foreign_scripts_and_frames(client: Client, db: None) -> None:
    answer = client.get("/account/login/")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/people/", "/me/"])
def test_nobody_comes_in_without_signing_in(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/")


def test_a_foreign_host_name_is_refused(client: Client, db: None) -> None:
    assert client.get("/account/login/", headers={"Host": "evil.example"}).status_code == 400


def test_a_change_without_the_forms_token_is_refused(province: Province, appoint: Appoint) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(appoint(Role.POLICE_HEAD, unit=province.commune), "django.contrib.auth.backends.ModelBackend")
    assert strict.post("/account/logout/").status_code == 403


def test_a_phone_may_put_the_centre_on_its_home_screen(client: Client, db: None) -> None:
    page = client.get("/account/login/").content.decode()
    assert '<link rel="manifest" href="/static/manifest.webmanifest">' in page
    answer = client.get("/static/manifest.webmanifest")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    manifest = json.loads(b"".join(answer.streaming_content))
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    for icon in manifest["icons"]:
        found = client.get(icon["src"])
        assert (found.status_code, found.headers["Content-Type"]) == (200, icon["type"])
        found.close()
