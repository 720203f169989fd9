"""What is still held or registered at a unit that ended, and has to be decided."""

import datetime
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from xomyen.centre.accounts.models import Appointment
from xomyen.centre.cameras.models import Node, Site
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, Scheme, Unit
from xomyen.centre.organisation.seeing import seen_among
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may


@dataclass(slots=True)
class OpenMatters:
    """Of one unit that ended."""

    appointments: list[Appointment] = field(default_factory=list)
    jurisdictions: list[Jurisdiction] = field(default_factory=list)
    schemes: list[Scheme] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.appointments, self.jurisdictions, self.schemes, self.sites, self.nodes))

    @property
    def can_be_handed_over(self) -> bool:
        """All but appointments: who is appointed where is decided for each person."""
        return any((self.jurisdictions, self.schemes, self.sites, self.nodes))


def _queries(day: datetime.date) -> dict[str, QuerySet[Any]]:
    """What outlasts the end of its unit; posts and schemes that ended themselves need no decision."""
    ended = Q(unit__valid_to__lte=day)
    outlasts = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
    return {
        "appointments": Appointment.objects.filter(ended, outlasts).select_related("user", "unit"),
        "jurisdictions": Jurisdiction.objects.filter(
            ended, outlasts, Q(post__valid_to__isnull=True) | Q(post__valid_to__gt=day)
        ).select_related("post", "unit"),
        "schemes": Scheme.objects.filter(ended, outlasts).select_related("unit"),
        "sites": Site.objects.filter(ended).select_related("unit"),
        "nodes": Node.objects.filter(ended).select_related("unit"),
    }


def decides(person: Any) -> bool:
    """Whether the person can do something about open matters; others are not shown who is still appointed."""
    return any(may(person, action) for action in (Action.UNIT_EDIT, Action.POST_EDIT, Action.USER_EDIT))


def open_matters(unit: Unit) -> OpenMatters:
    """What is open at this unit."""
    found = {name: list(rows.filter(unit=unit)) for name, rows in _queries(today()).items()}
    return OpenMatters(**found)


def all_open(person: Any) -> list[tuple[Unit, OpenMatters]]:
    """The ended units the person sees with what is open at them; one query for each kind of matter."""
    rows = [(name, row) for name, query in _queries(today()).items() for row in query]
    seen = seen_among(person, [row.unit_id for _name, row in rows])
    units: dict[uuid.UUID, Unit] = {}
    found: dict[uuid.UUID, OpenMatters] = defaultdict(OpenMatters)
    for name, row in rows:
        if row.unit_id in seen:
            units[row.unit_id] = row.unit
            getattr(found[row.unit_id], name).append(row)
    return sorted(((units[pk], matters) for pk, matters in found.items()), key=lambda pair: pair[0].code)


def count_open(person: Any) -> int:
    """At how many ended units something is open."""
    rows = (query.values_list("unit", flat=True) for query in _queries(today()).values())
    return len(seen_among(person, [pk for query in rows for pk in query]))
