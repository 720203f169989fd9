"""Layouts of walls, and bookmarks."""

import datetime
import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from xomyen.centre.accounts.regulations import outstanding
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, require_match, set_revision
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.rows import listed, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, ShortName, Sought
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch import keeping, services
from xomyen.centre.watch.models import Bookmark, Layout

router = Router(auth=bearer(Scope.WATCH_READ), tags=["watch"])
_WRITE = bearer(Scope.WATCH_WRITE)
_EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LATEST = datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)


class LayoutOut(Schema):
    """Which cameras stand where on the wall of a post; those alone that one may watch."""

    id: uuid.UUID
    post: uuid.UUID
    name: str
    size: int  # pictures at once
    cells: list[uuid.UUID]


class LayoutPage(Schema):
    items: list[LayoutOut]
    next: str | None


class NewLayout(Closed):
    """Takes the place of the post's layout of the same name."""

    post: uuid.UUID
    name: ShortName
    size: Literal[1, 4, 9, 16, 25]
    cells: Annotated[list[uuid.UUID], Field(min_length=1, max_length=services.MOST_ON_A_WALL)]


class BookmarkOut(Schema):
    """A moment of a camera's recording."""

    id: uuid.UUID
    camera: uuid.UUID
    at: datetime.datetime
    note: str
    made_by: uuid.UUID | None


class BookmarkPage(Schema):
    items: list[BookmarkOut]
    next: str | None


class BookmarkFilter(Paged):
    q: Sought = ""  # note, or name of the camera
    camera: uuid.UUID | None = None


class NewBookmark(Closed):
    camera: uuid.UUID
    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, lt=_LATEST)]
    note: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]


@router.get("/layouts", response=LayoutPage)
def list_layouts(request: HttpRequest, wanted: Query[Paged]) -> Any:
    """The layouts of posts whose cameras one may watch. Scope `watch:read`."""
    _may_watch(request, Action.VIEW_LIVE)
    found, following = page(services.layouts_of(request.user), wanted)
    return {"items": _layouts(request.user, found), "next": following}


@router.get("/layouts/{layout}", response=LayoutOut)
def get_layout(request: HttpRequest, layout: uuid.UUID) -> Any:
    """One layout. Scope `watch:read`."""
    return _layout(request, _seen_layout(request, layout))


@router.post("/layouts", response={201: LayoutOut}, auth=_WRITE)
def save_layout(request: HttpRequest, body: NewLayout) -> Any:
    """Saves a layout. Scope `watch:write`."""
    _may_watch(request, Action.LAYOUT_EDIT)
    post = get_object_or_404(services.posts_with(request.user, Action.VIEW_LIVE), pk=body.post)
    saved = keeping.save_layout(request.user, post, body.name.strip(), body.size, body.cells)
    return Status(201, _layout(request, saved))


@router.delete("/layouts/{layout}", response={204: None}, auth=_WRITE)
def remove_layout(request: HttpRequest, layout: uuid.UUID) -> Any:
    """Takes a layout away; `If-Match` names the version that was read. Scope `watch:write`."""
    found = _seen_layout(request, layout)
    keeping.require_keeper(request.user, found.post)
    require_match(request, _version(found))
    keeping.remove_layout(request.user, found)
    return Status(204, None)


@router.get("/bookmarks", response=BookmarkPage)
def list_bookmarks(request: HttpRequest, wanted: Query[BookmarkFilter]) -> Any:
    """The bookmarks of cameras whose past one may see, in the order they were made. Scope `watch:read`."""
    _may_watch(request, Action.BOOKMARK)
    rows = services.bookmarks_of(request.user)
    if wanted.q:
        rows = services.bookmarks_like(rows, wanted.q)
    if wanted.camera is not None:
        rows = rows.filter(camera=wanted.camera)
    return listed(rows, wanted, _bookmark)


@router.post("/bookmarks", response={201: BookmarkOut}, auth=_WRITE)
def add_bookmark(request: HttpRequest, body: NewBookmark) -> Any:
    """Marks a moment. Scope `watch:write`."""
    _may_watch(request, Action.BOOKMARK)
    camera = get_object_or_404(services.watched(request.user, Action.BOOKMARK), pk=body.camera)
    return Status(201, _bookmark(keeping.add_bookmark(request.user, camera, body.at, body.note)))


@router.delete("/bookmarks/{bookmark}", response={204: None}, auth=_WRITE)
def remove_bookmark(request: HttpRequest, bookmark: uuid.UUID) -> Any:
    """Takes one's own bookmark away; nobody changes one, so that `If-Match: *` is enough. Scope `watch:write`."""
    _may_watch(request, Action.BOOKMARK)
    found = get_object_or_404(services.bookmarks_of(request.user), pk=bookmark)
    require_match(request, fingerprint(found.pk))
    keeping.remove_bookmark(request.user, found)
    return Status(204, None)


def _may_watch(request: HttpRequest, action: Action) -> None:
    """As on the pages: the action somewhere, and the regulation accepted."""
    require(request.user, action)
    if outstanding(request.user).exists():
        raise Problem(403, "regulation")


def _seen_layout(request: HttpRequest, key: uuid.UUID) -> Layout:
    _may_watch(request, Action.VIEW_LIVE)
    return get_object_or_404(services.layouts_of(request.user), pk=key)


def _version(layout: Layout) -> int:
    return fingerprint(layout.name, layout.size, layout.cells)


def _layout(request: HttpRequest, layout: Layout) -> dict[str, Any]:
    set_revision(request, _version(layout))
    return _layouts(request.user, [layout])[0]


def _layouts(person: Any, layouts: list[Layout]) -> list[dict[str, Any]]:
    seen = keeping.cameras_among(person, (cell for one in layouts for cell in one.cells))
    return [
        told(one, "name", "size", post=one.post_id, cells=[cell for cell in one.cells if cell in seen])
        for one in layouts
    ]


def _bookmark(row: Bookmark) -> dict[str, Any]:
    return told(row, "at", "note", camera=row.camera_id, made_by=row.made_by_id)
