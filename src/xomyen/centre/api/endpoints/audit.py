"""The audit log; reading it is recorded in it."""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.paging import MOST
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Sought
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.queries import Wanted, page_of, readable
from xomyen.centre.audit.services import record
from xomyen.centre.audit.views import export_answer
from xomyen.centre.audit.words import Kind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.AUDIT_READ), tags=["audit"])
_Ns = Annotated[int, Field(ge=0, lt=2**63)]


class Named(Schema):
    id: str
    name: str


class Thing(Schema):
    type: str
    id: str
    label: str


class InUnit(Schema):
    id: uuid.UUID | None
    label: str


class RecordOut(Schema):
    """A row of the chain."""

    sequence: int
    id: uuid.UUID
    at_ns: int
    action: str
    kind: str
    person: Named
    thing: Thing
    unit: InUnit
    purpose: str
    address: str
    source: str  # id of the recorder that told of it; empty: the centre
    details: dict[str, Any]
    digest: str
    hash: str


class RecordPage(Schema):
    items: list[RecordOut]
    next: str | None


class Narrowing(Schema):
    """What of the log is wanted."""

    who: Sought = ""  # name or id
    kind: Kind | None = None
    unit: Sought = ""  # name, code or id; with all under it
    camera: Sought = ""  # name, code or id
    from_ns: _Ns | None = None
    to_ns: _Ns | None = None

    def wanted(self) -> Wanted:
        """The same for the log."""
        return Wanted(self.who, self.kind or "", self.unit, self.camera, self.from_ns, self.to_ns)


class RecordFilter(Narrowing):
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[str, Field(max_length=200)] = ""


class Exporting(Narrowing):
    """What is to be in the file."""

    model_config = ConfigDict(extra="forbid")


_FILE = {
    "responses": {
        200: {
            "description": "JSON Lines in which the chain can be checked: `xomyen audit verify FILE`",
            "content": {"application/jsonl": {"schema": {"type": "string"}}},
        }
    }
}


@router.get("/audit", response=RecordPage)
def list_records(request: HttpRequest, wanted: Query[RecordFilter]) -> Any:
    """The audit log of one's units, newest first. Scope `audit:read`."""
    require(request.user, Action.AUDIT_READ)
    asked = wanted.wanted()
    found = page_of(asked.narrow(readable(request.user)), wanted.limit, wanted.cursor)
    record("audit.read", request=request, details=asked.said())
    return {"items": [_shown(row) for row in found.rows], "next": found.older or None}


@router.post("/audit/export", auth=bearer(Scope.AUDIT_EXPORT), openapi_extra=_FILE)
def export_records(request: HttpRequest, body: Exporting) -> Any:
    """What is wanted of the log, as the page exports it: signed, and recorded. Scope `audit:export`."""
    return export_answer(request, body.wanted())


@router.get("/audit/{sequence}", response=RecordOut)
def get_record(request: HttpRequest, sequence: int) -> Any:
    """One row. Scope `audit:read`."""
    require(request.user, Action.AUDIT_READ)
    row = get_object_or_404(readable(request.user), sequence=min(max(sequence, 0), 2**63 - 1))
    record("audit.read", request=request, details={"sequence": row.sequence})
    return _shown(row)


def _shown(row: Record) -> dict[str, Any]:
    names = ("sequence", "id", "at_ns", "action", "kind", "purpose", "address", "source", "digest", "hash")
    try:
        details = row.details
    except ValueError:  # somebody made it unreadable; `xomyen audit verify` says so
        details = {}
    return {name: getattr(row, name) for name in names} | {
        "person": {"id": row.person, "name": row.person_name},
        "thing": {"type": row.thing_type, "id": row.thing, "label": row.thing_label},
        "unit": {"id": row.unit, "label": row.unit_label},
        "details": details,
    }
