"""Units in their tree as of a day."""

import datetime
import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, set_revision
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Sought
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Succession, Unit, UnitKind, UnitLink
from xomyen.centre.organisation.seeing import call_as_on, day_of, seen_among, unit_seen_or_404, units_seen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.UNITS_READ), tags=["units"])


class UnitOut(Schema):
    """A unit as it was called on the day."""

    id: uuid.UUID
    code: str
    kind: str
    name: str
    parent: uuid.UUID | None  # on the day, where it is one of one's own units
    official: bool
    latitude: float | None
    longitude: float | None
    valid_from: datetime.date | None
    valid_to: datetime.date | None  # the first day on which it was no more


class UnitPage(Schema):
    items: list[UnitOut]
    next: str | None


class FormerNameOut(Schema):
    """What the unit was called before, and its code then."""

    name: str
    code: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None


class RelatedOut(Schema):
    """A unit that it came from or that it became."""

    unit: uuid.UUID | None  # where it is one of one's own units
    name: str
    code: str
    on: datetime.date
    kind: str
    whole: bool


class LineageOut(Schema):
    former_names: list[FormerNameOut]
    predecessors: list[RelatedOut]
    successors: list[RelatedOut]


class UnitFilter(Paged):
    on: datetime.date | None = None  # the tree of this day; without it today's
    q: Sought = ""  # name or code
    kind: UnitKind | None = None
    parent: uuid.UUID | None = None  # right under this one


@router.get("/units", response=UnitPage)
def list_units(request: HttpRequest, wanted: Query[UnitFilter]) -> Any:
    """The units one sees. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    day = wanted.on or today()
    rows = units_seen(request.user).on(day)
    if wanted.q:
        rows = rows.search(wanted.q)
    if wanted.kind is not None:
        rows = rows.filter(kind=wanted.kind)
    if wanted.parent is not None:
        rows = rows.filter(pk__in=UnitLink.objects.filter(in_force(day), parent=wanted.parent).values("unit"))
    found, following = page(rows, wanted)
    return {"items": _shown(request.user, found, day), "next": following}


@router.get("/units/{unit}", response=UnitOut)
def get_unit(request: HttpRequest, unit: uuid.UUID, on: datetime.date | None = None) -> Any:
    """One unit. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    found = unit_seen_or_404(request.user, unit)
    set_revision(request, revision(found))
    return _shown(request.user, [found], on or today())[0]


@router.get("/units/{unit}/lineage", response=LineageOut)
def get_lineage(request: HttpRequest, unit: uuid.UUID) -> Any:
    """What a unit was called before, what it came from and what it became. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    found = unit_seen_or_404(request.user, unit)
    before = [(row, row.predecessor) for row in found.took_over_from.select_related("predecessor").order_by("on", "pk")]
    after = [(row, row.successor) for row in found.succeeded_by.select_related("successor").order_by("on", "pk")]
    seen = seen_among(request.user, [one.pk for _row, one in before + after])
    former = found.former_names.all()
    return {
        "former_names": [
            {"name": one.full_name, "code": one.code, "valid_from": one.valid_from, "valid_to": one.valid_to}
            for one in former
        ],
        "predecessors": [_related(row, one, one.pk in seen) for row, one in before],
        "successors": [_related(row, one, one.pk in seen) for row, one in after],
    }


def _related(row: Succession, other: Unit, seen: bool) -> dict[str, Any]:
    named = {"unit": other.pk if seen else None, "name": other.full_name, "code": other.code}
    return named | {name: getattr(row, name) for name in ("on", "kind", "whole")}


def answer(request: HttpRequest, unit: Unit) -> dict[str, Any]:
    """The unit as it is now, with its ETag."""
    set_revision(request, revision(unit))
    return shown_now(request.user, unit)


def shown_now(person: Any, unit: Unit) -> dict[str, Any]:
    """The unit as it is today, or on the day nearest to it."""
    return _shown(person, [unit], day_of(unit, today()))[0]


def revision(unit: Unit) -> int:
    """What If-Match compares: all that a change of the unit changes."""
    names = ("code", "type_name", "name", "latitude", "longitude", "valid_from", "valid_to")
    links = unit.parent_links.order_by("pk").values_list("parent", "valid_from", "valid_to")
    return fingerprint([getattr(unit, name) for name in names], list(links))


def _shown(person: Any, units: list[Unit], day: datetime.date) -> list[dict[str, Any]]:
    call_as_on(units, day)
    links = UnitLink.objects.filter(in_force(day), unit__in=[one.pk for one in units])
    parents = dict(links.values_list("unit_id", "parent_id"))
    seen = seen_among(person, parents.values())
    return [
        {
            "id": one.pk,
            "code": one.coded,
            "kind": one.kind,
            "name": one.called,
            "parent": parent if (parent := parents.get(one.pk)) in seen else None,
            "official": one.official,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
        }
        for one in units
    ]
