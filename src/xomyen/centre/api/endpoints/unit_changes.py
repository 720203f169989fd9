"""Changes of the tree: set up, correct, rename, move, merge, divide, close; what was changed, and undoing it."""

import datetime
import uuid
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.units import UnitOut, answer, revision, router, shown_now
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.rows import unchanged
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Based, Closed, Code, Latitude, Longitude, Name, TypeName
from xomyen.centre.dates import today
from xomyen.centre.organisation.forms.fields import papers_of
from xomyen.centre.organisation.models import Change, ChangeKind, Unit, UnitKind
from xomyen.centre.organisation.seeing import unit_seen_or_404, units_seen
from xomyen.centre.organisation.services import changes
from xomyen.centre.organisation.services.changes import Fresh
from xomyen.centre.organisation.services.history import told_changes
from xomyen.centre.organisation.services.recording import Entry, undo
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, require_in

_WRITE = bearer(Scope.UNITS_WRITE)
_MOST = 200


class Part(Closed):
    """What a new unit is called; residential groups get their code from the product."""

    type_name: TypeName
    name: Name
    code: Code = ""


class NewUnit(Part, Based):
    """A unit to be set up under another; its level is below that of its parent."""

    parent: uuid.UUID
    kind: Literal["commune", "group"]
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Correction(Closed):
    """What was entered wrongly; what is given is changed."""

    type_name: TypeName | None = None
    name: Name | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Renaming(Part, Based):
    """Another name, and another code where one is given."""


class Moving(Based):
    parent: uuid.UUID


class Merging(Based):
    """Which units end with this one, and what they become: one of them (`into`), or a new one (`new`)."""

    others: Annotated[list[uuid.UUID], Field(min_length=1, max_length=_MOST)]
    into: uuid.UUID | None = None
    new: Part | None = None


class Placing(Closed):
    """To which part (counted from 0) a unit goes."""

    unit: uuid.UUID
    part: Annotated[int, Field(ge=0, lt=_MOST)]


class Dividing(Based):
    """Into which parts a unit is divided, and where each unit below it goes."""

    parts: Annotated[list[Part], Field(min_length=1, max_length=_MOST)]
    goes_on: bool = False  # the parts are taken out of it
    children: Annotated[list[Placing], Field(max_length=5000)] = []


class Closing(Based):
    """`day` is the first on which the unit is no more."""

    successor: uuid.UUID | None = None  # takes over all, and has to be there when units are below


class ChangeOut(Schema):
    """A change of a unit that somebody recorded."""

    id: uuid.UUID
    kind: ChangeKind
    day: datetime.date
    text: str  # in the caller's language
    made_at: datetime.datetime
    undone_at: datetime.datetime | None
    can_be_undone: bool


@router.post("/units", response={201: UnitOut}, auth=_WRITE)
def add_unit(request: HttpRequest, body: NewUnit) -> Any:
    """Sets up a unit. Scope `units:write`."""
    parent = _editable(request, body.parent)
    fresh = Fresh(UnitKind(body.kind), body.type_name, body.name, body.code, body.latitude, body.longitude)
    return Status(201, answer(request, changes.create(fresh, parent, _entry(request, parent, body))))


@router.patch("/units/{unit}", response=UnitOut, auth=_WRITE)
def correct_unit(request: HttpRequest, unit: uuid.UUID, body: Correction) -> Any:
    """Mends an entry; `If-Match` names the version that was read. Scope `units:write`."""
    with transaction.atomic():
        found = _editable(request, unit)
        found = unchanged(request, found, revision)
        given = body.model_dump(exclude_unset=True)
        places = ("latitude", "longitude")
        values = {name: value for name, value in given.items() if value is not None or name in places}
        if values:
            changes.correct(found, request.user, **values)
    return answer(request, Unit.objects.get(pk=found.pk))


@router.post("/units/{unit}/rename", response=UnitOut, auth=_WRITE)
def rename_unit(request: HttpRequest, unit: uuid.UUID, body: Renaming) -> Any:
    """Gives a unit another name from a day on. Scope `units:write`."""
    found = _editable(request, unit)
    changes.rename(found, body.type_name, body.name, _entry(request, found, body), body.code)
    return answer(request, found)


@router.post("/units/{unit}/move", response=UnitOut, auth=_WRITE)
def move_unit(request: HttpRequest, unit: uuid.UUID, body: Moving) -> Any:
    """Hangs a unit under another parent from a day on, with all below it. Scope `units:write`."""
    found, parent = _editable(request, unit), _editable(request, body.parent)
    changes.move(found, parent, _entry(request, found, body))
    return answer(request, found)


@router.post("/units/{unit}/merge", response=UnitOut, auth=_WRITE)
def merge_units(request: HttpRequest, unit: uuid.UUID, body: Merging) -> Any:
    """Makes one of several units; answers what they became. Scope `units:write`."""
    found = _editable(request, unit)
    units = [found, *(_editable(request, other) for other in dict.fromkeys(body.others) if other != found.pk)]
    into: Unit | Fresh | None = next((one for one in units if one.pk == body.into), None)
    if (body.into is None) == (body.new is None) or (body.into is not None and into is None):
        raise Problem(422, "into_one_of_them_or_new")
    if body.new is not None:
        into = _fresh(found, body.new)
    return answer(request, changes.merge(units, into or found, _entry(request, found, body)))


@router.post("/units/{unit}/split", response=list[UnitOut], auth=_WRITE)
def split_unit(request: HttpRequest, unit: uuid.UUID, body: Dividing) -> Any:
    """Divides a unit; answers its parts. Scope `units:write`."""
    found = _editable(request, unit)
    below = Unit.objects.in_bulk([one.unit for one in body.children])
    where = {below[one.unit]: one.part for one in body.children if one.unit in below}
    if any(part >= len(body.parts) for part in where.values()):
        raise Problem(422, "no_such_part")
    parts = [_fresh(found, part) for part in body.parts]
    made = changes.split(found, parts, _entry(request, found, body), body.goes_on, where)
    return [shown_now(request.user, part) for part in made]


@router.post("/units/{unit}/close", response=UnitOut, auth=_WRITE)
def close_unit(request: HttpRequest, unit: uuid.UUID, body: Closing) -> Any:
    """Ends a unit. Scope `units:write`."""
    found = _editable(request, unit)
    successor = _editable(request, body.successor) if body.successor is not None else None
    changes.close(found, _entry(request, found, body), successor)
    return answer(request, found)


@router.get("/units/{unit}/changes", response=list[ChangeOut])
def list_unit_changes(request: HttpRequest, unit: uuid.UUID) -> Any:
    """The last 50 changes recorded of a unit, the newest first. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    return [
        {
            "id": one.change.pk,
            "kind": one.change.kind,
            "day": one.change.day,
            "text": one.text,
            "made_at": one.change.made_at,
            "undone_at": one.change.undone_at,
            "can_be_undone": one.can_be_undone,
        }
        for one in told_changes(unit_seen_or_404(request.user, unit))
    ]


@router.post("/unit-changes/{change}/undo", response={204: None}, auth=_WRITE)
def undo_unit_change(request: HttpRequest, change: uuid.UUID) -> Any:
    """Undoes a change on the day it was recorded. Scope `units:write`."""
    require(request.user, Action.UNIT_EDIT)
    rows = Change.objects.filter(units__in=units_seen(request.user).values("pk")).distinct()
    undo(get_object_or_404(rows, pk=change), request.user)
    return Status(204, None)


def _editable(request: HttpRequest, key: uuid.UUID) -> Unit:
    require(request.user, Action.UNIT_EDIT)
    found = unit_seen_or_404(request.user, key)
    require_in(request.user, Action.UNIT_EDIT, found)
    return found


def _entry(request: HttpRequest, unit: Unit, body: Based) -> Entry:
    document = None
    if body.document is not None:
        document = papers_of(unit).filter(pk=body.document).first()
        if document is None:
            raise Http404
    return Entry(request.user, body.day or today(), document, body.basis)


def _fresh(beside: Unit, part: Part) -> Fresh:
    return Fresh(UnitKind(beside.kind), part.type_name, part.name, part.code)
