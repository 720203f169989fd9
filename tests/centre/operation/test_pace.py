"""Nobody takes pages or lists away by the thousand."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.api.conftest import DAY
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import make_token
from xomyen.centre.audit.models import Pending
from xomyen.centre.operation import pace
from xomyen.centre.operation.pace import Pace
from xomyen.centre.permissions.roles import Role


class Clock:
    """Stands until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """One that counts three requests a minute."""
    made = Clock()
    monkeypatch.setattr(pace, "PACE", Pace(3, made))
    return made


def test_a_bucket_fills_again_and_is_each_ones_own() -> None:
    clock = Clock()
    counted = Pace(60, clock)
    assert [counted.take("a") for _ in range(60)] == [None] * 60
    refused = counted.take("a")
    assert refused is not None
    assert (refused.seconds, refused.first) == (1, True)
    assert counted.take("b") is None
    clock.now += 1
    assert counted.take("a") is None
    again = counted.take("a")
    assert again is not None
    assert not again.first
    clock.now += 60
    assert [counted.take("a") for _ in range(60)] == [None] * 60
    later = counted.take("a")
    assert later is not None
    assert later.first


def test_of_those_who_ask_the_longest_silent_is_forgotten() -> None:
    counted = Pace(1, Clock(), kept=2)
    assert [counted.take(one) for one in ("a", "b", "c", "a")] == [None] * 4
    assert counted.take("c") is not None


def test_pages_asked_for_too_fast_are_refused_for_a_while_and_the_log_says_so_once(
    province: Province, appoint: Appoint, signed_in: Callable[[User], Client], clock: Clock
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    client = signed_in(person)
    assert [client.get("/me/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = client.get("/me/", headers={"Accept-Language": "vi"})
    assert refused["Retry-After"] == "20"
    assert "Quá nhiều yêu cầu" in refused.content.decode()
    assert Pending.objects.filter(action="page.slowed", person=str(person.pk)).count() == 1
    # Others, and who has yet to sign in, wait for nobody.
    assert signed_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/me/").status_code == 200
    assert {Client().get("/account/login/").status_code for _ in range(5)} == {200}
    clock.now += 20
    assert client.get("/me/").status_code == 200


def test_what_pages_fetch_by_themselves_takes_no_page_from_anybody(
    province: Province, appoint: Appoint, signed_in: Callable[[User], Client], clock: Clock
) -> None:
    client = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    assert {client.get("/watch/map/tiles").status_code for _ in range(5)} == {404}  # this centre has no map
    renewed = [client.post("/watch/tickets", '{"use": "live"}', "application/json").status_code for _ in range(4)]
    assert renewed == [200, 200, 200, 429]
    assert [client.get("/me/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/watch/map/tiles").status_code == 404


def test_all_tokens_of_a_person_ask_as_one(province: Province, appoint: Appoint, clock: Clock) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    tokens = [make_token(person, name, list(Scope), DAY)[1] for name in ("một", "hai")]
    answers = [
        Client().get("/api/v1/cameras", headers={"Authorization": f"Bearer {token}"}) for token in (*tokens, *tokens)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (answers[-1]["Retry-After"], answers[-1]["Content-Type"]) == ("20", "application/problem+json")
    assert answers[-1].json()["type"] == "urn:xomyen:too_many"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_session_is_told_by_the_api_what_a_token_is_told(
    province: Province, appoint: Appoint, signed_in: Callable[[User], Client], clock: Clock, language: str
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    bearer = f"Bearer {make_token(person, 'một', list(Scope), DAY)[1]}"
    session, headers = signed_in(person), {"Accept-Language": language}
    asked = [session.get("/api/v1/cameras", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [401, 401, 401, 429]  # it counts for nothing there
    of_token = Client().get("/api/v1/cameras", headers={**headers, "Authorization": bearer})
    for one in (asked[-1], of_token):
        assert (one["Content-Type"], one["Retry-After"]) == ("application/problem+json", "20")
    assert asked[-1].json() == of_token.json()
    described = Client().get("/api/v1/openapi.json").json()
    documented = described["components"]["schemas"]["ProblemSchema"]["properties"]
    assert set(asked[-1].json()) == set(documented)
    assert "429" in described["paths"]["/api/v1/cameras"]["get"]["responses"]
    words = {"vi": "chờ 20 giây", "en": "wait 20 s"}
    assert words[language] in asked[-1].json()["detail"]
