"""What is still held or registered at units that ended, and handing it to the unit that goes on."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Query, Router, Schema

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.units import UnitOut, answer
from xomyen.centre.api.paging import Paged, page_of_few
from xomyen.centre.api.rows import carried_out
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.organisation.forms.changes import HandOverForm
from xomyen.centre.organisation.models import Unit
from xomyen.centre.organisation.seeing import unit_seen_or_404
from xomyen.centre.organisation.services.matters import OpenMatters, all_open, decides
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, require_in

router = Router(auth=bearer(Scope.UNITS_READ), tags=["units"])
_KINDS = ("appointments", "jurisdictions", "schemes", "sites", "nodes")


class MattersOut(Schema):
    """Of a unit that ended: the ids of what outlasted it. Appointments are decided one by one."""

    unit: uuid.UUID
    appointments: list[uuid.UUID]
    jurisdictions: list[uuid.UUID]
    schemes: list[uuid.UUID]
    sites: list[uuid.UUID]
    nodes: list[uuid.UUID]


class MattersPage(Schema):
    items: list[MattersOut]
    next: str | None


class HandingOver(Closed):
    successor: uuid.UUID  # one that it became a part of, or that it hangs under


@router.get("/open-matters", response=MattersPage)
def list_open_matters(request: HttpRequest, wanted: Query[Paged]) -> Any:
    """The ended units at which something is open, for those who can decide about it. Scope `units:read`."""
    if not decides(request.user):
        raise PermissionDenied(str(Action.UNIT_EDIT))
    found, following = page_of_few(all_open(request.user), wanted, lambda pair: pair[0].pk)
    return {"items": [_matters(unit, open_there) for unit, open_there in found], "next": following}


@router.post("/units/{unit}/hand-over", response=UnitOut, auth=bearer(Scope.UNITS_WRITE))
def hand_over(request: HttpRequest, unit: uuid.UUID, body: HandingOver) -> Any:
    """Sites, recorders, schemes and the answerability of posts go to the successor today. Scope `units:write`."""
    require(request.user, Action.UNIT_EDIT)
    found = unit_seen_or_404(request.user, unit)
    require_in(request.user, Action.UNIT_EDIT, found)
    return answer(request, carried_out(HandOverForm(request.user, found, {"successor": body.successor})))


def _matters(unit: Unit, found: OpenMatters) -> dict[str, Any]:
    return {"unit": unit.pk} | {name: [row.pk for row in getattr(found, name)] for name in _KINDS}
