"""Regulations on use: their versions, and enacting another. They are accepted on the pages, by who has read them."""

import datetime
import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.accounts.forms import RegulationForm
from xomyen.centre.accounts.models import Regulation
from xomyen.centre.accounts.regulations import enact, kept_by, readable
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.rows import filled, listed, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Day
from xomyen.centre.dates import today
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.RULES_READ), tags=["regulations"])
_LONGEST = 200_000  # letters


class RegulationOut(Schema):
    """A version, which holds for its unit and all under it."""

    id: uuid.UUID
    unit: uuid.UUID
    version: int
    number: str
    title: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None  # the first day on which another took its place
    accepted: int | None  # by how many, for those who may enact it


class WholeRegulation(RegulationOut):
    """A version with its text."""

    text: str


class RegulationPage(Schema):
    items: list[RegulationOut]
    next: str | None


class AcceptedOut(Schema):
    """A version that one agreed to keep."""

    id: uuid.UUID
    regulation: uuid.UUID
    at: datetime.datetime


class AcceptedPage(Schema):
    items: list[AcceptedOut]
    next: str | None


class RegulationFilter(Paged):
    unit: uuid.UUID | None = None  # this one's alone


class Enacting(Closed):
    """From its first day on people accept it before they see pictures again."""

    unit: uuid.UUID
    title: Annotated[str, Field(min_length=1, max_length=200)]
    number: Annotated[str, Field(max_length=60)] = ""
    text: Annotated[str, Field(min_length=1, max_length=_LONGEST)]
    valid_from: Day | None = None  # today; not earlier


@router.get("/regulations", response=RegulationPage)
def list_regulations(request: HttpRequest, wanted: Query[RegulationFilter]) -> Any:
    """The regulations of the units where one may enact them, past and coming ones too. Scope `rules:read`."""
    require(request.user, Action.REGULATION_EDIT)
    rows = kept_by(request.user).defer("text")
    if wanted.unit is not None:
        rows = rows.filter(unit=wanted.unit)
    return listed(rows, wanted, _shown)


@router.get("/regulations/{regulation}", response=WholeRegulation)
def get_regulation(request: HttpRequest, regulation: uuid.UUID) -> Any:
    """One version with its text, for those who may enact it and those who accepted it. Scope `rules:read`."""
    return _whole(request, regulation)


@router.post("/regulations", response={201: WholeRegulation}, auth=bearer(Scope.RULES_WRITE))
def enact_regulation(request: HttpRequest, body: Enacting) -> Any:
    """Enacts another version, which takes the place of the one before on its first day. Scope `rules:write`."""
    require(request.user, Action.REGULATION_EDIT)
    form = filled(RegulationForm(request.user, body.model_dump() | {"valid_from": body.valid_from or today()}))
    values = form.cleaned_data
    names = ("unit", "valid_from", "title", "text", "number")
    made = enact(made_by=request.user, **{name: values[name] for name in names})
    return Status(201, _whole(request, made.pk))


@router.get("/me/regulations", response=AcceptedPage)
def list_accepted(request: HttpRequest, wanted: Query[Paged]) -> Any:
    """What one accepted oneself. Scope `rules:read`."""
    rows = request.user.acceptances.all()
    return listed(rows, wanted, lambda one: told(one, "at", regulation=one.regulation_id))


def _whole(request: HttpRequest, key: uuid.UUID) -> dict[str, Any]:
    found: Regulation = get_object_or_404(readable(request.user), pk=key)
    return _shown(kept_by(request.user).filter(pk=found.pk).first() or found) | {"text": found.text}


def _shown(row: Regulation) -> dict[str, Any]:
    names = ("version", "number", "title", "valid_from", "valid_to")
    return told(row, *names, unit=row.unit_id, accepted=getattr(row, "accepted", None))
