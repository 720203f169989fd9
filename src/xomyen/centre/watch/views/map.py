"""The map: where sites are and which way their cameras look, on the operator's own map or on plain ground."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require
from xomyen.centre.watch import services
from xomyen.centre.watch.views.asking import told

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")
_CHUNK = 256 << 10


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
    """Sites with their cameras, and the units they belong to, as far as they have a position."""
    require(request.user, Action.CAMERA_SEE)
    sites: dict[Any, dict[str, Any]] = {}
    units: dict[Any, dict[str, Any]] = {}
    seen = {str(key) for key in services.watched(request.user).values_list("pk", flat=True)}
    for camera in services.placed(request.user):
        site, unit = camera.site, camera.site.unit
        if unit.latitude is not None and unit.longitude is not None:
            units[unit.pk] = {"name": unit.full_name, "at": [unit.longitude, unit.latitude]}
        place = sites.setdefault(
            site.pk,
            {
                "name": site.name,
                "code": site.code,
                "unit": unit.full_name,
                "at": [site.longitude, site.latitude],
                "cameras": [],
            },
        )
        place["cameras"].append(
            {
                "id": str(camera.pk),
                "code": camera.code,
                "name": camera.name,
                "azimuth": camera.azimuth_deg,
                "view": camera.field_of_view_deg,
                "watched": str(camera.pk) in seen,
            }
        )
    return told({"sites": list(sites.values()), "units": list(units.values())})


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
