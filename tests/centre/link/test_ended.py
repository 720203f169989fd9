"""Tickets in hand end with what gave them: nodes are told at once, or when they are back, and once is enough."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone
from tests.centre.accounts.conftest import just_signed_in
from tests.centre.conftest import Appoint, Province, make_camera
from tests.centre.link.conftest import RealNode

from xomyen.access.errors import TicketRevoked
from xomyen.access.store import AccessStore
from xomyen.access.tickets import TicketChecker
from xomyen.centre.accounts import people, screens, services
from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.bus import bus
from xomyen.centre.link.ended import ended, one_round
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import ending
from xomyen.centre.watch.models import AccessEnd, TicketsAt
from xomyen.centre.watch.narrowing import LONGEST
from xomyen.centre.watch.services import watched
from xomyen.centre.watch.tickets import Use, Wish, give
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import SystemClock

SignedIn = Callable[[User], Client]
Counts = Callable[[str], bool]
_LATER = datetime.timedelta(minutes=20)


@pytest.fixture
def camera(registered: Node, province: Province) -> Camera:
    """The one on the real node."""
    return make_camera(province.group, registered, "C31", "Ngã ba chợ")


@pytest.fixture
def counts(camera: Camera, real_node: RealNode, issuer_key: SigningKey) -> Counts:
    """Whether the node takes a ticket, by what lies on its disk."""

    def taken(token: str) -> bool:
        with AccessStore(real_node.folder.access, SystemClock()) as store:
            try:
                TicketChecker(real_node.id, [issuer_key.public], SystemClock(), store).read(token)
            except TicketRevoked:
                return False
            return True

    return taken


@pytest.fixture
def officer(province: Province, appoint: Appoint) -> User:
    return appoint(Role.DUTY_OFFICER, unit=province.commune)


@pytest.fixture
def head(province: Province, appoint: Appoint) -> User:
    return appoint(Role.POLICE_HEAD, unit=province.commune)


def _ticket(person: Any, camera: Camera) -> str:
    (given,) = give(person, watched(person).filter(pk=camera.pk), Wish(Use.LIVE)).tickets
    return given.token


def _notes(action: str) -> list[Pending]:
    return list(Pending.objects.filter(action=action))


def test_locking_a_person_ends_their_tickets_at_the_node_and_nobody_elses(
    camera: Camera, counts: Counts, officer: User, head: User
) -> None:
    token, other = _ticket(officer, camera), _ticket(head, camera)
    services.lock(officer)
    ended.finish()
    assert (counts(token), counts(other)) == (False, True)
    (note,) = _notes("tickets.ended")
    assert (note.thing, note.source or "centre") == (str(officer.pk), "centre")
    assert not ending.open_tickets().exists()


def test_signing_out_everywhere_else_ends_what_was_got_there_and_this_session_gets_its_own_anew(
    camera: Camera, counts: Counts, officer: User, signed_in: SignedIn
) -> None:
    here, there = signed_in(officer), signed_in(officer)
    for client in (here, there):
        just_signed_in(client, officer)
    token = _ticket(officer, camera)
    UserSession.objects.create(
        user=officer, session_key=there.session.session_key, ip="192.0.2.1", last_seen_at=timezone.now()
    )
    assert here.post("/account/sessions/").status_code == 302
    ended.finish()
    assert not counts(token)
    assert there.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200
    (note,) = _notes("session.ended_everywhere")
    assert (note.person, note.thing) == (str(officer.pk), str(officer.pk))


def test_a_screen_that_is_turned_off_ends_at_the_node(
    camera: Camera, counts: Counts, head: User, province: Province
) -> None:
    screen, _ = screens.begin("192.0.2.7")
    screens.confirm(head, screen, "TV", province.group)
    token = _ticket(PairedScreen.objects.get(pk=screen.pk), camera)
    screens.revoke(head, PairedScreen.objects.get(pk=screen.pk))
    ended.finish()
    assert not counts(token)


def test_a_camera_that_is_no_longer_public_ends_at_the_node_for_a_screen_and_goes_on_for_officers(
    camera: Camera, counts: Counts, head: User, officer: User, province: Province
) -> None:
    screen, _ = screens.begin("192.0.2.7")
    screens.confirm(head, screen, "TV", province.group)
    shown, looked = _ticket(PairedScreen.objects.get(pk=screen.pk), camera), _ticket(officer, camera)
    camera.is_public = False
    camera.save()
    ended.finish()
    assert (counts(shown), counts(looked)) == (False, True)


def test_a_role_that_ends_takes_the_tickets_along_and_what_is_left_gives_new_ones(
    camera: Camera, counts: Counts, officer: User, head: User, province: Province, appoint: Appoint
) -> None:
    appoint(Role.SECURITY_TEAM, person=officer, unit=province.group)
    token = _ticket(officer, camera)
    people.end(head, Appointment.objects.get(user=officer, role=Role.DUTY_OFFICER))
    ended.finish()
    assert not counts(token)
    # As it is a second later: tickets bear whole seconds.
    AccessEnd.objects.update(at=timezone.now() - datetime.timedelta(seconds=2))
    assert [one.actions for one in give(officer, watched(officer).filter(pk=camera.pk), Wish(Use.LIVE)).tickets]


def test_a_node_that_is_away_is_told_when_it_returns_and_the_page_says_that_it_was_not_reached(
    camera: Camera, counts: Counts, real_node: RealNode, officer: User, head: User, signed_in: SignedIn
) -> None:
    token = _ticket(officer, camera)
    real_node.go_away()
    services.lock(officer)
    ended.finish()
    one_round()
    assert counts(token)
    page = signed_in(head).get(f"/people/{officer.pk}/").content.decode()
    assert "Đầu ghi thật" in page
    real_node.start()
    bus.close()  # which else waits a second before it tries again
    one_round()
    assert not counts(token)
    assert "Đầu ghi thật" not in signed_in(head).get(f"/people/{officer.pk}/").content.decode()


def test_a_node_that_was_started_anew_still_refuses(
    camera: Camera, counts: Counts, real_node: RealNode, officer: User
) -> None:
    token = _ticket(officer, camera)
    services.sign_out_everywhere(officer)
    ended.finish()
    real_node.go_away()
    real_node.start()
    assert not counts(token)


def test_what_is_told_twice_is_noted_once(camera: Camera, counts: Counts, officer: User) -> None:
    _ticket(officer, camera)
    services.lock(officer)
    ended.finish()
    TicketsAt.objects.update(told=None)  # as when the centre ends between the answer and keeping it
    told = ending.to_tell(camera.node_id, 10)
    one_round()
    ending.acknowledged(camera.node, told)  # another process had told it too
    assert len(_notes("tickets.ended")) == 2


def test_a_ticket_made_while_rights_end_is_older_than_the_end(
    camera: Camera, counts: Counts, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xomyen.centre.watch import tickets

    def locked_meanwhile(person: User) -> Any:
        found = ending.as_of_now(person)
        services.lock(User.objects.get(pk=person.pk))
        return found

    monkeypatch.setattr(tickets, "as_of_now", locked_meanwhile)
    token = _ticket(officer, camera)
    one_round()
    assert not counts(token)
    monkeypatch.undo()
    assert not give(officer, watched(officer), Wish(Use.LIVE)).tickets


def test_a_person_without_tickets_is_told_to_nobody(officer: User, registered: Node) -> None:
    services.lock(officer)
    assert ending.waiting() == []


def test_what_has_run_out_is_dropped_and_an_end_that_no_node_heard_of_is_noted(
    camera: Camera, real_node: RealNode, officer: User
) -> None:
    _ticket(officer, camera)
    real_node.go_away()
    services.lock(officer)
    ended.finish()
    over = timezone.now() - LONGEST - _LATER
    TicketsAt.objects.update(begun=over, until=over)
    AccessEnd.objects.update(at=over)
    one_round()
    assert not TicketsAt.objects.exists()
    assert not AccessEnd.objects.exists()
    (note,) = _notes("tickets.ran_out")
    assert note.thing == str(officer.pk)


def test_many_requests_of_one_page_keep_one_row(camera: Camera, officer: User) -> None:
    first = _ticket(officer, camera)
    second = _ticket(officer, camera)
    assert first != second
    assert TicketsAt.objects.count() == 1
