"""Ends tickets in hand: who has which at which node, and what each node has still to be told.

A ticket bears the time from before its holder's rights were read; an end, a time from after it was saved. So whatever
was issued by rights from before bears a time that the end reaches, however the two fell together.
"""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.audit.services import record
from xomyen.centre.cameras.models import Node
from xomyen.centre.link.ended import ToTell, ended
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible
from xomyen.centre.watch.models import AccessEnd, Narrowed, Reach, TicketsAt
from xomyen.centre.watch.narrowing import LONGEST
from xomyen.centre.watch.reach import subjects_of

SPARE = datetime.timedelta(minutes=5)
"""How far a node's clock may be behind: by it a ticket lasts longer."""


def subject_of(person: Any) -> str:
    """How tickets, and so the nodes' access events, name somebody: by kind and id, never by name."""
    kind = "screen" if getattr(person, "is_screen", False) else "user"
    return f"{kind}:{person.pk}"


def person_of(subject: str) -> User | PairedScreen | None:
    """Whom a ticket names; None when that person or screen was deleted."""
    kind, _, key = subject.partition(":")
    if kind == "screen":
        return PairedScreen.objects.filter(pk=key).first()
    return User.objects.filter(pk=key).first()


def as_of_now(person: Any) -> User | PairedScreen | None:
    """The person or screen as the database has them now; None when what let them in has ended."""
    found = person_of(subject_of(person))
    if found is None or not found.is_active:
        return None
    same = getattr(found, "session_round", 0) == getattr(person, "session_round", 0)
    return found if same else None


def note_given(subject: str, nodes: Iterable[Node], issued_s: int, expires_s: int) -> None:
    """Keeps at which nodes tickets count now, since when and until when; in the database before anybody has them.

    In whatever order pages of one person come here: one that is late may have been issued before an end that was saved,
    and even told, meanwhile. What runs out meanwhile and is forgotten is kept anew.
    """
    begun, until = (datetime.datetime.fromtimestamp(at, datetime.UTC) for at in (issued_s, expires_s))
    wanted = {node.pk for node in nodes}
    rows = TicketsAt.objects.filter(subject=subject, node__in=wanted)
    known = {node: span for node, *span in rows.values_list("node", "begun", "until", "told")}
    narrow = [1 for first, last, told in known.values() if begun < first or last < until or (told and begun <= told)]
    widened = _widen(rows, begun, until) if narrow else 0
    if widened < len(narrow) or wanted - known.keys():
        # Another page of the same person may be faster.
        made = [TicketsAt(subject=subject, node_id=node, begun=begun, until=until) for node in wanted]
        TicketsAt.objects.bulk_create(made, ignore_conflicts=True)
        _widen(rows, begun, until)


def _widen(rows: QuerySet[TicketsAt], begun: datetime.datetime, until: datetime.datetime) -> int:
    """Has the rows hold what was issued then and lasts so long; how many did not."""
    # The node was told to remember that end for as long as what was known here lasted: it is told again.
    late = Q(told__gte=begun)
    return rows.filter(Q(begun__gt=begun) | Q(until__lt=until) | late).update(
        begun=Least("begun", Value(begun, DateTimeField())),
        until=Greatest("until", Value(until, DateTimeField())),
        told=Case(When(late, then=None), default=F("told")),
    )


def end(subject: str) -> None:
    """What the subject holds is to count no more; call it in the transaction of what ends it."""
    _put([subject])
    _tell_after_commit()


def narrowed(reach: Reach, places: Iterable[uuid.UUID]) -> None:
    """So is what all hold whose rights reach the places (see `Reach`), whatever of it they have left."""
    made = Narrowed.objects.bulk_create([Narrowed(reach=reach, place=place) for place in places])
    if made:
        _tell_after_commit()


def _put(subjects: Iterable[str]) -> None:
    # In one order, so that two who do so at once do not wait for each other.
    rows = [AccessEnd(subject=subject, at=None) for subject in sorted(subjects)]
    AccessEnd.objects.bulk_create(rows, update_conflicts=True, update_fields=["at"], unique_fields=["subject"])


class _Telling:
    """What is told once after a commit, of however many ends."""

    def __init__(self) -> None:
        self.over = False

    def tell(self) -> None:
        if self.over:
            return
        self.over = True
        if settle() and waiting():
            ended.soon()


def _tell_after_commit() -> None:
    # One of a savepoint that is rolled back goes with it; so each end asks for it anew, and all for the same.
    asked = (getattr(call, "__self__", None) for _savepoints, call, _robust in reversed(connection.run_on_commit))
    found = (one for one in asked if isinstance(one, _Telling) and not one.over)
    transaction.on_commit((next(found, None) or _Telling()).tell, robust=True)


def settle() -> int:
    """Gives the ends that were saved their time; how many."""
    _spread()
    return AccessEnd.objects.filter(at=None).update(at=timezone.now())


def _spread() -> None:
    """Finds out whom it concerns that rights have narrowed."""
    places: dict[str, set[uuid.UUID]] = {}
    rows = list(Narrowed.objects.values_list("pk", "reach", "place"))
    for _key, reach, place in rows:
        places.setdefault(reach, set()).add(place)
    if places:
        with transaction.atomic():
            _put(set().union(*(subjects_of(reach, found) for reach, found in places.items())))
            # Those alone that were read: others may just be being saved.
            Narrowed.objects.filter(pk__in=[key for key, _reach, _place in rows]).delete()


def last_end_s(person: Any) -> int | None:
    """The second up to which nothing counts that was issued to the person; None where there was no end lately."""
    for at in AccessEnd.objects.filter(subject=subject_of(person)).values_list("at", flat=True):
        return int((at or timezone.now()).timestamp())
    return None


def open_tickets() -> QuerySet[TicketsAt]:
    """The tickets that may still count though an end was saved, each with `ended`: nodes were not reached yet."""
    ends = AccessEnd.objects.filter(subject=OuterRef("subject")).values("at")
    rows = TicketsAt.objects.filter(until__gt=timezone.now() - SPARE).annotate(ended=Subquery(ends))
    rows = rows.filter(ended__isnull=False, begun__lte=F("ended"))
    return rows.filter(Q(told=None) | Q(told__lt=F("ended"))).select_related("node")


def waiting() -> list[Any]:
    """The nodes that have to be told something."""
    return list(open_tickets().values_list("node", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class StillOpen:
    """A node that does not know of an end yet; no name: one that the reader may not see."""

    name: str
    since: datetime.datetime
    until: datetime.datetime  # when the last ticket runs out by itself


def still_open(reader: Any, subject: str) -> list[StillOpen]:
    """Where tickets of somebody whose access has ended may still be used, as the reader may know it."""
    rows = list(open_tickets().filter(subject=subject).order_by("node__name"))
    if not rows:
        return []
    nodes = Node.objects.filter(pk__in=[row.node_id for row in rows])
    seen = set(visible(reader, Action.NODE_SEE, nodes).values_list("pk", flat=True))
    return [StillOpen(row.node.name if row.node_id in seen else "", row.ended, row.until) for row in rows]


def to_tell(node: Any, at_most: int) -> list[ToTell]:
    """What the node does not know yet, or a part of it."""
    rows = open_tickets().filter(node=node).order_by("ended")[:at_most]
    return [ToTell(row.subject, row.ended, row.until + SPARE) for row in rows]


def acknowledged(node: Node, told: Iterable[ToTell]) -> None:
    """The node has them on its disk; noted once, however many processes told it."""
    for one in told:
        with transaction.atomic():
            # Not where a ticket came meanwhile that lasts longer than the node was told to remember: it is told again.
            rows = TicketsAt.objects.filter(subject=one.subject, node=node, until__lte=one.until - SPARE)
            rows = rows.filter(Q(told=None) | Q(told__lt=one.ended))
            if rows.update(told=one.ended):
                _note("tickets.ended", one.subject, node)


def forget() -> None:
    """Drops what concerns no ticket any more; an end that a node never heard of is noted."""
    over = TicketsAt.objects.filter(until__lte=timezone.now() - SPARE).select_related("node")
    ends = AccessEnd.objects.filter(subject=OuterRef("subject")).values("at")
    for row in over.annotate(ended=Subquery(ends)):
        never = row.ended is not None and row.begun <= row.ended and (row.told is None or row.told < row.ended)
        with transaction.atomic():
            if TicketsAt.objects.filter(pk=row.pk, until=row.until).delete()[0] and never:
                _note("tickets.ran_out", row.subject, row.node)
    AccessEnd.objects.filter(at__lt=timezone.now() - LONGEST).delete()


def _note(action: str, subject: str, node: Node) -> None:
    record(action, thing=person_of(subject), unit=node.unit_id, details={"recorder": node.name, "subject": subject})
