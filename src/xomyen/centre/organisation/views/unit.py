"""The page of one unit: what it is, where it hangs, what it came from and became, and what it has."""

import datetime
import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Jurisdiction, MandateDocument, Scheme, Unit
from xomyen.centre.organisation.seeing import call_as_on, children_on, day_of, paths, seen_among, unit_seen_or_404
from xomyen.centre.organisation.services.history import told_changes
from xomyen.centre.organisation.services.matters import decides, open_matters
from xomyen.centre.organisation.views.tree import PLACE, asked_day, level
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may_in

_FEW = 5  # papers and schemes on the page; their lists have all


@require_GET
def unit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One unit, as of the day of the address or of its own time."""
    person = request.user
    found = unit_seen_or_404(person, pk)
    day = day_of(found, asked_day(request))
    call_as_on([found], day)
    ended = found.valid_to is not None and found.valid_to <= today()
    context: dict[str, Any] = {
        "unit": found,
        "on": day,
        "is_today": day == today(),
        "ended": ended,
        "matters": open_matters(found) if ended and decides(person) else None,
        "way": paths(person, [found], day)[found.pk],
        "below": level(children_on(person, found, day), request, day) | {"parent": found},
        "former_names": found.former_names.all(),
        "posts": _posts(found, day),
        "schemes": _schemes(found, day),
        "documents": _documents(found, day)[: _FEW + 1],
        "few": _FEW,
        "changes": told_changes(found),
        "can_edit": may_in(person, Action.UNIT_EDIT, found),
        "can_edit_posts": may_in(person, Action.POST_EDIT, found),
        "can_edit_schemes": may_in(person, Action.SCHEME_EDIT, found),
        "active_place": PLACE,
    }
    context |= _lineage(person, found)
    return render(request, "organisation/unit.html", context)


def _posts(unit: Unit, day: datetime.date) -> list[Jurisdiction]:
    """Posts that answer for the unit itself on the day."""
    rows = Jurisdiction.objects.filter(in_force(day), in_force(day, "post__"), unit=unit)
    return list(rows.select_related("post").order_by("post__name"))


def _schemes(unit: Unit, day: datetime.date) -> list[Scheme]:
    """Schemes of the unit or that it is a part of, on the day."""
    return list((unit.schemes.filter(in_force(day)) | unit.part_of_schemes.filter(in_force(day))).distinct())


def _documents(unit: Unit, day: datetime.date) -> QuerySet[MandateDocument]:
    """The unit's papers; on an earlier day, those that there were."""
    rows = MandateDocument.objects.filter(unit=unit)
    return rows if day >= today() else rows.filter(issued__lte=day)


def _lineage(person: Any, unit: Unit) -> dict[str, Any]:
    """What it came from and what it became, each with whether the person may open it."""
    before = list(unit.took_over_from.select_related("predecessor").order_by("on", "predecessor__code"))
    after = list(unit.succeeded_by.select_related("successor").order_by("on", "successor__code"))
    related = {row.predecessor_id for row in before} | {row.successor_id for row in after}
    seen = seen_among(person, related)
    return {
        "predecessors": [(row, row.predecessor, row.predecessor_id in seen) for row in before],
        "successors": [(row, row.successor, row.successor_id in seen) for row in after],
    }
