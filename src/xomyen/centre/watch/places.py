"""What the map shows: sites while they are few, else how many lie where, and for the list beside it by unit."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, FloatField, Max, Min, QuerySet
from django.db.models.functions import Floor

from xomyen.centre.cameras.models import Acceptance, Camera
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible
from xomyen.centre.watch.listing import LOST, state_of, with_state
from xomyen.centre.watch.services import watched

MOST_DRAWN = 600  # cameras whose sites are told one by one
MOST_LISTED = 300  # units, or bunches, in one answer
_LONGITUDE, _LATITUDE = "site__longitude", "site__latitude"
_BOX = {"west": Min(_LONGITUDE), "south": Min(_LATITUDE), "east": Max(_LONGITUDE), "north": Max(_LATITUDE)}


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the map, degrees."""

    west: float
    south: float
    east: float
    north: float


def placed(person: Any, area: Area | None = None) -> QuerySet[Camera]:
    """The cameras whose place on the map the person may know, and that have one; in the area."""
    rows = Camera.objects.filter(site__latitude__isnull=False, site__longitude__isnull=False)
    rows = visible(person, Action.CAMERA_SEE, rows.exclude(acceptance=Acceptance.RETIRED))
    if area is None:
        return rows
    return rows.filter(
        site__longitude__gte=area.west,
        site__longitude__lte=area.east,
        site__latitude__gte=area.south,
        site__latitude__lte=area.north,
    )


def sites(person: Any, rows: QuerySet[Camera]) -> tuple[list[dict[str, Any]], bool]:
    """The sites of the first MOST_DRAWN of these cameras with all that is drawn of them; and whether there are more."""
    listed = with_state(rows).order_by("site__code", "site", "order", "code", "pk")
    found = list(
        listed.values_list(
            *("pk", "code", "name", "azimuth_deg", "field_of_view_deg", "is_lost", "is_heard", "site", "site__code"),
            *("site__name", _LONGITUDE, _LATITUDE, "site__unit", "site__unit__type_name", "site__unit__name"),
        )[: MOST_DRAWN + 1]
    )
    more = len(found) > MOST_DRAWN
    del found[MOST_DRAWN:]
    seen = set(watched(person).filter(pk__in=[line[0] for line in found]).values_list("pk", flat=True))
    told: dict[uuid.UUID, dict[str, Any]] = {}
    for pk, code, name, azimuth, view, is_lost, is_heard, site, site_code, site_name, *where in found:
        longitude, latitude, unit, kind, unit_name = where
        place = told.setdefault(
            site,
            {
                "id": str(site),
                "name": site_name,
                "code": site_code,
                "unit": f"{kind} {unit_name}".strip(),
                "unit_id": str(unit),
                "at": [longitude, latitude],
                "cameras": [],
            },
        )
        place["cameras"].append(
            {
                "id": str(pk),
                "code": code,
                "name": name,
                "azimuth": azimuth,
                "view": view,
                "state": state_of(is_lost, is_heard),
                "watched": pk in seen,
            }
        )
    return list(told.values()), more


def units_of(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The units in which the sites lie, as far as they have a position."""
    keys = {site["unit_id"] for site in told}
    units = Unit.objects.filter(pk__in=keys, latitude__isnull=False, longitude__isnull=False).order_by("code", "pk")
    return [{"name": unit.full_name, "at": [unit.longitude, unit.latitude]} for unit in units]


def bunches(rows: QuerySet[Camera], cell_deg: float) -> list[dict[str, Any]]:
    """How many cameras lie in each cell of a grid of so many degrees, where their middle is, and how many are lost."""
    x = Floor(F(_LONGITUDE) / cell_deg, output_field=FloatField())
    y = Floor(F(_LATITUDE) / cell_deg, output_field=FloatField())
    cells = rows.order_by().annotate(x=x, y=y).values("x", "y")
    lines = cells.annotate(
        **_COUNTS, **_BOX, longitude=Avg(_LONGITUDE), latitude=Avg(_LATITUDE)
    ).order_by("-all")[:MOST_LISTED]  # fmt: skip
    return [{**_counted(line), "at": [line["longitude"], line["latitude"]]} for line in lines]


def by_unit(rows: QuerySet[Camera]) -> tuple[list[dict[str, Any]], bool]:
    """The units with how many sites and cameras each has, those with lost ones first; and whether there are more."""
    names = ("site__unit", "site__unit__type_name", "site__unit__name", "site__unit__code")
    counted = rows.order_by().values(*names).annotate(**_COUNTS, **_BOX)
    found = list(counted.order_by("-lost", "site__unit__code", "site__unit")[: MOST_LISTED + 1])
    units = [
        {
            **_counted(line),
            "id": str(line["site__unit"]),
            "name": f"{line['site__unit__type_name']} {line['site__unit__name']}".strip(),
        }
        for line in found[:MOST_LISTED]
    ]
    return units, len(found) > MOST_LISTED


def box_of(rows: QuerySet[Camera]) -> list[float] | None:
    """West, south, east and north of all of them; None without any."""
    found = rows.order_by().aggregate(**_BOX)
    return None if found["west"] is None else _box(found)


_COUNTS = {"sites": Count("site", distinct=True), "all": Count("pk"), "lost": Count("pk", filter=LOST)}


def _counted(line: dict[str, Any]) -> dict[str, Any]:
    return {"sites": line["sites"], "cameras": line["all"], "lost": line["lost"], "box": _box(line)}


def _box(line: dict[str, Any]) -> list[float]:
    return [line["west"], line["south"], line["east"], line["north"]]
