"""How long rights last: no ticket outlasts the midnight at which one that it rests on ends."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Min, Q
from django.utils import timezone

from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import in_force
from xomyen.centre.organisation.models import UnitLink
from xomyen.centre.organisation.tree import above_sql


def until(person: Any, cameras: Iterable[Camera], from_s: int, to_s: int) -> int:
    """The second `to_s`, or the first midnight before it at which something ends by which the person has rights there.

    No query where no midnight lies between, two otherwise. What ends may be one right of several: with what is left,
    tickets are asked for anew.
    """
    zone = timezone.get_current_timezone()
    day, last = (datetime.datetime.fromtimestamp(at, zone).date() for at in (from_s, to_s))
    if day == last:
        return to_s
    ends = [*_of_roles(person, day), *_of_the_tree(cameras, day, last)]
    midnights = (datetime.datetime.combine(end, datetime.time(), zone) for end in ends)
    return min([to_s, *(int(midnight.timestamp()) for midnight in midnights)])


def _of_roles(person: Any, day: datetime.date) -> list[datetime.date]:
    """The first end of a role (of a screen: of itself), of a post where it is held, of what that answers for."""
    answering = "post__jurisdictions__"
    found = person.appointments.filter(in_force(day)).aggregate(
        own_end=Min("valid_to"),
        post_end=Min("post__valid_to", filter=Q(post__valid_to__gt=day)),
        answering_end=Min(f"{answering}valid_to", filter=in_force(day, answering)),
    )
    return [end for end in found.values() if end is not None]


def _of_the_tree(cameras: Iterable[Camera], day: datetime.date, last: datetime.date) -> list[datetime.date]:
    """The first end of a place in the tree, of the cameras' units and those above."""
    lines = above_sql({camera.unit_of() for camera in cameras}, day)
    found = UnitLink.objects.filter(in_force(day), unit__in=lines, valid_to__lte=last).aggregate(end=Min("valid_to"))
    return [found["end"]] if found["end"] is not None else []
