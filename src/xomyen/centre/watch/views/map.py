"""The map: where sites are and which way their cameras look, on the operator's own map or on plain ground."""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require
from xomyen.centre.watch import places, services
from xomyen.centre.watch.listing import called
from xomyen.centre.watch.views.asking import told

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")
_CHUNK = 256 << 10
_THUMB_PX = 72
_CELLS_ACROSS = 24
_LEAST_DEG = 1e-5


@require_GET
def map_page(request: HttpRequest) -> HttpResponse:
    """The map, with a list of the same for those who do not use it."""
    require(request.user, Action.CAMERA_SEE)
    live = may(request.user, Action.VIEW_LIVE)
    start = {
        "tickets": reverse("watch:tickets") if live else "",
        "map": reverse("watch:map_places"),
        "tiles": reverse("watch:map_tiles") if settings.CENTRE.map_file else "",
        "viewer": str(request.user),
    }
    response = render(request, "watch/map.html", {"active_place": "watch:map", "start": start})
    response.node_origins = services.origins_for(request.user, request.get_host()) if live else ()
    return response


@require_GET
def map_places(request: HttpRequest) -> HttpResponse:
    """What lies in a part of the map (`in`: west, south, east, north; `zoom`), or everywhere; `q` finds sites anywhere.

    Sites one by one while they are few; else how many there are where, and by unit.
    """
    require(request.user, Action.CAMERA_SEE)
    if wanted := request.GET.get("q", "").strip()[:100]:
        sites, more = places.sites(request.user, called(places.placed(request.user), wanted, places.MOST_DRAWN))
        return told({"sites": sites, "more": more})
    asked = _Asked.of(request)
    rows = places.placed(request.user, asked.area)
    document: dict[str, Any] = {"box": None if asked.area else places.box_of(rows), "bunches": [], "more": False}
    if rows.count() <= places.MOST_DRAWN:
        sites, _more = places.sites(request.user, rows)
        return told({**document, "sites": sites, "units": places.units_of(sites)})
    units, more = places.by_unit(rows)
    bunches = places.bunches(rows, asked.cell_deg(document["box"]))
    return told({**document, "sites": None, "units": units, "bunches": bunches, "more": more})


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which part of the map, and how near."""

    area: places.Area | None
    zoom: float | None

    @classmethod
    def of(cls, request: HttpRequest) -> "_Asked":
        try:
            edges = [float(edge) for edge in request.GET.get("in", "").split(",") if edge]
            zoom = float(request.GET["zoom"]) if "zoom" in request.GET else None
        except ValueError:
            raise Http404 from None
        numbers = [*edges, 0.0 if zoom is None else zoom]
        if len(edges) not in (0, 4) or not all(math.isfinite(number) for number in numbers):
            raise Http404
        if not edges:
            return cls(None, zoom)
        bounds = zip(edges, (180, 90, 180, 90), strict=True)
        return cls(places.Area(*(min(most, max(-most, edge)) for edge, most in bounds)), zoom)

    def cell_deg(self, box: list[float] | None) -> float:
        """The side of a cell in which sites are counted together: as wide as a thumb, and never more than are told."""
        if self.area is None:
            west, south, east, north = box or (-180.0, -90.0, 180.0, 90.0)
        else:
            west, south, east, north = self.area.west, self.area.south, self.area.east, self.area.north
        fewest = max(east - west, north - south) / _CELLS_ACROSS
        # The world is 512 pixels wide at zoom 0.
        thumb = 0.0 if self.zoom is None else 360 / 512 * _THUMB_PX / 2 ** min(24.0, max(0.0, self.zoom))
        return max(fewest, thumb, _LEAST_DEG)


@require_safe
def map_tiles(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The operator's PMTiles file, in the pieces that are asked for (RFC 9110 §14)."""
    require(request.user, Action.CAMERA_SEE)
    path: Path | None = settings.CENTRE.map_file
    if path is None or not path.is_file():
        raise Http404
    status = path.stat()
    size, tag = status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "Cache-Control": "private, no-cache"}
    asked = _RANGE.match(request.headers.get("Range", ""))
    start, end, code = 0, size, 200
    if asked is not None:
        start, end, code = int(asked[1]), min(size, int(asked[2] or size - 1) + 1), 206
        if start >= end:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    kind = "application/vnd.pmtiles"
    if request.method == "HEAD":
        return HttpResponse(status=code, headers=headers, content_type=kind)
    return StreamingHttpResponse(_pieces(path, start, end), status=code, headers=headers, content_type=kind)


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        while start < end and (piece := file.read(min(_CHUNK, end - start))):
            start += len(piece)
            yield piece
