"""The cameras somebody may watch, to choose among: by unit, found by what they are called."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from xomyen.centre.cameras.models import Camera
from xomyen.centre.folding import fold, has_marks, matches
from xomyen.centre.watch import services
from xomyen.centre.watch.views.asking import told

_MOST = 300  # in one answer; of more the search is narrowed


@require_GET
def cameras(request: HttpRequest) -> HttpResponse:
    """By unit; `q` finds names, codes and sites, without regard to tone marks unless some are typed."""
    wanted = request.GET.get("q", "").strip()[:100]
    rows = services.watched(request.user).select_related("site__unit").order_by("site__unit__code", "order", "code")
    if wanted:
        rows = rows.filter(folded__contains=fold(wanted))
    found = list(rows[: _MOST + 1])
    if has_marks(wanted):
        found = [camera for camera in found if matches(wanted, f"{camera.code} {camera.name} {camera.site.name}")]
    units: dict[Any, dict[str, Any]] = {}
    for camera in found[:_MOST]:
        unit = camera.site.unit
        units.setdefault(unit.pk, {"name": unit.full_name, "cameras": []})["cameras"].append(_line(camera))
    return told({"units": list(units.values()), "more": len(found) > _MOST})


def _line(camera: Camera) -> dict[str, Any]:
    return {"id": str(camera.pk), "code": camera.code, "name": camera.name, "site": camera.site.name}
