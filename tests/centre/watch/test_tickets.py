"""The tickets that the centre issues say what the role says, and nodes refuse what lies beyond."""

import datetime
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.access.errors import ActionNotAllowed, CameraNotAllowed, SpanNotAllowed, WidthNotAllowed
from xomyen.access.tickets import TicketChecker
from xomyen.centre.accounts.models import User
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.desired import wanted
from xomyen.centre.cameras.models import Acceptance, Camera, Node
from xomyen.centre.permissions.roles import RULES, Role
from xomyen.centre.watch.services import origin_of, watched
from xomyen.centre.watch.tickets import LIFETIME_S, TAKING_S, Given, Use, Wish, give, subject_of
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import NS_PER_SECOND, SystemClock

SignedIn = Callable[[User], Client]
HOUR_NS = 3600 * NS_PER_SECOND


class _Nothing:
    def is_revoked(self, _ticket: str) -> bool:
        return False

    def is_ended(self, _subject: str, _issued_s: int) -> bool:
        return False


@pytest.fixture
def checker(issuer_key: SigningKey) -> Callable[[Node], TicketChecker]:
    """A node's own check of tickets."""
    return lambda node: TicketChecker(str(node.pk), [issuer_key.public], SystemClock(), _Nothing())


def _given(person: User, use: Use = Use.LIVE, **wish: Any) -> Given:
    return give(person, watched(person), Wish(use, **wish))


def _take(length_ns: int, ago_ns: int = 0) -> Wish:
    to_ns = SystemClock().wall_ns() - ago_ns
    return Wish(Use.TAKE, "", to_ns - length_ns, to_ns)


def _claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_a_duty_officer_gets_one_ticket_for_each_node_and_no_camera_of_elsewhere(
    province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    given = _given(person)
    assert [one.node.name for one in given.tickets] == [province.node.name]
    claims = _claims(given.tickets[0].token)
    assert set(claims["cameras"]) == {str(one.pk) for one in (province.public, province.private, province.neighbour)}
    assert claims["actions"] == ["live"]
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (f"user:{person.pk}", LIFETIME_S)
    assert person.full_name not in json.dumps(claims, ensure_ascii=False)
    above = appoint(Role.COMMAND_CENTRE, unit=province.province)
    assert {one.node.name for one in _given(above).tickets} == {province.node.name, province.other_node.name}


def test_the_head_of_a_group_gets_reduced_live_pictures_of_public_cameras_and_the_node_refuses_the_rest(
    province: Province, appoint: Appoint, checker: Callable[[Node], TicketChecker]
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    rows = Camera.objects.select_related("site", "node", "camera_class")
    for use in (Use.LIVE, Use.PAST):
        assert [one.actions for one in give(person, rows, Wish(use)).tickets] == [("live",)]
    assert give(person, rows.filter(pk=province.public.pk), _take(HOUR_NS)).tickets == []
    token, check = _given(person).tickets[0].token, partial(checker(province.node).check, masked=True)
    now = SystemClock().wall_ns()
    own = str(province.public.pk)
    check(token, "live", own, from_ns=now, to_ns=now, width=640)
    with pytest.raises(WidthNotAllowed):
        check(token, "live", own, from_ns=now, to_ns=now, width=1280)
    for action in ("past", "clip"):
        with pytest.raises(ActionNotAllowed):
            check(token, action, own, from_ns=now - HOUR_NS, to_ns=now, width=640)
    for other in (province.private, province.neighbour, province.secret):
        with pytest.raises(CameraNotAllowed):
            check(token, "live", str(other.pk), from_ns=now, to_ns=now, width=640)


def test_the_security_team_may_keep_what_it_sees_now_and_has_no_past(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.SECURITY_TEAM, unit=province.group)
    given = give(person, Camera.objects.select_related("site", "node", "camera_class"), Wish(Use.PAST))
    assert {one.actions for one in given.tickets} == {("live", "still")}
    assert _claims(given.tickets[0].token)["width"] == 1280
    assert "from_ns" not in _claims(given.tickets[0].token)
    # Whoever looks back has stills of any time among it.
    officer = appoint(Role.DUTY_OFFICER, unit=province.group)
    assert {one.actions for one in _given(officer, Use.PAST).tickets} == {("live", "past", "clip")}


def test_a_role_with_a_reach_into_the_past_gets_no_further(
    province: Province, appoint: Appoint, checker: Callable[[Node], TicketChecker], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RULES[Role.DUTY_OFFICER]
    hour = type(rule.pictures)(past=datetime.timedelta(hours=1), greatest_width=1280)
    monkeypatch.setitem(RULES, Role.DUTY_OFFICER, type(rule)(rule.actions, hour))
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    token, check = _given(person, Use.PAST).tickets[0].token, partial(checker(province.node).check, masked=True)
    now = SystemClock().wall_ns()
    check(token, "past", str(province.public.pk), from_ns=now - HOUR_NS // 2, to_ns=now, width=640)
    with pytest.raises(SpanNotAllowed):
        check(token, "past", str(province.public.pk), from_ns=now - 2 * HOUR_NS, to_ns=now, width=640)


def test_the_past_of_some_cameras_is_shown_to_those_who_say_what_for(province: Province, appoint: Appoint) -> None:
    kept = province.public.camera_class
    kept.past_needs_purpose = True
    kept.save()
    person = appoint(Role.INVESTIGATOR, unit=province.commune)
    silent = _given(person, Use.PAST)
    assert str(province.public.pk) in silent.needs_purpose
    assert {one.actions for one in silent.tickets} == {("live",)}
    assert not give(person, watched(person).filter(pk=province.public.pk), _take(HOUR_NS)).tickets
    told = _given(person, Use.PAST, purpose="Xác minh vụ 0138")
    assert not told.needs_purpose
    (ticket,) = told.tickets
    assert set(ticket.actions) == {"live", "past", "clip"}
    assert _claims(ticket.token)["purpose"] == "Xác minh vụ 0138"


def test_a_ticket_to_take_footage_is_for_that_stretch_of_that_camera_alone(
    province: Province, appoint: Appoint, checker: Callable[[Node], TicketChecker]
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    wish = _take(HOUR_NS)
    (ticket,) = give(person, watched(person).filter(pk=province.public.pk), wish).tickets
    assert _claims(ticket.token)["actions"] == ["clip"]
    check, own, span = (
        partial(checker(province.node).check, masked=True),
        str(province.public.pk),
        {"from_ns": wish.from_ns, "width": 1},
    )
    check(ticket.token, "clip", own, to_ns=wish.to_ns, **span)
    for wider in ({"from_ns": wish.from_ns - 1}, {"to_ns": wish.to_ns + 1}):
        with pytest.raises(SpanNotAllowed):
            check(ticket.token, "clip", own, **{**span, "to_ns": wish.to_ns, **wider})
    with pytest.raises(CameraNotAllowed):
        check(ticket.token, "clip", str(province.private.pk), to_ns=wish.to_ns, **span)


@pytest.mark.parametrize(
    ("length_s", "life_s"), [(30, LIFETIME_S + 30), (7200, LIFETIME_S + 7200), (24 * 3600, TAKING_S)]
)
def test_a_ticket_to_take_footage_lasts_as_long_as_a_slow_line_takes_for_its_stretch(
    province: Province, appoint: Appoint, length_s: int, life_s: int
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    (ticket,) = give(person, watched(person)[:1], _take(length_s * NS_PER_SECOND)).tickets
    claims = _claims(ticket.token)
    assert claims["exp"] - claims["iat"] == life_s


def test_footage_beyond_the_reach_of_a_role_is_not_taken(
    province: Province, appoint: Appoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RULES[Role.DUTY_OFFICER]
    hour = type(rule.pictures)(past=datetime.timedelta(hours=1))
    monkeypatch.setitem(RULES, Role.DUTY_OFFICER, type(rule)(rule.actions, hour))
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    assert give(person, watched(person)[:1], _take(HOUR_NS, ago_ns=2 * HOUR_NS)).tickets == []


def test_cameras_with_private_zones_are_asked_for_masked(province: Province, appoint: Appoint) -> None:
    province.public.masks = [[[0, 0], [0.2, 0], [0.2, 0.2]]]
    province.public.save()
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    masks = {one.cameras: _claims(one.token)["mask"] for one in _given(person).tickets}
    assert masks == {(str(province.public.pk),): "required", (str(province.private.pk),): "masked"}


def test_a_camera_whose_node_has_older_masks_is_shown_to_nobody_until_it_has_the_new_ones(
    province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.group)
    camera = province.public
    camera.masks = [[[0, 0], [0.2, 0], [0.2, 0.2]]]
    mine = wanted(camera)
    assert mine is not None
    camera.in_force = mine.model_dump(mode="json")
    camera.save()
    both = {str(camera.pk), str(province.private.pk)}
    assert {key for one in _given(person).tickets for key in one.cameras} == both
    camera.masks = [*camera.masks, [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9]]]
    camera.save()
    for use in (Use.LIVE, Use.PAST):
        assert {key for one in _given(person, use).tickets for key in one.cameras} == {str(province.private.pk)}
    # Fewer are no danger: the node covers more than it need.
    camera.masks = []
    camera.save()
    assert {key for one in _given(person).tickets for key in one.cameras} == both


def test_a_page_that_renews_finds_its_tickets_under_the_same_names(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.SECURITY_TEAM, unit=province.commune)
    first, second = _given(person, Use.PAST), _given(person, Use.PAST)
    assert [one.group for one in first.tickets] == [one.group for one in second.tickets]
    assert first.tickets[0].token != second.tickets[0].token
    assert len({one.group for one in _given(appoint(Role.COMMAND_CENTRE, unit=province.province)).tickets}) == 2


def test_retired_cameras_and_those_without_a_node_are_not_watched(province: Province, appoint: Appoint) -> None:
    province.private.acceptance = Acceptance.RETIRED
    province.private.save()
    province.neighbour.node = None
    province.neighbour.save()
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    assert list(watched(person)) == [province.public]


def test_the_page_asks_for_tickets_and_gets_those_of_the_cameras_it_may_see(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    client = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))

    def ask(**body: Any) -> Any:
        return client.post("/watch/tickets", json.dumps(body), content_type="application/json")

    both = ask(use="live", cameras=[str(province.public.pk), str(province.secret.pk)])
    assert both.headers["Cache-Control"] == "no-store"
    (ticket,) = both.json()["tickets"]
    assert (ticket["cameras"], ticket["address"]) == ([str(province.public.pk)], "http://testserver:8460")
    # One that exists elsewhere and one that does not exist are told apart by nothing.
    hidden, absent = (
        ask(use="live", cameras=[str(province.secret.pk)]),
        ask(use="live", cameras=[str(province.node.pk)]),
    )
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert ask(use="forever").status_code == 422
    assert client.get("/watch/tickets").status_code == 405
    assert client.get(f"/camera/{province.public.pk}").status_code == 200
    assert client.get(f"/camera/{province.secret.pk}").status_code == 404


def test_a_page_takes_one_stretch_of_one_camera_at_a_time_and_that_is_recorded(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = signed_in(person)
    one, both = [str(province.public.pk)], [str(province.public.pk), str(province.private.pk)]
    end = SystemClock().wall_ns() // 1_000_000
    span, day = {"from_ms": end - 60_000, "to_ms": end}, 24 * 3_600_000

    def ask(**body: Any) -> Any:
        wish = {"use": "take", "purpose": "Xác minh vụ 0138", **body}
        return client.post("/watch/tickets", json.dumps(wish), content_type="application/json")

    refusals: list[tuple[dict[str, Any], str]] = [
        ({}, "one_camera_at_a_time"),
        (span, "one_camera_at_a_time"),
        ({"cameras": [], **span}, "one_camera_at_a_time"),
        ({"cameras": both, **span}, "one_camera_at_a_time"),
        ({"cameras": one}, "span_is_missing"),
        ({"cameras": one, "from_ms": end}, "span_is_missing"),
        ({"cameras": one, "to_ms": end}, "span_is_missing"),
        ({"cameras": one, "from_ms": end, "to_ms": end}, "span_is_empty"),
        ({"cameras": one, "from_ms": end - day - 1, "to_ms": end}, "span_is_too_long"),
        ({"use": "past", "cameras": one, "from_ms": end, "to_ms": end - 1}, "span_is_empty"),
    ]
    for wish, code in refusals:
        refused = ask(**wish)
        assert (refused.status_code, refused.json()["code"]) == (422, code), wish
    assert ask(cameras=[str(province.secret.pk)], **span).status_code == 404
    assert not Pending.objects.filter(action="ticket.issued").exists()
    (ticket,) = ask(cameras=one, **span).json()["tickets"]
    assert (ticket["cameras"], ticket["actions"]) == (one, ["clip"])
    row = Pending.objects.get(action="ticket.issued")
    assert (row.person, row.thing, row.purpose) == (str(person.pk), one[0], "Xác minh vụ 0138")
    nanoseconds = {"from_ns": span["from_ms"] * 1_000_000, "to_ns": span["to_ms"] * 1_000_000}
    assert json.loads(row.details_json) == {"actions": ["clip"], **nanoseconds}


def test_pages_with_pictures_are_for_those_who_may_see_some(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    assert signed_in(appoint(Role.ADMINISTRATOR, unit=province.commune)).get("/live").status_code == 403
    page = signed_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/live")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "http://testserver:8460 ws://testserver:8460" in policy
    assert "8461" not in policy


def test_tickets_for_many_cameras_take_no_more_questions_than_for_few(
    province: Province, appoint: Appoint, django_assert_max_num_queries: Any
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    for number in range(30):
        make_camera(province.group, province.node, f"N{number}", f"Ngõ {number}")
    with django_assert_max_num_queries(8):
        (ticket,) = _given(person).tickets
    assert len(ticket.cameras) == 33


def test_somebody_is_named_by_an_id_alone(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    assert subject_of(person) == f"user:{person.pk}"


def test_the_content_policy_of_a_province_names_its_nodes_by_scheme_where_there_are_too_many(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.COMMAND_CENTRE, unit=province.province)
    for number in range(60):
        node = Node.objects.create(unit=province.commune, name=f"N{number}", address=f"https://n{number}.example:8460")
        make_camera(province.group, node, f"P{number}", f"Ngõ {number}")
    policy = signed_in(person).get("/live").headers["Content-Security-Policy"]
    assert "https: http://testserver:8460" in policy
    assert "wss:" in policy
    assert len(policy) < 2000


@pytest.mark.parametrize(
    ("address", "host", "origin"),
    [
        ("http://127.0.0.1:8460", "127.0.0.1:8450", "http://127.0.0.1:8460"),
        ("http://127.0.0.1:8460", "localhost:8450", "http://127.0.0.1:8460"),
        ("http://127.0.0.1:8460", "192.168.1.5:8450", "http://192.168.1.5:8460"),
        ("https://localhost:8460/", "[2001:db8::5]", "https://[2001:db8::5]:8460"),
        ("https://camera.xa.example:8460", "192.168.1.5:8450", "https://camera.xa.example:8460"),
    ],
)
def test_a_node_on_the_same_box_is_reached_under_the_name_by_which_the_centre_was(
    address: str, host: str, origin: str
) -> None:
    assert origin_of(address, host) == origin
