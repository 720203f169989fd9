"""Which units somebody sees on the pages of the organisation, as of a day, and how they are named and placed then."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import get_object_or_404

from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import has_marks, matches
from xomyen.centre.organisation.models import FormerName, Succession, Unit, UnitLink, UnitQuerySet
from xomyen.centre.organisation.tree import lineage_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import roots

_DAY = datetime.timedelta(days=1)


def units_seen(person: Any) -> UnitQuerySet:
    """The person's units, and those they came from, of every time; what a divided one was called is no secret."""
    return Unit.objects.filter(id__in=lineage_sql(roots(person, Action.UNIT_SEE), today()))


def seen_among(person: Any, units: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some units that the person sees: the same as `units_seen`, looked up from below.

    As many queries as the tree is deep, however many units the person sees.
    """
    asked = set(units)
    after: dict[uuid.UUID, list[uuid.UUID]] = {}
    rows = Succession.objects.filter(predecessor__in=asked)
    for predecessor, successor in rows.values_list("predecessor", "successor"):
        after.setdefault(predecessor, []).append(successor)
    parents = _parents(asked.union(*after.values()), today())
    own = set(roots(person, Action.UNIT_SEE))

    def inside(unit: uuid.UUID) -> bool:
        return unit in own or any(above in own for above in _line(unit, parents))

    return {unit for unit in asked if inside(unit) or any(inside(one) for one in after.get(unit, ()))}


def _parents(units: Iterable[uuid.UUID], day: datetime.date) -> dict[uuid.UUID, uuid.UUID]:
    """The parents of the units on the day, and theirs, up to the top."""
    parents: dict[uuid.UUID, uuid.UUID] = {}
    wanted = set(units)
    while wanted:
        links = dict(UnitLink.objects.filter(in_force(day), unit__in=wanted).values_list("unit", "parent"))
        parents |= links
        wanted = set(links.values()) - parents.keys()
    return parents


def _line(unit: uuid.UUID, parents: dict[uuid.UUID, uuid.UUID]) -> list[uuid.UUID]:
    """What is above the unit, the nearest first; each once, even if links ever formed a ring."""
    line: list[uuid.UUID] = []
    above = parents.get(unit)
    while above is not None and above not in line:
        line.append(above)
        above = parents.get(above)
    return line


def unit_seen_or_404(person: Any, pk: uuid.UUID) -> Unit:
    """The unit. Raises Http404 when the person does not see it, as when it is not there."""
    unit = get_object_or_404(Unit, pk=pk)
    if not seen_among(person, [pk]):
        raise Http404
    return unit


def _with_children(units: UnitQuerySet, day: datetime.date) -> UnitQuerySet:
    inside = UnitLink.objects.filter(in_force(day), in_force(day, "unit__"), parent=OuterRef("pk"))
    return units.annotate(has_children=Exists(inside))


def tops_on(person: Any, day: datetime.date) -> UnitQuerySet:
    """The highest units of the day among the person's and those they came from."""
    found: set[uuid.UUID] = set()
    wanted, known = set(roots(person, Action.UNIT_SEE)), set()
    while wanted:
        known |= wanted
        there = set(Unit.objects.on(day).filter(pk__in=wanted).values_list("pk", flat=True))
        found |= there
        before = Succession.objects.filter(successor__in=wanted - there, on__gt=day)
        wanted = set(before.values_list("predecessor", flat=True)) - known
    parents = _parents(found, day)
    tops = [unit for unit in found if found.isdisjoint(_line(unit, parents))]
    return _with_children(Unit.objects.filter(pk__in=tops), day)


def children_on(person: Any, unit: Unit, day: datetime.date) -> UnitQuerySet:
    """The units right under this one on the day that the person sees."""
    links = UnitLink.objects.filter(in_force(day), in_force(day, "unit__"), parent=unit)
    seen = seen_among(person, links.values_list("unit", flat=True))
    return _with_children(Unit.objects.filter(pk__in=seen), day)


def found_on(person: Any, text: str, day: datetime.date | None) -> list[Unit]:
    """Units of the day (None: of any) that are or were called so, or have the code; typed marks are meant."""
    seen = units_seen(person)
    found = (seen if day is None else seen.on(day)).search(text).order_by("code", "pk")
    if not has_marks(text):
        return list(found)
    named = found.prefetch_related("former_names")
    return [one for one in named if any(matches(text, str(name)) for name in (one, *one.former_names.all()))]


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
    while wanted:
        links = UnitLink.objects.filter(in_force(day), unit__in=wanted).select_related("parent")
        wanted = set()
        for link in links:
            parents[link.unit_id] = link.parent_id
            if link.parent_id not in known:
                known[link.parent_id] = link.parent
                wanted.add(link.parent_id)
    call_as_on(known.values(), day)
    seen = seen_among(person, known)
    return {
        unit.pk: [Step(known[one], known[one].called, one in seen) for one in reversed(_line(unit.pk, parents))]
        for unit in all_units
    }


def day_of(unit: Unit, day: datetime.date) -> datetime.date:
    """The day itself, or the nearest one on which the unit exists."""
    if unit.valid_to is not None and day >= unit.valid_to:
        return unit.valid_to - _DAY
    return max(day, unit.valid_from) if unit.valid_from else day
