"""The page of the unit tree as of a day, and its search."""

import datetime
import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from xomyen.centre.dates import today
from xomyen.centre.organisation.models import UnitQuerySet
from xomyen.centre.organisation.seeing import call_as_on, children_on, found_on, paths, tops_on, unit_seen_or_404
from xomyen.centre.organisation.services.matters import count_open, decides
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

PLACE = "organisation:tree"
_ROWS = 100  # of one level at a time
_FOUND = 30  # a page of results


def asked_day(request: HttpRequest) -> datetime.date:
    """The day of the address (`?on=2025-06-30`), else today."""
    try:
        return parse_date(request.GET.get("on", "")) or today()
    except ValueError:  # well formed, but no day: 2025-02-31
        return today()


def level(units: UnitQuerySet, request: HttpRequest, day: datetime.date) -> dict[str, Any]:
    """A stretch of one level of the tree."""
    start = request.GET.get("after", "")
    offset = int(start) if start.isdecimal() and len(start) < 6 else 0
    rows = list(units.order_by("code", "pk")[offset : offset + _ROWS + 1])
    call_as_on(rows, day)
    return {"units": rows[:_ROWS], "more_after": offset + _ROWS if len(rows) > _ROWS else None, "on": day}


@require_GET
def tree(request: HttpRequest) -> HttpResponse:
    """The units one sees on the day, or those found by name or code."""
    require(request.user, Action.UNIT_SEE)
    day = asked_day(request)
    text = request.GET.get("q", "").strip()[:100]
    ended = bool(request.GET.get("ended"))
    context: dict[str, Any] = {"on": day, "is_today": day == today(), "q": text, "ended": ended, "active_place": PLACE}
    if text:
        page = Paginator(found_on(request.user, text, None if ended else day), _FOUND).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        call_as_on(rows, day)
        ways = paths(request.user, rows, day)
        found = [(unit, ways[unit.pk], unit.valid_to is not None and unit.valid_to <= day) for unit in rows]
        context |= {"page": page, "found": found}
    else:
        tops = level(tops_on(request.user, day), request, day)
        context |= tops
        if len(tops["units"]) == 1:
            only = tops["units"][0]
            context["opened"] = level(children_on(request.user, only, day), request, day) | {"parent": only}
    if request.headers.get("HX-Target") == "units":
        return render(request, "organisation/_units.html", context)
    context["open_matters"] = count_open(request.user) if decides(request.user) else 0
    return render(request, "organisation/tree.html", context)


@require_GET
def children(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The level under a unit, for the tree that opens it."""
    unit = unit_seen_or_404(request.user, pk)
    day = asked_day(request)
    context = level(children_on(request.user, unit, day), request, day)
    return render(request, "organisation/_level.html", context | {"parent": unit, "is_today": day == today()})
