"""Who holds rights that reach a place, as tickets name them."""

import datetime
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from xomyen.centre.accounts.models import Appointment, PairedScreen
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Jurisdiction
from xomyen.centre.organisation.tree import above_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.roles import RULES, Role, roles_with
from xomyen.centre.watch.models import Reach

_LOOKING_BACK = (Action.VIEW_PAST, Action.CLIP)


def subjects_of(reach: Any, places: Iterable[uuid.UUID]) -> set[str]:
    """Whose tickets may rest on rights that reach one of the places today; two queries, however many there are."""
    day, wanted = today(), list(places)
    at = Q(post__in=wanted) if reach == Reach.POST else _reaching(wanted, day)
    roles = _roles(reach)
    people = Appointment.objects.filter(at, in_force(day), role__in=roles).order_by()
    found = {f"user:{key}" for key in people.values_list("user", flat=True).distinct()}
    if Role.SCREEN in roles:
        screens: QuerySet[PairedScreen] = PairedScreen.objects.paired().filter(at, in_force(day)).order_by()
        found |= {f"screen:{key}" for key in screens.values_list("pk", flat=True)}
    return found


def _reaching(units: list[uuid.UUID], day: datetime.date) -> Q:
    """What is held at the units or above, or at posts that answer there."""
    above = above_sql(units, day)
    posts = Jurisdiction.objects.filter(in_force(day), unit__in=above).values("post")
    return Q(unit__in=above) | Q(post__in=posts)


def _roles(reach: Any) -> list[Role]:
    if reach == Reach.PAST:
        return sorted({role for action in _LOOKING_BACK for role in roles_with(action)})
    watching = roles_with(Action.VIEW_LIVE)
    if reach == Reach.PUBLIC:
        return [role for role in watching if RULES[role].pictures.public_only]
    return watching
