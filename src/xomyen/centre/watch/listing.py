"""Cameras to choose among: few at once, many by unit, and found by what they or their unit are called."""

import uuid
from itertools import islice
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import fold, has_marks, marked
from xomyen.centre.organisation.models import Unit, UnitKind, UnitLink
from xomyen.centre.organisation.tree import below_sql

MOST = 300  # cameras, or branches, in one answer

LOST = Q(streams__main__state__in=("lost", "not_recording")) | Q(node__answers=False, node__since__isnull=False)
"""No picture, or none that is kept, as far as the centre has heard; a node that never answered has not been lost."""

HEARD = Q(streams__main__state="recording")

_BY_UNIT = ("site__unit__code", "order", "code", "pk")
_TEXTS = ("code", "name", "site__code", "site__name", "site__unit__type_name", "site__unit__name")


def with_state(rows: QuerySet[Camera]) -> QuerySet[Camera]:
    """The rows with `is_lost` and `is_heard`: how each was when its node told last."""
    return rows.annotate(
        is_lost=ExpressionWrapper(LOST, output_field=BooleanField()),
        is_heard=ExpressionWrapper(HEARD, output_field=BooleanField()),
    )


def state_of(is_lost: bool | None, is_heard: bool | None) -> str:
    """As the pages name it: `lost`, `live` (when last heard of) or `unknown`."""
    return "lost" if is_lost else "live" if is_heard else "unknown"


def called(rows: QuerySet[Camera], text: str, most: int) -> QuerySet[Camera]:
    """Those whose code, name, site or unit has the text; marks count only where some are typed.

    With marks no more than the first `most` and one are looked for, by unit.
    """
    found = rows.filter(Q(folded__contains=fold(text)) | Q(site__unit__folded__contains=fold(text)))
    if not has_marks(text):
        return found
    wanted = marked(text)
    words = found.select_related(None).order_by(*_BY_UNIT).values_list("pk", *_TEXTS)
    exact = (pk for pk, *each in words.iterator() if wanted in marked(" ".join(each)))
    return rows.filter(pk__in=list(islice(exact, most + 1)))


def under(rows: QuerySet[Camera], unit: uuid.UUID, own: bool) -> QuerySet[Camera]:
    """Those of the unit and all under it; `own`: of the unit itself alone."""
    return rows.filter(site__unit=unit) if own else rows.filter(site__unit__in=below_sql(unit, today()))


def by_unit(rows: QuerySet[Camera]) -> tuple[list[dict[str, Any]], bool]:
    """Units with their cameras, at most MOST of these; and whether there are more."""
    listed = with_state(rows.select_related(None)).order_by(*_BY_UNIT)
    found = list(listed.values_list("pk", "site__unit", *_TEXTS, "is_lost", "is_heard")[: MOST + 1])
    units: dict[Any, dict[str, Any]] = {}
    for pk, unit, code, name, _code, site, kind, unit_name, is_lost, is_heard in found[:MOST]:
        one = units.setdefault(unit, {"id": str(unit), "name": f"{kind} {unit_name}".strip(), "cameras": []})
        state = state_of(is_lost, is_heard)
        one["cameras"].append({"id": str(pk), "code": code, "name": name, "site": site, "state": state})
    return list(units.values()), len(found) > MOST


def branches(rows: QuerySet[Camera]) -> list[dict[str, Any]]:
    """The units by which so many cameras are told apart: communes, or provinces where even those are too many."""
    counts = _lifted(_counts(rows), UnitKind.GROUP)
    if len(counts) > MOST:
        counts = _lifted(counts, UnitKind.COMMUNE)
    only = next(iter(counts)) if len(counts) == 1 else None
    return _lines(counts) if only is None else branches_of(rows, only)


def branches_of(rows: QuerySet[Camera], unit: uuid.UUID) -> list[dict[str, Any]]:
    """The units next under this one; what hangs in the unit itself stands among them as its `own`."""
    counts = _counts(rows)
    if not Unit.objects.filter(pk=unit, kind__in=(UnitKind.COMMUNE, UnitKind.GROUP)).exists():
        counts = _lifted(counts, UnitKind.GROUP, stop=unit)
    return _lines(counts, unit)


_Counts = dict[uuid.UUID, tuple[int, int]]  # by unit: cameras, and how many of them are lost


def _counts(rows: QuerySet[Camera]) -> _Counts:
    counted = rows.select_related(None).order_by().values("site__unit")
    lines = counted.annotate(all=Count("pk"), lost=Count("pk", filter=LOST))
    return {line["site__unit"]: (line["all"], line["lost"]) for line in lines}


def _lifted(counts: _Counts, kind: Any, stop: uuid.UUID | None = None) -> _Counts:
    """Units of this kind are counted with what they belong to, but for `stop`."""
    links = UnitLink.objects.filter(in_force(today()), unit__in=list(counts), unit__kind=kind)
    parents = dict(links.values_list("unit", "parent"))
    found: _Counts = {}
    for unit, (cameras, lost) in counts.items():
        place = unit if unit == stop else parents.get(unit, unit)
        before = found.get(place, (0, 0))
        found[place] = (before[0] + cameras, before[1] + lost)
    return found


def _lines(counts: _Counts, unit: uuid.UUID | None = None) -> list[dict[str, Any]]:
    """As the pages show them, by code; the unit's own first."""
    units = Unit.objects.filter(pk__in=list(counts)).order_by("code", "pk")
    told = [
        {
            "id": str(one.pk),
            "name": one.full_name,
            "cameras": counts[one.pk][0],
            "lost": counts[one.pk][1],
            "own": one.pk == unit,
        }
        for one in units
    ]
    return sorted(told, key=lambda line: not line["own"])
