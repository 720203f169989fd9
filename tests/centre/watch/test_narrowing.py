"""Rights that narrow end what rests on them, whatever narrowed; what widens, or concerns others, ends nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.centre.conftest import make_unit
from tests.centre.watch.rights import DAY, KEY, Place

from xomyen.access.errors import TicketRevoked
from xomyen.access.grants import GRANT
from xomyen.access.tickets import TICKET, Kind, TicketChecker
from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, Site
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Post, PostKind, Unit, UnitKind, UnitLink
from xomyen.centre.organisation.services import changes, handover, recording, registers
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import ending, tickets
from xomyen.centre.watch.models import AccessEnd, Narrowed, Reach, TicketsAt
from xomyen.centre.watch.services import watched
from xomyen.centre.watch.tickets import Use, Wish, give
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import NS_PER_SECOND, SystemClock


class _Shifted(SystemClock):
    """A clock that is so many seconds ahead."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead_ns = int(ahead_s * NS_PER_SECOND)

    def wall_ns(self) -> int:
        return super().wall_ns() + self._ahead_ns


class _Told:
    """What a node knows of ends."""

    def __init__(self) -> None:
        self.upto: dict[tuple[str, str], int] = {}
        for node in ending.waiting():
            for one in ending.to_tell(node, 100):
                self.upto[str(node), one.subject] = int(one.ended.timestamp())

    def at(self, node: str) -> Any:
        return _AtNode(node, self.upto)


@dataclass
class _AtNode:
    node: str
    upto: dict[tuple[str, str], int]

    def is_revoked(self, _ticket: str) -> bool:
        return False

    def is_ended(self, subject: str, issued_s: int) -> bool:
        return issued_s <= self.upto.get((self.node, subject), 0)


Change = Callable[[Place], Any]

ALL = {"officer", "at post", "chair", "group head", "above", "television", "post's screen"}
ABOVE = {"officer", "at post", "chair", "above", "post's screen"}  # who has the group by what is above it
LOOKING_BACK = {"officer", "at post", "above"}
PUBLIC_ALONE = {"group head", "television", "post's screen"}


def _save(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def _asks(place: Place) -> None:
    _save(CameraClass.objects.get(name="Công cộng"), past_needs_purpose=True)


def _handed_over(place: Place) -> None:
    group = place.province.group
    Unit.objects.filter(pk=group.pk).update(valid_to=today())
    handover.hand_over(group, place.province.other_commune, place.admin)


def _ends_soon(row: Any) -> None:
    _save(row, valid_to=today() + 3 * DAY)


def _moved_and_undone(place: Place) -> None:
    """Undoing takes away what the move had given."""
    moved = changes.move(place.province.group, place.province.other_commune, place.entry())
    ending.settle()
    AccessEnd.objects.all().delete()
    recording.undo(moved, place.admin)


NARROWS: dict[str, tuple[Change, set[str]]] = {
    "a camera is no longer public": (lambda at: at.camera(is_public=False), PUBLIC_ALONE),
    "a camera is suspended": (lambda at: at.camera(acceptance=Acceptance.SUSPENDED), PUBLIC_ALONE),
    "a camera is retired": (lambda at: at.camera(acceptance=Acceptance.RETIRED), ALL),
    "a camera goes to another node": (lambda at: at.camera(node=at.province.other_node), ALL),
    "a camera is taken from its node": (lambda at: at.camera(node=None), ALL),
    "a camera hangs in another unit": (lambda at: at.camera(site=at.extra["site"]), ALL),
    "a camera is removed": (lambda at: Camera.objects.get(pk=at.province.public.pk).delete(), ALL),
    "a camera asks what for": (lambda at: at.camera(camera_class=at.extra["asking"]), LOOKING_BACK),
    "a class asks what for": (_asks, {*LOOKING_BACK, "elsewhere"}),
    "a site lies in another unit": (
        lambda at: _save(at.site(), unit=at.province.other_commune),
        ALL,
    ),
    "matters are handed over": (_handed_over, ALL),
    "a unit moves": (lambda at: changes.move(at.province.group, at.province.other_commune, at.entry()), ABOVE),
    "a move is undone": (_moved_and_undone, {"above", "elsewhere"}),
    "a unit moves within days": (
        lambda at: changes.move(
            at.province.group, at.province.other_commune, recording.Entry(at.admin, today() + 3 * DAY)
        ),
        ABOVE,
    ),
    "a unit is merged": (
        lambda at: changes.merge([at.province.group], at.province.other_group, at.entry()),
        ABOVE,
    ),
    "a unit is closed": (
        # Whose unit takes over asks again, too: it is above from then on.
        lambda at: changes.close(at.province.commune, at.entry(), at.province.other_commune),
        {*ABOVE, "elsewhere"},
    ),
    "a place in the tree ends": (lambda at: _save(at.link(), valid_to=today()), ABOVE),
    "a place in the tree is removed": (lambda at: at.link().delete(), ABOVE),
    "a jurisdiction ends": (
        lambda at: registers.end_jurisdiction(at.admin, at.post_answers(), today()),
        {"at post", "post's screen"},
    ),
    "a jurisdiction ends within days": (lambda at: _ends_soon(at.post_answers()), {"at post", "post's screen"}),
    "a jurisdiction is removed": (lambda at: at.post_answers().delete(), {"at post", "post's screen"}),
    "a post answers for another unit": (
        lambda at: _save(at.post_answers(), unit=at.province.other_commune),
        {"at post", "post's screen"},
    ),
    "a post ends": (
        lambda at: registers.end_post(at.admin, at.post(), today()),
        {"at post", "post's screen"},
    ),
    "a post ends within days": (lambda at: _ends_soon(at.post()), {"at post", "post's screen"}),
    "a role ends": (lambda at: _save(at.role(), valid_to=today()), {"officer"}),
    "a role ends within days": (lambda at: _ends_soon(at.role()), {"officer"}),
    "a role is another": (lambda at: _save(at.role(), role=Role.SECURITY_TEAM), {"officer"}),
    "a role is held elsewhere": (lambda at: _save(at.role(), unit=at.province.other_commune), {"officer"}),
    "a screen ends": (lambda at: _save(at.screen(), valid_to=today()), {"television"}),
    "a screen ends within days": (lambda at: _ends_soon(at.screen()), {"television"}),
    "a screen hangs elsewhere": (lambda at: _save(at.screen(), unit=at.province.other_group), {"television"}),
}

WIDENS_OR_IS_ANOTHERS: dict[str, Change] = {
    "a camera becomes public": lambda at: _save(Camera.objects.get(pk=at.province.private.pk), is_public=True),
    "a camera is accepted": lambda at: _save(Camera.objects.get(pk=at.province.public.pk), name="Sân sau"),
    "a camera is called otherwise": lambda at: at.camera(name="Sân nhà văn hóa thôn"),
    "masks are drawn": lambda at: at.camera(masks=[[[0, 0], [0.2, 0], [0.2, 0.2]]]),
    "a camera hangs on another pole": lambda at: at.camera(
        site=Site.objects.create(unit=at.province.group, code="S-8", name="Cột 8")
    ),
    "a camera gets a node": lambda at: Camera.objects.create(
        site=at.extra["site"], code="C99", name="Bến", purpose="x", camera_class=at.extra["asking"]
    ),
    "a class asks no more": lambda at: _save(CameraClass.objects.get(name="Riêng"), past_needs_purpose=False),
    "a class keeps longer": lambda at: _save(CameraClass.objects.get(name="Công cộng"), retention_days=60),
    "a site is called otherwise": lambda at: _save(at.site(), name="Nhà văn hóa"),
    "a unit is set up": lambda at: changes.create(
        changes.Fresh(UnitKind.GROUP, "Thôn", "Hạ"), at.province.commune, at.entry()
    ),
    "a unit is called otherwise": lambda at: changes.rename(at.province.group, "Tổ dân phố", "Đông", at.entry()),
    "a unit is to move in a month": lambda at: changes.move(
        at.province.group, at.province.other_commune, recording.Entry(at.admin, today() + 30 * DAY)
    ),
    "a place in the tree that has not begun is removed": lambda at: UnitLink.objects.create(
        unit=at.province.group, parent=at.province.other_commune, valid_from=today() + DAY
    ).delete(),
    "a post answers for one more": lambda at: registers.add_jurisdiction(
        at.admin, at.post(), at.province.other_commune, today()
    ),
    "a post is called otherwise": lambda at: _save(at.post(), name="Trực ban"),
    "a post is to end in a year": lambda at: _save(at.post(), valid_to=today() + 365 * DAY),
    "a post without anybody ends": lambda at: _save(
        Post.objects.create(name="Cũ", kind=PostKind.POLICE), valid_to=today()
    ),
    "a role is given": lambda at: Appointment.objects.create(
        user=at.people["officer"], role=Role.POLICE_HEAD, unit=at.province.commune
    ),
    "a role is to end in a year": lambda at: _save(at.role(), valid_to=today() + 365 * DAY),
    "a person has a telephone": lambda at: _save(User.objects.get(pk=at.people["officer"].pk), phone="0912000001"),
    "a screen is called otherwise": lambda at: _save(at.screen(), name="TV sân"),
}


def _wishes(person: Any) -> list[Wish]:
    if isinstance(person, PairedScreen):
        return [Wish(Use.LIVE), Wish(Use.LIVE, device_key=KEY)]
    now = SystemClock().wall_ns()
    return [Wish(Use.LIVE), Wish(Use.PAST), Wish(Use.TAKE, "", now - 60 * NS_PER_SECOND, now)]


@dataclass(frozen=True)
class _Held:
    node: str
    token: str
    grant: bool


def _held(place: Place, clock: SystemClock, *names: str) -> dict[str, list[_Held]]:
    """All that everybody is given now, or some of them, by whom."""
    found: dict[str, list[_Held]] = {}
    for name in names or place.people:
        person = place.people[name]
        for wish in _wishes(person):
            now = ending.person_of(ending.subject_of(person))
            rows = watched(now, Action.CLIP)[:1] if wish.use is Use.TAKE else watched(now)
            for one in give(person, rows, wish, clock).tickets if rows else ():
                found.setdefault(name, []).append(_Held(str(one.node.pk), one.token, bool(wish.device_key)))
    return found


def _refused(held: dict[str, list[_Held]], told: _Told, key: SigningKey) -> set[str]:
    """Of whom nothing counts at the nodes any more; of everybody else all has to count."""
    found = set()
    for name, each in held.items():
        counts = set()
        for one in each:
            checker = TicketChecker(one.node, [key.public], _Shifted(3), told.at(one.node))
            kind: Kind[Any] = GRANT if one.grant else TICKET
            try:
                checker.read_as(kind, one.token)
                counts.add(True)
            except TicketRevoked:
                counts.add(False)
        assert len(counts) == 1, (name, counts)
        if counts == {False}:
            found.add(name)
    return found


def test_what_was_given_before_rights_narrowed_counts_no_more_and_what_is_given_after_does(
    place: Place, issuer_key: SigningKey
) -> None:
    before = _held(place, _Shifted(-2))
    assert set(before) == {*place.people}
    found = {}
    for what, (change, _concerned) in NARROWS.items():
        with transaction.atomic():
            change(place)
            ending.settle()
            told = _Told()
            found[what] = _refused(before, told, issuer_key)
            assert not Narrowed.objects.exists()
            assert _refused(_held(place, _Shifted(2), "officer", "television"), told, issuer_key) == set(), what
            transaction.set_rollback(True)
    assert found == {what: concerned for what, (_change, concerned) in NARROWS.items()}


def test_what_widens_and_what_concerns_nobody_ends_nothing(place: Place) -> None:
    _held(place, SystemClock())
    for what, change in WIDENS_OR_IS_ANOTHERS.items():
        with transaction.atomic():
            change(place)
            ending.settle()
            assert not AccessEnd.objects.exists(), what
            transaction.set_rollback(True)


def test_a_ticket_made_while_a_unit_moves_ends_with_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved_meanwhile(*given: Any) -> None:
        changes.move(place.province.group, place.province.other_commune, place.entry())
        ending.settle()
        ending.note_given(*given)

    monkeypatch.setattr(tickets, "note_given", moved_meanwhile)
    officer = place.people["officer"]
    assert give(officer, watched(officer), Wish(Use.LIVE)).tickets
    assert list(ending.open_tickets().values_list("subject", flat=True)) == [ending.subject_of(officer)]


class _Meanwhile(SystemClock):
    """A clock on which something is changed just after it was read first."""

    def __init__(self, change: Callable[[], Any]) -> None:
        self._to_do = [change]

    def wall_ns(self) -> int:
        now_ns = super().wall_ns()
        while self._to_do:
            self._to_do.pop()()
        return now_ns


def _node_of(place: Place, wish: Wish, name: str, clock: SystemClock) -> set[str]:
    """At which nodes somebody is given the public camera, of whom the page had read what may be watched."""
    own, person = str(place.province.public.pk), place.people[name]
    rows = watched(person)
    assert any(str(row.pk) == own for row in rows)
    found = (one for one in give(person, rows, wish, clock).tickets if own in one.cameras)
    return {f"{one.node.name} {action}" for one in found for action in one.actions}


def test_what_changes_after_the_time_of_a_ticket_was_read_is_in_the_ticket(place: Place) -> None:
    """An end that was saved before that time does not reach it."""
    here, there = place.province.node.name, place.province.other_node.name
    table: dict[str, tuple[str, Use, set[str]]] = {
        "a camera is called otherwise": ("group head", Use.LIVE, {f"{here} live"}),
        "a camera is no longer public": ("group head", Use.LIVE, set()),
        "a camera is suspended": ("group head", Use.LIVE, set()),
        "a camera is retired": ("officer", Use.LIVE, set()),
        "a camera goes to another node": ("officer", Use.LIVE, {f"{there} live"}),
        "a camera is taken from its node": ("officer", Use.LIVE, set()),
        "a camera hangs in another unit": ("officer", Use.LIVE, set()),
        "a camera is removed": ("officer", Use.LIVE, set()),
        "a camera asks what for": ("officer", Use.PAST, {f"{here} live"}),
        "a class asks what for": ("officer", Use.PAST, {f"{here} live"}),
        "a site lies in another unit": ("officer", Use.LIVE, set()),
        "a role ends": ("officer", Use.LIVE, set()),
    }
    found = {}
    for what, (name, use, _left) in table.items():
        change = WIDENS_OR_IS_ANOTHERS.get(what) or NARROWS[what][0]
        with transaction.atomic():
            found[what] = _node_of(place, Wish(use), name, _Meanwhile(partial(change, place)))
            transaction.set_rollback(True)
    assert found == {what: left for what, (_name, _use, left) in table.items()}


def test_many_units_that_move_at_once_are_looked_after_once(
    place: Place, django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    other = place.province.other_commune
    groups = [make_unit(f"90001-{n}", UnitKind.GROUP, "Thôn", f"Số {n}", place.province.commune) for n in range(40, 60)]
    _held(place, _Shifted(-2))
    with django_capture_on_commit_callbacks():
        for group in groups[:2]:
            changes.move(group, other, place.entry())
    with CaptureQueriesContext(connection) as few:
        ending.settle()
    AccessEnd.objects.all().delete()
    with CaptureQueriesContext(connection) as moving:
        for group in groups[2:]:
            changes.move(group, other, place.entry())
    of_ours = [one["sql"] for one in moving if "watch_" in one["sql"]]
    assert len(of_ours) == len(groups[2:])
    with django_assert_num_queries(len(few)):
        ending.settle()
    assert AccessEnd.objects.count() == len(ABOVE)


def test_after_a_commit_all_that_narrowed_is_looked_after_once(
    place: Place, django_capture_on_commit_callbacks: Any
) -> None:
    """Also where a part of it was not saved after all."""
    units = [place.province.group.pk] * 20
    found = []
    for several in (units[:1], units):
        AccessEnd.objects.all().delete()
        with CaptureQueriesContext(connection) as asked, django_capture_on_commit_callbacks(execute=True):
            with transaction.atomic():
                ending.narrowed(Reach.UNIT, units[:1])
                transaction.set_rollback(True)
            for unit in several:
                ending.narrowed(Reach.UNIT, [unit])
        found.append(len(asked) - len(several))
        assert set(AccessEnd.objects.values_list("subject", flat=True)) >= {ending.subject_of(place.people["officer"])}
        assert not AccessEnd.objects.filter(at=None).exists()
        assert not Narrowed.objects.exists()
    assert found[0] == found[1]


def test_a_ticket_is_noted_though_the_one_before_is_forgotten_just_then(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = place.people["officer"]
    node, now_s = place.province.node, SystemClock().wall_ns() // NS_PER_SECOND
    subject = ending.subject_of(officer)
    ending.note_given(subject, [node], now_s - 2000, now_s - 1000)
    (kept,) = TicketsAt.objects.filter(subject=subject)

    def forgotten_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"DELETE FROM {TicketsAt._meta.db_table} WHERE id = {kept.pk}")
        return execute(sql, *rest)

    with connection.execute_wrapper(forgotten_meanwhile):
        ending.note_given(subject, [node], now_s, now_s + 600)
    (row,) = TicketsAt.objects.filter(subject=subject)
    assert (row.begun.timestamp(), row.until.timestamp()) == (now_s, now_s + 600)
