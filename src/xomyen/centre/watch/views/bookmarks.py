"""Bookmarks: moments to find again."""

import datetime
import uuid
from typing import Annotated, Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from xomyen.centre.audit.services import record
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch import services
from xomyen.centre.watch.models import Bookmark
from xomyen.centre.watch.views.asking import Unreadable, for_scripts, read, told

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
        if asked.at > timezone.now() + datetime.timedelta(minutes=1):
            raise Unreadable("future", _("This time is in the future."))
        with transaction.atomic():
            made = Bookmark.objects.create(camera=camera, at=asked.at, note=asked.note, made_by=request.user)
            record("camera.bookmark", thing=camera, details={"at": _moment(made)})
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
    if found.made_by_id != request.user.pk:
        return HttpResponse(status=403)
    with transaction.atomic():
        record("camera.bookmark_removed", thing=found.camera, details={"at": _moment(found)})
        found.delete()
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
    return render(request, "watch/bookmarks.html", {"page_of_rows": page, "q": wanted, "active_place": "watch:wall"})


def _line(row: Bookmark, person: Any) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "at": _moment(row),
        "note": row.note,
        "who": str(row.made_by or ""),
        "mine": row.made_by_id == person.pk,
    }


def _moment(row: Bookmark) -> str:
    return row.at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
