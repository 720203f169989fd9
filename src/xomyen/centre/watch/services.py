"""Which cameras somebody watches, and where their nodes are."""

from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet

from xomyen.centre.cameras.models import Acceptance, Camera, Node
from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import Jurisdiction, Post
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units, visible
from xomyen.centre.watch.models import Bookmark, Layout

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_ORIGINS = 40  # named one by one in the content policy
MOST_ON_A_WALL = 250  # cameras at once; of more a unit is chosen


def watched(person: Any, action: Action = Action.VIEW_LIVE) -> QuerySet[Camera]:
    """The cameras with a node whose pictures the person may see, in the order of the wall."""
    rows = Camera.objects.filter(node__isnull=False).exclude(acceptance=Acceptance.RETIRED)
    return visible(person, action, rows).select_related("site", "node", "camera_class").order_by("order", "code", "id")


def for_tickets(rows: QuerySet[Camera]) -> QuerySet[Camera]:
    """The same with what tickets, their record and the pages that get them need, and no more."""
    return rows.only(
        *("code", "name", "order", "is_public", "masks", "in_force"),
        *("site__name", "site__unit", "node__address", "camera_class__past_needs_purpose"),
    )


def origins_for(person: Any, host: str) -> list[str]:
    """The origins of the nodes from which pictures may come to this person, for the content policy; see `origin_of`."""
    nodes = Node.objects.filter(cameras__in=visible(person, Action.VIEW_LIVE, Camera.objects.all()))
    origins = sorted({origin_of(address, host) for address in nodes.values_list("address", flat=True).distinct()})
    if len(origins) <= MOST_ORIGINS:
        return origins
    # A header of two hundred names is refused by proxies on the way: all of TLS then, and what has none by name.
    return ["https:", *(origin for origin in origins if not origin.startswith("https:"))]


def origin_of(address: str, host: str = "") -> str:
    """Scheme, host and port of a node's address, as browsers name origins.

    `host` is what the reader's browser called the centre (with or without a port); empty: not known. A node registered
    under a name of this machine alone is on the same box: a browser elsewhere reaches it under the centre's own name.
    """
    parts = urlsplit(address)
    asked = urlsplit(f"//{host}").hostname or ""
    if parts.hostname in _THIS_MACHINE and asked and asked not in _THIS_MACHINE:
        name = f"[{asked}]" if ":" in asked else asked
        return f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")
    return f"{parts.scheme}://{parts.netloc}"


def posts_with(person: Any, action: Action) -> QuerySet[Post]:
    """The posts that answer today for a unit in which the person may do this."""
    answering = Jurisdiction.objects.filter(in_force(today()), unit__in=allowed_units(person, action))
    return Post.objects.filter(in_force(today()), id__in=answering.values("post"))


def posts_kept_by(person: Any) -> QuerySet[Post]:
    """The posts whose layouts the person may keep: all that they answer for today lies in the person's units.

    A post may answer for several communes; one of them does not change what the others look at.
    """
    elsewhere = Jurisdiction.objects.filter(in_force(today()))
    elsewhere = elsewhere.exclude(unit__in=allowed_units(person, Action.LAYOUT_EDIT))
    return posts_with(person, Action.LAYOUT_EDIT).exclude(id__in=elsewhere.values("post"))


def layouts_of(person: Any) -> QuerySet[Layout]:
    """The layouts of the posts whose cameras the person may watch."""
    return Layout.objects.filter(post__in=posts_with(person, Action.VIEW_LIVE)).select_related("post")


def bookmarks_of(person: Any) -> QuerySet[Bookmark]:
    """The bookmarks of the cameras whose past the person may look at."""
    rows = visible(person, Action.BOOKMARK, Bookmark.objects.all())
    return rows.select_related("camera__site", "made_by").order_by("-at", "id")


def bookmarks_like(rows: QuerySet[Bookmark], text: str) -> QuerySet[Bookmark]:
    """Those whose note has the text, or whose camera or place is called so, marks or not."""
    return rows.filter(Q(folded__contains=fold(text)) | Q(camera__folded__contains=fold(text)))
