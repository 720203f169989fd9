"""A program that speaks for a person."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.centre.conftest import Appoint, Province
from tests.centre.link.conftest import RealNode as RealNode
from tests.centre.link.conftest import real_node as real_node
from tests.centre.link.conftest import registered as registered

from xomyen.centre.accounts.models import User
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import make_token
from xomyen.centre.permissions.roles import Role

DAY = datetime.timedelta(days=1)


class Program:
    """Calls the API with a token."""

    def __init__(self, token: str, **headers: str) -> None:
        self.token = token
        self._client = Client()
        self._headers = {"Authorization": f"Bearer {token}"} | headers

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self._client.get(f"/api/v1/{path}", query, headers=self._headers | headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = b"" if body is None else json.dumps(body, default=str).encode()
        return self._client.generic(
            method, f"/api/v1/{path}", data, content_type="application/json", headers=self._headers | headers
        )


@pytest.fixture
def program() -> Callable[..., Program]:
    """`program(person)` may do all that the person may; `scopes` narrows it."""

    def made(person: User, scopes: Any = tuple(Scope), **headers: str) -> Program:
        return Program(make_token(person, "Thử", scopes, DAY, strong=True)[1], **headers)

    return made


@pytest.fixture
def head(province: Province, appoint: Appoint, program: Callable[..., Program]) -> Program:
    """The head of the commune's police."""
    return program(appoint(Role.POLICE_HEAD, unit=province.commune), **{"Accept-Language": "en"})


def refused(answer: Any, status: int, code: str) -> None:
    """Asserts that this is the problem."""
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:xomyen:{code}"), answer.content
