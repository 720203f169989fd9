"""What pages of one person note of their tickets, in whatever order they come to it, is told to the node."""

import datetime
import itertools
from dataclasses import dataclass

import pytest
from django.utils import timezone
from tests.centre.conftest import Province

from xomyen.centre.cameras.models import Node
from xomyen.centre.watch import ending
from xomyen.centre.watch.models import AccessEnd, TicketsAt

SUBJECT = "user:01890000-0000-7000-8000-00000000000a"
HOURS, DAYS = 4 * 3600, 7 * 86_400


@dataclass(frozen=True)
class Place:
    """A node, and the second at which somebody's access ended in the middle."""

    node: Node
    end_s: int

    def note(self, after_s: int, lasts_s: int = 600) -> None:
        """A page notes what was issued so long after the end, or before it."""
        ending.note_given(SUBJECT, [self.node], self.end_s + after_s, self.end_s + after_s + lasts_s)

    def end(self) -> None:
        at = datetime.datetime.fromtimestamp(self.end_s + 0.5, datetime.UTC)
        AccessEnd.objects.create(subject=SUBJECT, at=at)

    def tell(self) -> datetime.datetime | None:
        """Until when the node is told to remember it; None: there is nothing to tell."""
        told = ending.to_tell(self.node, 10)
        ending.acknowledged(self.node, told)
        return max((one.until for one in told), default=None)

    def until(self, after_s: int, lasts_s: int = 600) -> datetime.datetime:
        """So long a ticket may count at a node whose clock is behind."""
        return datetime.datetime.fromtimestamp(self.end_s + after_s + lasts_s, datetime.UTC) + ending.SPARE


@pytest.fixture
def place(province: Province) -> Place:
    return Place(province.node, int(timezone.now().timestamp()) - 30)


def test_a_ticket_of_before_an_end_is_told_though_one_of_after_it_was_noted_first(place: Place) -> None:
    place.end()
    place.note(1)
    assert place.tell() is None
    place.note(-1)
    assert place.tell() == place.until(1)
    assert place.tell() is None


@pytest.mark.parametrize("between", [None, DAYS])
def test_a_ticket_of_before_an_end_is_told_though_the_node_was_told_already(place: Place, between: int | None) -> None:
    """It was to remember the end for as long as shorter ones lasted; what was issued since lasts longer anyway."""
    place.note(-9)
    place.end()
    assert place.tell() == place.until(-9)
    if between is not None:
        place.note(2, between)
        assert place.tell() is None
    place.note(-5, HOURS)
    told = place.tell()
    assert told is not None
    assert told >= place.until(-5, HOURS)
    assert place.tell() is None


def test_a_node_that_is_just_being_told_hears_of_a_longer_ticket_too(place: Place) -> None:
    place.note(-9)
    place.end()
    told = ending.to_tell(place.node, 10)
    place.note(-5, HOURS)
    ending.acknowledged(place.node, told)
    assert place.tell() == place.until(-5, HOURS)
    assert place.tell() is None


def test_in_every_order_the_same_is_kept(place: Place) -> None:
    for order in itertools.permutations([(-2, HOURS), (0, 600), (3, 900)]):
        TicketsAt.objects.all().delete()
        for after_s, lasts_s in order:
            place.note(after_s, lasts_s)
        (row,) = TicketsAt.objects.all()
        assert (row.begun.timestamp(), row.until.timestamp()) == (place.end_s - 2, place.end_s - 2 + HOURS)


def test_what_is_issued_after_an_end_that_was_told_is_told_to_nobody(place: Place) -> None:
    place.note(-9)
    place.end()
    place.tell()
    place.note(1)
    place.note(5, HOURS)
    assert place.tell() is None
