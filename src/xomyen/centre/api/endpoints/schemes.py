"""The register of schemes: local camera models with their groups and founding documents."""

import datetime
import uuid
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, set_revision
from xomyen.centre.api.endpoints.registers import RegisterFilter, narrowed, register_seen
from xomyen.centre.api.paging import page
from xomyen.centre.api.rows import carried_out, told, unchanged
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Day, Ending
from xomyen.centre.organisation.forms.registers import SchemeForm
from xomyen.centre.organisation.models import MandateDocument, Scheme
from xomyen.centre.organisation.seeing import seen_among, unit_seen_or_404
from xomyen.centre.organisation.services import registers
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, require_in

router = Router(auth=bearer(Scope.UNITS_READ), tags=["registers"])
_WRITE = bearer(Scope.UNITS_WRITE)
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Groups = Annotated[list[uuid.UUID], Field(max_length=500)]
_Documents = Annotated[list[uuid.UUID], Field(max_length=100)]


class SchemeOut(Schema):
    """A local camera model: its unit, residential groups and founding documents, as far as one sees them."""

    id: uuid.UUID
    unit: uuid.UUID
    name: str
    launched: datetime.date | None
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    groups: list[uuid.UUID]
    documents: list[uuid.UUID]


class SchemePage(Schema):
    items: list[SchemeOut]
    next: str | None


class SchemeFilter(RegisterFilter):
    document: uuid.UUID | None = None  # those that rest on it


class SchemeChange(Closed):
    """What is given is changed. Documents that one does not see stay."""

    name: _Name | None = None
    launched: Day | None = None
    valid_from: Day | None = None
    groups: _Groups | None = None  # of its unit
    documents: _Documents | None = None  # of its unit or of one above


class NewScheme(Closed):
    """A scheme to be entered."""

    unit: uuid.UUID
    name: _Name
    launched: Day | None = None
    valid_from: Day | None = None
    groups: _Groups = []
    documents: _Documents = []


@router.get("/schemes", response=SchemePage)
def list_schemes(request: HttpRequest, wanted: Query[SchemeFilter]) -> Any:
    """The schemes of one's units. Scope `units:read`."""
    rows = narrowed(request, Scheme.objects.prefetch_related("groups", "documents"), wanted, "name")
    if wanted.document is not None:
        papers = register_seen(request, MandateDocument.objects.filter(pk=wanted.document))
        rows = rows.filter(documents__in=papers)
    found, following = page(rows, wanted)
    return {"items": _schemes(request.user, found), "next": following}


@router.get("/schemes/{scheme}", response=SchemeOut)
def get_scheme(request: HttpRequest, scheme: uuid.UUID) -> Any:
    """One scheme. Scope `units:read`."""
    return _answer(request, _seen(request, scheme))


@router.post("/schemes", response={201: SchemeOut}, auth=_WRITE)
def add_scheme(request: HttpRequest, body: NewScheme) -> Any:
    """Enters a scheme of a unit. Scope `units:write`."""
    require(request.user, Action.SCHEME_EDIT)
    unit = unit_seen_or_404(request.user, body.unit)
    require_in(request.user, Action.SCHEME_EDIT, unit)
    made = carried_out(SchemeForm(request.user, unit, body.model_dump(exclude={"unit"})))
    return Status(201, _answer(request, made))


@router.patch("/schemes/{scheme}", response=SchemeOut, auth=_WRITE)
def change_scheme(request: HttpRequest, scheme: uuid.UUID, body: SchemeChange) -> Any:
    """Changes a scheme; `If-Match` names the version that was read. Scope `units:write`."""
    with transaction.atomic():
        found = _editable(request, scheme)
        found = unchanged(request, found, _revision)
        given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if _is_given(name, value)}
        groups, papers = list(found.groups.all()), list(found.documents.all())
        values: dict[str, Any] = {name: getattr(found, name) for name in ("name", "launched", "valid_from")}
        values |= {"groups": [one.pk for one in groups], "documents": [one.pk for one in papers]} | given
        if "documents" in given:
            seen = seen_among(request.user, (one.unit_id for one in papers))
            values["documents"] += [one.pk for one in papers if one.unit_id not in seen]
        changed = carried_out(SchemeForm(request.user, found, values))
    return _answer(request, changed)


@router.post("/schemes/{scheme}/end", response=SchemeOut, auth=_WRITE)
def end_scheme(request: HttpRequest, scheme: uuid.UUID, body: Ending) -> Any:
    """Ends a scheme. Scope `units:write`."""
    return _answer(request, registers.end_scheme(request.user, _editable(request, scheme), body.valid_to))


def _is_given(name: str, value: Any) -> bool:
    """A day may be taken away; a list or a name that is null was not meant."""
    return value is not None or name in ("launched", "valid_from")


def _seen(request: HttpRequest, key: uuid.UUID) -> Scheme:
    found: Scheme = get_object_or_404(register_seen(request, Scheme.objects.all()), pk=key)
    return found


def _editable(request: HttpRequest, key: uuid.UUID) -> Scheme:
    found = _seen(request, key)
    require_in(request.user, Action.SCHEME_EDIT, found.unit_id)
    return found


def _answer(request: HttpRequest, scheme: Scheme) -> dict[str, Any]:
    set_revision(request, _revision(scheme))
    return _schemes(request.user, [scheme])[0]


def _revision(scheme: Scheme) -> int:
    dates = (scheme.launched, scheme.valid_from, scheme.valid_to)
    links = ([str(one.pk) for one in rows.order_by("pk")] for rows in (scheme.groups, scheme.documents))
    return fingerprint(scheme.name, *map(str, dates), *links)


def _schemes(person: Any, rows: list[Scheme]) -> list[dict[str, Any]]:
    units = {group.pk for row in rows for group in row.groups.all()}
    seen = seen_among(person, units | {paper.unit_id for row in rows for paper in row.documents.all()})
    return [
        told(
            row,
            *("name", "launched", "valid_from", "valid_to"),
            unit=row.unit_id,
            groups=[group.pk for group in row.groups.all() if group.pk in seen],
            documents=[paper.pk for paper in row.documents.all() if paper.unit_id in seen],
        )
        for row in rows
    ]
