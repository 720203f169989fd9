"""The registers of mandate documents and of schemes."""

import datetime
import uuid
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Day, LongName, Sought
from xomyen.centre.dates import today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.forms.registers import DocumentForm
from xomyen.centre.organisation.models import DocumentKind, MandateDocument, Scheme
from xomyen.centre.organisation.seeing import seen_among, unit_seen_or_404, units_seen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, require_in

router = Router(auth=bearer(Scope.UNITS_READ), tags=["registers"])


class DocumentOut(Schema):
    """A document on which something rests."""

    id: uuid.UUID
    unit: uuid.UUID
    kind: DocumentKind
    number: str
    title: str
    issuer: str
    issued: datetime.date
    valid_from: datetime.date | None
    valid_to: datetime.date | None


class DocumentPage(Schema):
    items: list[DocumentOut]
    next: str | None


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


class RegisterFilter(Paged):
    q: Sought = ""
    ended: bool = False  # those no longer in force too


class NewDocument(Closed):
    """A document to be entered."""

    unit: uuid.UUID
    kind: DocumentKind
    number: Annotated[str, Field(min_length=1, max_length=60)]
    title: Annotated[str, Field(min_length=1, max_length=300)]
    issuer: LongName
    issued: Day
    valid_from: Day | None = None
    valid_to: Day | None = None  # the first day on which it is not in force any more


@router.get("/documents", response=DocumentPage)
def list_documents(request: HttpRequest, wanted: Query[RegisterFilter]) -> Any:
    """The mandate documents of one's units. Scope `units:read`."""
    found, following = page(_narrowed(request, MandateDocument.objects.all(), wanted), wanted)
    return {"items": [_document(one) for one in found], "next": following}


@router.get("/documents/{document}", response=DocumentOut)
def get_document(request: HttpRequest, document: uuid.UUID) -> Any:
    """One mandate document. Scope `units:read`."""
    return _document(get_object_or_404(_seen(request, MandateDocument.objects.all()), pk=document))


@router.post("/documents", response={201: DocumentOut}, auth=bearer(Scope.UNITS_WRITE))
def add_document(request: HttpRequest, body: NewDocument) -> Any:
    """Enters a mandate document. Scope `units:write`."""
    require(request.user, Action.SCHEME_EDIT)
    unit = unit_seen_or_404(request.user, body.unit)
    require_in(request.user, Action.SCHEME_EDIT, unit)
    values = body.model_dump()
    if body.valid_to is not None:
        values["valid_to"] = body.valid_to - datetime.timedelta(days=1)  # forms ask for the last day
    form = DocumentForm(request.user, unit, values)
    made = form.carried_out()
    if made is None:
        raise ValidationError(form.errors.as_data())
    return Status(201, _document(made))


@router.get("/schemes", response=SchemePage)
def list_schemes(request: HttpRequest, wanted: Query[RegisterFilter]) -> Any:
    """The schemes of one's units. Scope `units:read`."""
    rows = Scheme.objects.prefetch_related("groups", "documents")
    found, following = page(_narrowed(request, rows, wanted), wanted)
    return {"items": _schemes(request.user, found), "next": following}


@router.get("/schemes/{scheme}", response=SchemeOut)
def get_scheme(request: HttpRequest, scheme: uuid.UUID) -> Any:
    """One scheme. Scope `units:read`."""
    return _schemes(request.user, [get_object_or_404(_seen(request, Scheme.objects.all()), pk=scheme)])[0]


def _seen(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    require(request.user, Action.UNIT_SEE)
    return rows.filter(unit__in=units_seen(request.user).values("pk"))


def _narrowed(request: HttpRequest, rows: QuerySet[Any], wanted: RegisterFilter) -> QuerySet[Any]:
    found = _seen(request, rows).filter(folded__contains=fold(wanted.q))
    return found if wanted.ended else found.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))


def _document(row: MandateDocument) -> dict[str, Any]:
    names = ("kind", "number", "title", "issuer", "issued", "valid_from", "valid_to")
    return {name: getattr(row, name) for name in names} | {"id": row.pk, "unit": row.unit_id}


def _schemes(person: Any, rows: list[Scheme]) -> list[dict[str, Any]]:
    units = {group.pk for row in rows for group in row.groups.all()}
    seen = seen_among(person, units | {paper.unit_id for row in rows for paper in row.documents.all()})
    names = ("name", "launched", "valid_from", "valid_to")
    return [
        {name: getattr(row, name) for name in names}
        | {
            "id": row.pk,
            "unit": row.unit_id,
            "groups": [group.pk for group in row.groups.all() if group.pk in seen],
            "documents": [paper.pk for paper in row.documents.all() if paper.unit_id in seen],
        }
        for row in rows
    ]
