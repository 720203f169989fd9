"""The list of cameras: what is asked for in its address, the rows of one page, and the counts above it."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from xomyen.centre.cameras.models import Acceptance, Camera, Node, Owner, Site, Standing
from xomyen.centre.dates import today
from xomyen.centre.folding import fold, matches
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
    document: uuid.UUID | None = None
    factory_password: str = ""  # "yes": those with one, of the cameras that one may change

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
            _key(query.get("document", "")),
            one_of("factory_password", ("yes",)),
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
            "document": self.document,
            "factory_password": self.factory_password,
        }
        return urlencode({name: str(value) for name, value in given.items() if value})


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def page_of(rows: QuerySet[Any], number: Any, full: QuerySet[Any], count: int | None = None) -> Page:
    """One page of the rows in their order; `full` is the same model with all that the page shows of a row.

    Thousands are sorted by their keys alone, and only those of the page are read. `count`: how many, where known.
    """
    paginator = Paginator(rows.values_list("pk", flat=True), PER_PAGE)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(number)
    keys = list(page.object_list)
    found = full.in_bulk(keys)
    page.object_list = [found[key] for key in keys if key in found]
    return page


def page_of_cameras(person: Any, asked: Asked, number: Any, all_there_are: int | None = None) -> Page:
    """One page of what is asked for, site by site. Retired cameras are shown only where they are asked for.

    `all_there_are` is how many the person sees when nothing is asked for.
    """
    rows = narrowed(visible(person, Action.CAMERA_SEE, Camera.objects.all()), asked)
    if asked.factory_password:
        rows = visible(person, Action.CAMERA_EDIT, rows)
    full = Camera.objects.select_related("site__unit", "node").defer("in_force", "sealed_password", "masks")
    known = None if asked.anything else all_there_are
    return page_of(rows.order_by("site__folded", "site_id", "order", "code"), number, full, known)


def page_of_sites(person: Any, text: str, number: Any) -> Page:
    """One page of sites with how many cameras the person sees at each."""
    rows = visible(person, Action.CAMERA_SEE, Site.objects.filter(folded__contains=fold(text)))
    page = page_of(rows.order_by("code", "pk"), number, Site.objects.select_related("unit"))
    seen = visible(person, Action.CAMERA_SEE, Camera.objects.filter(site__in=[site.pk for site in page]))
    _number(page, seen, "site")
    return page


def called(nodes: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The recorders whose name has the text, with or without marks; a province has some hundreds of them."""
    if not text:
        return nodes
    return nodes.filter(pk__in=[key for key, name in nodes.values_list("pk", "name") if matches(text, name)])


def page_of_nodes(person: Any, text: str, number: Any) -> Page:
    """One page of recorders with how many cameras each has."""
    rows = called(visible(person, Action.NODE_SEE, Node.objects.all()), text).order_by("name", "pk")
    page = page_of(rows, number, Node.objects.select_related("unit"))
    _number(page, Camera.objects.filter(node__in=[node.pk for node in page]), "node")
    return page


def _number(page: Page, cameras: QuerySet[Any], name: str) -> None:
    """Puts beside each row of the page how many of the cameras, but those that are retired, belong to it."""
    alive = cameras.exclude(acceptance=Acceptance.RETIRED).order_by()
    numbers = dict(alive.values_list(name).annotate(Count("pk")))
    for row in page:
        row.number = numbers.get(row.pk, 0)


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
    if asked.document:
        rows = rows.filter(document=asked.document)
    if asked.standing:
        rows = rows.filter(standing=asked.standing)
    if asked.factory_password:
        rows = rows.filter(factory_password=True)
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


def factory_passwords(person: Any) -> int:
    """How many cameras in use that the person may change have a password that makers ship cameras with."""
    found = visible(person, Action.CAMERA_EDIT, Camera.objects.filter(factory_password=True))
    return int(found.exclude(acceptance=Acceptance.RETIRED).count())


def units_with_sites(person: Any) -> Any:
    """Units to choose from: those with sites that the person may see."""
    sites = visible(person, Action.CAMERA_SEE, Site.objects.all())
    return Unit.objects.filter(pk__in=sites.values("unit")).order_by("folded", "code")


def first_of(rows: QuerySet[Any], text: str) -> Any:
    """The row of this key; None where there is none, or what was given is no key."""
    key = _key(text)
    return rows.filter(pk=key).first() if key else None
