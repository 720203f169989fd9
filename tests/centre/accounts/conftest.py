"""People on their way in."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal import auth
from django.test import Client

from xomyen.centre.accounts.models import User

PASSWORD = "mua-xuan-tren-de-song-cau"


def just_signed_in(client: Client, person: User) -> None:
    """Notes in the session what allauth notes of a password just typed."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()


@pytest.fixture(autouse=True)
def one_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """In which a code of an app is made and typed: it counts in no other."""
    now = time.time()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: now))


@pytest.fixture
def weakly_in() -> Callable[[User], Client]:
    """A test client with a session that rests on a password alone."""

    def client(person: User) -> Client:
        made = Client()
        made.force_login(person, "django.contrib.auth.backends.ModelBackend")
        just_signed_in(made, person)
        return made

    return client
