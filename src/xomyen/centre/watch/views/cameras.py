"""The cameras somebody may watch, to choose among: by unit, found by what they are called."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from xomyen.centre.watch import listing, services
from xomyen.centre.watch.views.asking import told


@require_GET
def cameras(request: HttpRequest) -> HttpResponse:
    """Units with their cameras; of too many the units alone, each to be asked for (`unit`, `own`).

    `q` finds names, codes, sites and units, without regard to tone marks unless some are typed.
    """
    wanted = request.GET.get("q", "").strip()[:100]
    rows = services.watched(request.user)
    unit = _unit(request.GET.get("unit", ""))
    own = "own" in request.GET
    if unit is not None:
        rows = listing.under(rows, unit, own)
    if wanted:
        rows = listing.called(rows, wanted, listing.MOST)
    elif not own and rows.count() > listing.MOST:
        found = listing.branches(rows) if unit is None else listing.branches_of(rows, unit)
        if len(found) > 1:
            return told({"branches": found})
    units, more = listing.by_unit(rows)
    return told({"units": units, "more": more})


def _unit(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise Http404 from None
