"""Which cameras somebody watches, and where their nodes are."""

from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet

from xomyen.centre.cameras.models import Acceptance, Camera, Node
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible

MOST_ON_A_WALL = 250  # cameras at once; of more a unit is chosen


def watched(person: Any, action: Action = Action.VIEW_LIVE) -> QuerySet[Camera]:
    """The cameras with a node whose pictures the person may see, in the order of the wall."""
    rows = Camera.objects.filter(node__isnull=False).exclude(acceptance=Acceptance.RETIRED)
    return visible(person, action, rows).select_related("site", "node", "camera_class").order_by("order", "code", "id")


def origins_for(person: Any) -> list[str]:
    """The origins of the nodes from which pictures may come to this person, for the content policy."""
    nodes = Node.objects.filter(cameras__in=visible(person, Action.VIEW_LIVE, Camera.objects.all()))
    return sorted({origin_of(address) for address in nodes.values_list("address", flat=True).distinct()})


def origin_of(address: str) -> str:
    """Scheme, host and port of a node's address, as browsers name origins."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
