"""No ticket and no grant outlasts the midnight at which a right that it rests on ends."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.centre.watch.rights import DAY, KEY, Place

from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, Post, UnitLink
from xomyen.centre.watch import ending, tickets
from xomyen.centre.watch.models import TicketsAt
from xomyen.centre.watch.services import watched
from xomyen.centre.watch.tickets import LIFETIME_S, TAKING_S, Use, Wish, give
from xomyen.terms.time import NS_PER_SECOND, SystemClock


def _midnight(days: int) -> datetime.datetime:
    """The beginning of the day so many days from now, in Viet Nam."""
    return timezone.make_aware(datetime.datetime.combine(today() + days * DAY, datetime.time()))


class _At(SystemClock):
    def __init__(self, at: datetime.datetime) -> None:
        self._ns = int(at.timestamp()) * NS_PER_SECOND

    def wall_ns(self) -> int:
        return self._ns


ENDS: dict[str, Callable[[Place, datetime.date], Any]] = {
    "the role": lambda at, end: at.people["officer"].appointments.update(valid_to=end),
    "the screen": lambda at, end: PairedScreen.objects.update(valid_to=end),
    "the jurisdiction": lambda at, end: Jurisdiction.objects.update(valid_to=end),
    "the post": lambda at, end: Post.objects.update(valid_to=end),
    "the place in the tree": lambda at, end: UnitLink.objects.filter(unit=at.province.group).update(valid_to=end),
    "the place in the tree above": lambda at, end: UnitLink.objects.filter(unit=at.province.commune).update(
        valid_to=end
    ),
}
TREE = ("the place in the tree", "the place in the tree above")
RESTS_ON = {
    "officer": {"the role", *TREE},
    "at post": {"the jurisdiction", "the post", *TREE},
    "television": {"the screen", *TREE},
    "post's screen": {"the screen", "the jurisdiction", "the post", *TREE},
}


@pytest.mark.parametrize("what", ENDS)
def test_nothing_outlasts_the_midnight_at_which_what_it_rests_on_ends(what: str, place: Place) -> None:
    """Before any midnight a ticket lasts as long as ever; so does one that rests on something else."""
    late = _midnight(1) - datetime.timedelta(minutes=4)
    end_ns = int(late.timestamp()) * NS_PER_SECOND
    for_hours = Wish(Use.TAKE, "", end_ns - 8 * 3600 * NS_PER_SECOND, end_ns)
    ENDS[what](place, today() + 3 * DAY)
    for name, rests in RESTS_ON.items():
        person = place.people[name]
        # Far from that end.
        (ticket,) = give(person, watched(person), Wish(Use.LIVE), _At(late)).tickets
        assert ticket.expires_s == int(late.timestamp()) + LIFETIME_S
        if isinstance(person, PairedScreen):
            (grant,) = give(person, watched(person), Wish(Use.LIVE, device_key=KEY), _At(late)).tickets
            longest = int(late.timestamp()) + tickets.GRANTED_S
            assert grant.expires_s == (int(_midnight(3).timestamp()) if what in rests else longest), name
    ENDS[what](place, today() + DAY)
    for name, rests in RESTS_ON.items():
        person = place.people[name]
        wishes = [Wish(Use.LIVE)] if isinstance(person, PairedScreen) else [Wish(Use.LIVE), for_hours]
        for wish in wishes:
            rows = watched(person).filter(pk=place.province.public.pk)
            (ticket,) = give(person, rows, wish, _At(late)).tickets
            full = int(late.timestamp()) + (LIFETIME_S if wish.use is Use.LIVE else TAKING_S)
            assert ticket.expires_s == (int(_midnight(1).timestamp()) if what in rests else full), (name, wish.use)
            (row,) = TicketsAt.objects.filter(subject=ending.subject_of(person), node=ticket.node)
            assert row.until.timestamp() >= ticket.expires_s


def test_only_over_a_midnight_it_is_asked_what_ends(place: Place, django_assert_num_queries: Any) -> None:
    person, cameras = place.people["officer"], watched(place.people["officer"])
    noon = _midnight(0) + datetime.timedelta(hours=12)
    give(person, cameras, Wish(Use.LIVE), _At(noon))
    with CaptureQueriesContext(connection) as by_day:
        give(person, cameras, Wish(Use.LIVE), _At(noon))
    over_midnight = _At(_midnight(1) - datetime.timedelta(minutes=1))
    give(person, cameras, Wish(Use.LIVE), over_midnight)
    with django_assert_num_queries(len(by_day) + 2):
        give(person, cameras, Wish(Use.LIVE), over_midnight)
