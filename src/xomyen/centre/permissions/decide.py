"""Answers whether a person may do something, to which rows, and how pictures are limited."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet

from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.roles import RULES, PictureLimits, Role


@dataclass(frozen=True, slots=True)
class Held:
    """A role in force today, and the units it is held at: its own, or those of its post's jurisdictions."""

    role: Role
    units: tuple[uuid.UUID, ...]


def held_by(person: Any) -> tuple[Held, ...]:
    """What the person holds today; two queries, kept for the length of a request on the person's object.

    `person` is a User or a paired screen: anything with `is_active` and `appointments`.
    """
    if not getattr(person, "is_active", False):
        return ()
    kept = getattr(person, "_held_roles", None)
    if kept is not None and kept[0] == today():
        found: tuple[Held, ...] = kept[1]
        return found
    day = today()
    found = tuple(_held(person, day))
    person._held_roles = (day, found)
    return found


def _held(person: Any, day: datetime.date) -> list[Held]:
    from xomyen.centre.organisation.models import Jurisdiction  # models need the rules themselves

    appointments = list(person.appointments.filter(in_force(day)).values_list("role", "unit_id", "post_id"))
    posts = [post for _, _, post in appointments if post]
    units: dict[uuid.UUID, list[uuid.UUID]] = {}
    if posts:
        rows = Jurisdiction.objects.filter(in_force(day), in_force(day, "post__"), post_id__in=posts)
        for post, unit in rows.values_list("post_id", "unit_id"):
            units.setdefault(post, []).append(unit)
    return [Held(Role(role), (unit,) if unit else tuple(units.get(post, ()))) for role, unit, post in appointments]


def forget(person: Any) -> None:
    """The person's roles changed during this request."""
    person._held_roles = None


def roots(person: Any, action: Action) -> list[uuid.UUID]:
    """The units at which the person holds a role with this action; it reaches all under them."""
    return sorted({unit for held in held_by(person) if action in RULES[held.role].actions for unit in held.units})


def allowed_units(person: Any, action: Action) -> Any:
    """Ids of every unit in which the person may do this, for `unit__in`: a subquery, no rows are read."""
    return below_sql(roots(person, action), today())


def visible(person: Any, action: Action, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows the person may do this to. Models name the way to their unit in `unit_path`."""
    path = rows.model.unit_path
    found = rows.filter(**{f"{path}__in": allowed_units(person, action)})
    narrower = getattr(rows.model, "only_public", None)
    if narrower is None:
        return found
    wide = [
        unit
        for held in held_by(person)
        if action in RULES[held.role].actions and not RULES[held.role].pictures.public_only
        for unit in held.units
    ]
    # A role that sees public cameras alone adds just those.
    public: Q = narrower()
    return found.filter(public | Q(**{f"{path}__in": below_sql(wide, today())}))


def may(person: Any, action: Action, thing: Model | None = None) -> bool:
    """Whether the person may do this to the thing; without a thing: whether anywhere."""
    if thing is None:
        return bool(roots(person, action))
    return visible(person, action, type(thing)._default_manager.filter(pk=thing.pk)).exists()


def may_in(person: Any, action: Action, unit: Any) -> bool:
    """Whether the person may do this in the unit, such as making something new there."""
    from xomyen.centre.organisation.models import Unit

    # The way up is a few units long; all that lies below may be thousands.
    return Unit.objects.above(getattr(unit, "pk", unit)).filter(pk__in=roots(person, action)).exists()


def require(person: Any, action: Action, thing: Model | None = None) -> None:
    """Raises PermissionDenied unless the person may."""
    if not may(person, action, thing):
        raise PermissionDenied(str(action))


def require_in(person: Any, action: Action, unit: Any) -> None:
    """Raises PermissionDenied unless the person may do this in the unit."""
    if not may_in(person, action, unit):
        raise PermissionDenied(str(action))


def limits_of(person: Any, action: Action, things: Iterable[Any]) -> dict[Any, PictureLimits]:
    """Within which limits the person may see the pictures of these cameras, by camera; one not there: not at all.

    One query for each role held, however many cameras; they bring their unit along (`select_related("site")`).
    """
    from xomyen.centre.organisation.models import Unit

    cameras = list(things)
    places = {camera.unit_of() for camera in cameras}
    found: dict[Any, PictureLimits] = {}
    for held in held_by(person):
        rule = RULES[held.role]
        if action not in rule.actions:
            continue
        below = below_sql(held.units, today())
        reached = set(Unit.objects.filter(id__in=below).filter(id__in=places).values_list("id", flat=True))
        for camera in cameras:
            if camera.unit_of() not in reached or (rule.pictures.public_only and not camera.is_public):
                continue
            before = found.get(camera)
            found[camera] = rule.pictures if before is None else before.widest(rule.pictures)
    return found


def picture_limits(person: Any, action: Action, thing: Any) -> PictureLimits | None:
    """Within which limits the person may see this camera's pictures; None: not at all."""
    return limits_of(person, action, [thing]).get(thing)


def needs_second_factor(person: Any) -> bool:
    """Whether a role of the person asks for more than a password."""
    return any(RULES[held.role].officer for held in held_by(person))
