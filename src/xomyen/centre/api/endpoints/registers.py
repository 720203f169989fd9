"""The register of mandate documents."""

import datetime
import uuid
from typing import Annotated, Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, set_revision
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.rows import carried_out, listed, sought, told, unchanged
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Day, LongName, Sought
from xomyen.centre.dates import today
from xomyen.centre.organisation.forms.registers import DocumentForm
from xomyen.centre.organisation.models import DocumentKind, MandateDocument
from xomyen.centre.organisation.seeing import unit_seen_or_404, units_seen
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


class RegisterFilter(Paged):
    q: Sought = ""
    ended: bool = False  # those no longer in force too


_Number = Annotated[str, Field(min_length=1, max_length=60)]
_Title = Annotated[str, Field(min_length=1, max_length=300)]
_FIELDS = ("kind", "number", "title", "issuer", "issued", "valid_from", "valid_to")


class DocumentChange(Closed):
    """What is given is changed."""

    unit: uuid.UUID | None = None
    kind: DocumentKind | None = None
    number: _Number | None = None
    title: _Title | None = None
    issuer: LongName | None = None
    issued: Day | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class NewDocument(Closed):
    """A document to be entered."""

    unit: uuid.UUID
    kind: DocumentKind
    number: _Number
    title: _Title
    issuer: LongName
    issued: Day
    valid_from: Day | None = None
    valid_to: Day | None = None  # the first day on which it is not in force any more


@router.get("/documents", response=DocumentPage)
def list_documents(request: HttpRequest, wanted: Query[RegisterFilter]) -> Any:
    """The mandate documents of one's units. Scope `units:read`."""
    return listed(narrowed(request, MandateDocument.objects.all(), wanted, "title"), wanted, _document)


@router.get("/documents/{document}", response=DocumentOut)
def get_document(request: HttpRequest, document: uuid.UUID) -> Any:
    """One mandate document. Scope `units:read`."""
    return _answer(request, get_object_or_404(register_seen(request, MandateDocument.objects.all()), pk=document))


@router.post("/documents", response={201: DocumentOut}, auth=bearer(Scope.UNITS_WRITE))
def add_document(request: HttpRequest, body: NewDocument) -> Any:
    """Enters a mandate document. Scope `units:write`."""
    require(request.user, Action.SCHEME_EDIT)
    unit = unit_seen_or_404(request.user, body.unit)
    require_in(request.user, Action.SCHEME_EDIT, unit)
    made = carried_out(DocumentForm(request.user, unit, _for_the_form(body.model_dump())))
    return Status(201, _answer(request, made))


@router.patch("/documents/{document}", response=DocumentOut, auth=bearer(Scope.UNITS_WRITE))
def change_document(request: HttpRequest, document: uuid.UUID, body: DocumentChange) -> Any:
    """Mends a document's entry, or says until when it is in force; `If-Match` names the version that was read.

    Scope `units:write`.
    """
    with transaction.atomic():
        found = get_object_or_404(register_seen(request, MandateDocument.objects.all()), pk=document)
        require_in(request.user, Action.SCHEME_EDIT, found.unit_id)
        found = unchanged(request, found, _revision)
        values = {name: getattr(found, name) for name in _FIELDS} | {"unit": found.unit_id}
        values = _for_the_form(values | body.model_dump(exclude_unset=True))
        changed = carried_out(DocumentForm(request.user, found, values))
    return _answer(request, changed)


def _for_the_form(values: dict[str, Any]) -> dict[str, Any]:
    """The same as people type it: they are asked for the last day."""
    end = values["valid_to"]
    return values if end is None else values | {"valid_to": end - datetime.timedelta(days=1)}


def register_seen(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows of a register that lie in one's units."""
    require(request.user, Action.UNIT_SEE)
    return rows.filter(unit__in=units_seen(request.user).values("pk"))


def narrowed(request: HttpRequest, rows: QuerySet[Any], wanted: RegisterFilter, called: str) -> QuerySet[Any]:
    """Those of them that are asked for; `called` is the field with their name."""
    found = sought(register_seen(request, rows), wanted.q, called)
    return found if wanted.ended else found.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))


def _answer(request: HttpRequest, document: MandateDocument) -> dict[str, Any]:
    set_revision(request, _revision(document))
    return _document(document)


def _revision(document: MandateDocument) -> int:
    return fingerprint(str(document.unit_id), *(str(getattr(document, name)) for name in _FIELDS))


def _document(row: MandateDocument) -> dict[str, Any]:
    return told(row, *_FIELDS, unit=row.unit_id)
