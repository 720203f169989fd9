"""Bookmarks: moments to find again."""

import uuid
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch import keeping, services
from xomyen.centre.watch.models import Bookmark
from xomyen.centre.watch.views.asking import for_scripts, read, refusing, told

_A_PAGE = 25
_MOST = 100  # of one camera beside its player


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    camera: uuid.UUID
    at: AwareDatetime
    note: Annotated[str, Field(min_length=1, max_length=300)]


@require_http_methods(["GET", "POST"])
@for_scripts
def bookmarks(request: HttpRequest) -> HttpResponse:
    """Those of one camera, newest moment first; POST adds one."""
    require(request.user, Action.BOOKMARK)
    if request.method == "POST":
        asked = read(request, _Asked)
        camera = get_object_or_404(services.watched(request.user, Action.BOOKMARK), pk=asked.camera)
        with refusing():
            made = keeping.add_bookmark(request.user, camera, asked.at, asked.note)
        return told(_line(made, request.user), 201)
    try:
        camera_id = uuid.UUID(request.GET.get("camera", ""))
    except ValueError:
        raise Http404 from None
    rows = services.bookmarks_of(request.user).filter(camera=camera_id)[:_MOST]
    return told({"bookmarks": [_line(row, request.user) for row in rows]})


@require_http_methods(["DELETE"])
def bookmark(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Whoever made it takes it away."""
    found = get_object_or_404(services.bookmarks_of(request.user), pk=key)
    try:
        keeping.remove_bookmark(request.user, found)
    except PermissionDenied:
        return HttpResponse(status=403)
    return HttpResponse(status=204)


@require_GET
def bookmark_list(request: HttpRequest) -> HttpResponse:
    """All that the person may see, searched by note and camera."""
    require(request.user, Action.BOOKMARK)
    wanted = request.GET.get("q", "").strip()[:100]
    rows = services.bookmarks_of(request.user)
    if wanted:
        rows = services.bookmarks_like(rows, wanted)
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    context = {"page_of_rows": page, "q": wanted, "active_place": "watch:bookmark_list"}
    return render(request, "watch/bookmarks.html", context)


def _line(row: Bookmark, person: Any) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "at": keeping.moment(row),
        "note": row.note,
        "who": str(row.made_by or ""),
        "mine": row.made_by_id == person.pk,
    }
