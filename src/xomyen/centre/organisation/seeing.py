"""Which units somebody sees on the pages of the organisation, as of a day, and how they are named and placed then."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import has_marks, matches
from xomyen.centre.organisation.models import FormerName, Succession, Unit, UnitLink, UnitQuerySet
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import roots

_DEEPEST = 8  # levels of a path; administration has four
_DAY = datetime.timedelta(days=1)


def units_seen(person: Any) -> UnitQuerySet:
    """The person's units, and those they came from, of every time; what a divided one was called is no secret."""
    below = below_sql(roots(person, Action.UNIT_SEE), today())
    parted = Succession.objects.filter(successor__in=below, whole=False).values("predecessor")
    return Unit.objects.filter(Q(id__in=below) | Q(id__in=parted))


def _with_children(units: UnitQuerySet, day: datetime.date) -> UnitQuerySet:
    inside = UnitLink.objects.filter(in_force(day), in_force(day, "unit__"), parent=OuterRef("pk"))
    return units.annotate(has_children=Exists(inside))


def tops_on(person: Any, day: datetime.date) -> UnitQuerySet:
    """The highest units that the person sees on the day; before a merger those that were merged."""
    seen = units_seen(person)
    inside = UnitLink.objects.filter(
        in_force(day), in_force(day, "parent__"), unit=OuterRef("pk"), parent__in=seen.values("pk")
    )
    return _with_children(seen.on(day).filter(~Exists(inside)), day)


def children_on(person: Any, unit: Unit, day: datetime.date) -> UnitQuerySet:
    """The units right under this one on the day that the person sees."""
    links = UnitLink.objects.filter(in_force(day), parent=unit).values("unit")
    return _with_children(units_seen(person).on(day).filter(pk__in=links), day)


def found_on(person: Any, text: str, day: datetime.date | None) -> UnitQuerySet:
    """Units of the day (None: of any) that are or were called so, or have the code; typed marks are meant."""
    seen = units_seen(person)
    found = (seen if day is None else seen.on(day)).search(text)
    if not has_marks(text):
        return found
    named = list(found.prefetch_related("former_names"))
    exact = [one.pk for one in named if any(matches(text, str(name)) for name in (one, *one.former_names.all()))]
    return Unit.objects.filter(pk__in=exact)


@dataclass(frozen=True, slots=True)
class Step:
    """A unit on the way from the top, as it was called."""

    unit: Unit
    called: str
    seen: bool  # has a page for the person


def call_as_on(units: Iterable[Unit], day: datetime.date) -> None:
    """Sets `called` and `coded` of each: what it was called on the day, and its code then; one query."""
    all_units = list(units)
    then = {
        former.unit_id: former
        for former in FormerName.objects.filter(in_force(day), unit__in=[unit.pk for unit in all_units])
    }
    for unit in all_units:
        named = then.get(unit.pk, unit)
        unit.called, unit.coded = named.full_name, named.code


def paths(person: Any, units: Iterable[Unit], day: datetime.date) -> dict[uuid.UUID, list[Step]]:
    """From the top down to above each unit on the day; names of units above one's own are shown and lead nowhere.

    As many queries as the tree is deep, however many units.
    """
    all_units = list(units)
    parents: dict[uuid.UUID, uuid.UUID] = {}
    known: dict[uuid.UUID, Unit] = {}
    wanted = {unit.pk for unit in all_units}
    for _ in range(_DEEPEST):
        links = UnitLink.objects.filter(in_force(day), unit__in=wanted).select_related("parent")
        wanted = set()
        for link in links:
            parents[link.unit_id] = link.parent_id
            if link.parent_id not in known:
                known[link.parent_id] = link.parent
                wanted.add(link.parent_id)
        if not wanted:
            break
    call_as_on(known.values(), day)
    seen = set(units_seen(person).filter(pk__in=known).values_list("pk", flat=True))
    found: dict[uuid.UUID, list[Step]] = {}
    for unit in all_units:
        way: list[Step] = []
        above = parents.get(unit.pk)
        while above is not None and len(way) < _DEEPEST:
            way.insert(0, Step(known[above], known[above].called, above in seen))
            above = parents.get(above)
        found[unit.pk] = way
    return found


def day_of(unit: Unit, day: datetime.date) -> datetime.date:
    """The day itself, or the nearest one on which the unit exists."""
    if unit.valid_to is not None and day >= unit.valid_to:
        return unit.valid_to - _DAY
    return max(day, unit.valid_from) if unit.valid_from else day
