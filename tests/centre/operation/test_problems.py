"""Pages for what went wrong say what happened and what to do."""

import datetime
from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.conftest import Province

from xomyen.centre.accounts.models import User
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import make_token
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.words import Kind, kind_of
from xomyen.centre.audit.writer import chain_pending


@pytest.mark.parametrize(("language", "told"), [("vi", "Trung tâm không nhận ra địa chỉ này"), ("en", "does not know")])
def test_a_name_that_the_centre_does_not_know_gets_a_page_that_says_what_to_do(language: str, told: str) -> None:
    answer = Client().get("/", headers={"host": "camera.xa.example:8450", "accept-language": language})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert told in page
    assert "camera.xa.example" in page
    assert "centre.toml" in page
    assert "Content-Security-Policy" in answer.headers


def test_a_name_with_markup_is_shown_as_text() -> None:
    page = Client().get("/", headers={"host": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_an_address_without_anything_leads_home(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(appoint("duty_officer", unit=province.commune)).get("/no/such/page/")
    assert answer.status_code == 404
    assert "Không tìm thấy trang" in answer.content.decode()
    assert 'href="/"' in answer.content.decode()


def test_who_asks_for_what_their_role_does_not_allow_is_in_the_log(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    person = appoint("security_team", unit=province.commune)
    assert signed_in(person).get("/regulations/enact/").status_code == 403
    secret = make_token(person, "Thử", ["audit:read"], datetime.timedelta(days=1))[1]
    assert Client().get("/api/v1/audit", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    chain_pending()
    found = list(Record.objects.filter(action="page.refused").order_by("sequence"))
    assert [(one.person, one.details["detail"]) for one in found] == [
        (str(person.pk), "GET /regulations/enact/"),
        (str(person.pk), "GET /api/v1/audit"),
    ]
    assert {kind_of(one.action) for one in found} == {Kind.REFUSED}


def test_programs_get_problem_json() -> None:
    answer = Client().get("/api/none", headers={"host": "elsewhere.example", "accept-language": "en"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 400


def test_a_form_without_its_token_is_told_to_be_loaded_anew(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {"login": "a"}, headers={"accept-language": "en"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()


def test_a_fault_of_ours_is_told_without_what_it_was(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("allauth.account.views.LoginView.get", broken)
    answer = Client(raise_request_exception=False).get("/account/login/", headers={"accept-language": "en"})
    assert answer.status_code == 500
    assert "xomyen doctor" in answer.content.decode()
    assert "a secret of ours" not in answer.content.decode()


def test_a_text_that_is_too_long_to_be_sent_is_told(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    head = signed_in(appoint("police_head", unit=province.commune))
    answer = head.post("/regulations/enact/", {"text": "a" * (2 << 20)})
    assert answer.status_code == 413
    assert "tối đa 2 MB" in answer.content.decode()


def test_who_tries_a_password_too_often_is_told_to_wait(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(appoint("group_head", unit=province.group))
    answers = [browser.post("/account/password/set/", {"password1": "x"}) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert "đợi một phút" in answers[-1].content.decode()


def test_a_page_is_kept_by_no_browser(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(appoint("group_head", unit=province.group))
    assert browser.get("/me/").headers["Cache-Control"] == "no-store"
    assert "no-store" in browser.get("/no/such/page/").headers["Cache-Control"]


@pytest.mark.parametrize(
    ("address", "status"),
    [("/people/?q=%00", 400), ("/cameras/?q=cong%00", 400), ("/units/%00/", 400), ("/api/v1/nodes?q=%00", 422)],
)
def test_a_text_that_no_database_has_is_told_to_who_sent_it(
    province: Province, appoint: Callable[..., User], signed_in: Callable[[User], Client], address: str, status: int
) -> None:
    person = appoint("administrator", unit=province.province)
    secret = make_token(person, "Thử", Scope.values, datetime.timedelta(days=1), strong=True)[1]
    bearer = {"Authorization": f"Bearer {secret}"} if address.startswith("/api/") else {}
    answer = signed_in(person).get(address, headers=bearer)
    assert answer.status_code == status
    assert bool(bearer) or "Yêu cầu không hợp lệ" in answer.content.decode()
