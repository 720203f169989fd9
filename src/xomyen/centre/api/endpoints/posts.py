"""Posts: where screens and duty officers are, and for which units each answers."""

import datetime
import uuid
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, set_revision
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.rows import sought, told, unchanged
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Day, Ending, LongName, Sought
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, Post, PostKind
from xomyen.centre.organisation.seeing import seen_among, unit_seen_or_404
from xomyen.centre.organisation.services import registers
from xomyen.centre.organisation.services.registers import may_edit_post, posts_seen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.UNITS_READ), tags=["posts"])
_WRITE = bearer(Scope.UNITS_WRITE)


class AnswersFor(Schema):
    """A unit that the post answers for, with all under it, during a time."""

    id: uuid.UUID
    unit: uuid.UUID
    valid_from: datetime.date | None
    valid_to: datetime.date | None  # the first day on which it does not any more


class PostOut(Schema):
    """A post; of the units it answers for, one's own."""

    id: uuid.UUID
    name: str
    kind: PostKind
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    answers_for: list[AnswersFor]


class PostPage(Schema):
    items: list[PostOut]
    next: str | None


class PostFilter(Paged):
    q: Sought = ""
    ended: bool = False  # those that ended too


class PostChange(Closed):
    """What is given is changed."""

    name: LongName | None = None
    kind: PostKind | None = None


class NewPost(Closed):
    """A post that answers for some units from a day on."""

    name: LongName
    kind: PostKind
    units: Annotated[list[uuid.UUID], Field(min_length=1, max_length=200)]
    valid_from: Day | None = None  # today


class AnotherUnit(Closed):
    unit: uuid.UUID
    valid_from: Day | None = None  # today


@router.get("/posts", response=PostPage)
def list_posts(request: HttpRequest, wanted: Query[PostFilter]) -> Any:
    """The posts that answer for one's units. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    rows = sought(posts_seen(request.user), wanted.q, "name")
    if not wanted.ended:
        rows = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))
    held = Prefetch("jurisdictions", Jurisdiction.objects.order_by("pk"))
    found, following = page(rows.prefetch_related(held), wanted)
    return {"items": _shown(request.user, found), "next": following}


@router.get("/posts/{post}", response=PostOut)
def get_post(request: HttpRequest, post: uuid.UUID) -> Any:
    """One post. Scope `units:read`."""
    require(request.user, Action.UNIT_SEE)
    return _answer(request, get_object_or_404(posts_seen(request.user), pk=post))


@router.post("/posts", response={201: PostOut}, auth=_WRITE)
def add_post(request: HttpRequest, body: NewPost) -> Any:
    """Enters a post. Scope `units:write`."""
    require(request.user, Action.POST_EDIT)
    units = [unit_seen_or_404(request.user, unit) for unit in dict.fromkeys(body.units)]
    made = registers.create_post(request.user, body.name, body.kind, units, body.valid_from or today())
    return Status(201, _answer(request, made))


@router.patch("/posts/{post}", response=PostOut, auth=_WRITE)
def change_post(request: HttpRequest, post: uuid.UUID, body: PostChange) -> Any:
    """Gives a post another name or kind; `If-Match` names the version that was read. Scope `units:write`."""
    with transaction.atomic():
        found = _editable(request, post)
        found = unchanged(request, found, _revision)
        registers.change_post(request.user, found, body.name or found.name, body.kind or found.kind)
    return _answer(request, found)


@router.post("/posts/{post}/end", response=PostOut, auth=_WRITE)
def end_post(request: HttpRequest, post: uuid.UUID, body: Ending) -> Any:
    """Ends a post. Scope `units:write`."""
    return _answer(request, registers.end_post(request.user, _editable(request, post), body.valid_to))


@router.post("/posts/{post}/units", response={201: PostOut}, auth=_WRITE)
def add_unit_of_post(request: HttpRequest, post: uuid.UUID, body: AnotherUnit) -> Any:
    """Lets a post answer for another unit. Scope `units:write`."""
    found = _editable(request, post)
    unit = unit_seen_or_404(request.user, body.unit)
    registers.add_jurisdiction(request.user, found, unit, body.valid_from or today())
    return Status(201, _answer(request, found))


@router.post("/jurisdictions/{jurisdiction}/end", response=PostOut, auth=_WRITE)
def end_jurisdiction(request: HttpRequest, jurisdiction: uuid.UUID, body: Ending) -> Any:
    """Ends that a post answers for a unit. Scope `units:write`."""
    require(request.user, Action.POST_EDIT)
    rows = Jurisdiction.objects.select_related("post")
    found = get_object_or_404(rows.filter(post__in=posts_seen(request.user)), pk=jurisdiction)
    post = _editable(request, found.post_id)
    registers.end_jurisdiction(request.user, found, body.valid_to)
    return _answer(request, post)


def _editable(request: HttpRequest, key: uuid.UUID) -> Post:
    require(request.user, Action.UNIT_SEE)
    found = get_object_or_404(posts_seen(request.user), pk=key)
    if not may_edit_post(request.user, found):
        raise PermissionDenied(str(Action.POST_EDIT))
    return found


def _answer(request: HttpRequest, post: Post) -> dict[str, Any]:
    set_revision(request, _revision(post))
    return _shown(request.user, [post])[0]


def _revision(post: Post) -> int:
    return fingerprint(post.name, str(post.kind), post.valid_from, post.valid_to)


def _shown(person: Any, posts: list[Post]) -> list[dict[str, Any]]:
    seen = seen_among(person, (one.unit_id for post in posts for one in post.jurisdictions.all()))
    return [
        told(
            post,
            *("name", "kind", "valid_from", "valid_to"),
            answers_for=[
                told(one, "valid_from", "valid_to", unit=one.unit_id)
                for one in post.jurisdictions.all()
                if one.unit_id in seen
            ],
        )
        for post in posts
    ]
