"""The list of cameras: what is asked for in its address, the rows of one page, and the counts above it."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from xomyen.centre.cameras.models import Acceptance, Camera, Owner, Site, Standing
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Unit
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the list asks for; what cannot be read is as if it were not there."""

    text: str = ""
    unit: uuid.UUID | None = None
    state: str = ""
    owner: str = ""
    node: uuid.UUID | None = None
    standing: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Asked":
        def one_of(name: str, values: Any) -> str:
            found = query.get(name, "")
            return found if found in values else ""

        return cls(
            query.get("q", "").strip()[:100],
            _key(query.get("unit", "")),
            one_of("state", Acceptance.values),
            one_of("owner", Owner.values),
            _key(query.get("node", "")),
            one_of("standing", Standing.values),
        )

    @property
    def anything(self) -> bool:
        return self != Asked()

    @property
    def filters(self) -> int:
        """How many things beside the text narrow the list."""
        return sum(1 for value in (self.unit, self.state, self.owner, self.standing) if value)

    def address(self) -> str:
        """The same as a query, to put a page's number behind."""
        given = {
            "q": self.text,
            "unit": self.unit,
            "state": self.state,
            "owner": self.owner,
            "node": self.node,
            "standing": self.standing,
        }
        return urlencode({name: str(value) for name, value in given.items() if value})


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def page_of_cameras(person: Any, asked: Asked, number: Any) -> Page:
    """One page of what is asked for, site by site. Retired cameras are shown only where they are asked for."""
    rows = narrowed(visible(person, Action.CAMERA_SEE, Camera.objects.all()), asked)
    rows = rows.select_related("site__unit", "node", "camera_class")
    return Paginator(rows.order_by("site__folded", "site_id", "order", "code"), PER_PAGE).get_page(number)


def narrowed(rows: Any, asked: Asked) -> Any:
    """The rows that are asked for."""
    if asked.text:
        rows = rows.search(asked.text)
    if asked.unit:
        rows = rows.filter(site__unit__in=below_sql(asked.unit, today()))
    if asked.owner:
        rows = rows.filter(owner=asked.owner)
    if asked.node:
        rows = rows.filter(node=asked.node)
    if asked.standing:
        rows = rows.filter(standing=asked.standing)
    return rows.filter(acceptance=asked.state) if asked.state else rows.exclude(acceptance=Acceptance.RETIRED)


def counts(person: Any) -> dict[str, int]:
    """How many cameras the person may see, and how they are; one query."""
    alive = ~Q(acceptance=Acceptance.RETIRED)
    waits = Q(standing__in=(Standing.PENDING, Standing.AWAY, Standing.REFUSED, Standing.CHANGED))
    return visible(person, Action.CAMERA_SEE, Camera.objects.all()).aggregate(
        all=Count("pk", filter=alive),
        sites=Count("site", filter=alive, distinct=True),
        accepted=Count("pk", filter=Q(acceptance=Acceptance.ACCEPTED)),
        recording=Count("pk", filter=Q(streams__main__state="recording", node__answers=True)),
        waiting=Count("pk", filter=waits),
    )


def units_with_sites(person: Any) -> Any:
    """Units to choose from: those with sites that the person may see."""
    sites = visible(person, Action.CAMERA_SEE, Site.objects.all())
    return Unit.objects.filter(pk__in=sites.values("unit")).order_by("folded", "code")


def first_of(rows: QuerySet[Any], text: str) -> Any:
    """The row of this key; None where there is none, or what was given is no key."""
    key = _key(text)
    return rows.filter(pk=key).first() if key else None
