"""Answers whether a person may do something, to which rows, and how pictures are limited."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet

from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.tree import below_sql, lines_above
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.roles import RULES, PictureLimits, Role, RoleRule


@dataclass(frozen=True, slots=True)
class Held:
    """A role in force today, and the units it is held at: its own, or those of its posts' jurisdictions."""

    role: Role
    units: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found out about a person in this request."""

    day: datetime.date
    held: tuple[Held, ...]
    reaches: dict[Action, Any] = field(default_factory=dict)


def held_by(person: Any) -> tuple[Held, ...]:
    """What the person holds today, each role once; two queries, kept for a request's length on the person's object.

    `person` is a User or a paired screen: anything with `is_active` and `appointments`.
    """
    return _kept(person).held


def _kept(person: Any) -> _Kept:
    day = today()
    if not getattr(person, "is_active", False):
        return _Kept(day, ())
    kept: _Kept | None = getattr(person, "_held_roles", None)
    if kept is None or kept.day != day:
        kept = person._held_roles = _Kept(day, _held(person, day))
    return kept


def _held(person: Any, day: datetime.date) -> tuple[Held, ...]:
    from xomyen.centre.organisation.models import Jurisdiction  # models need the rules themselves

    appointments = list(person.appointments.filter(in_force(day)).values_list("role", "unit_id", "post_id"))
    posts = {post for _, _, post in appointments if post}
    answers: dict[uuid.UUID, list[uuid.UUID]] = {}
    if posts:
        rows = Jurisdiction.objects.filter(in_force(day), in_force(day, "post__"), post_id__in=posts)
        for post, unit in rows.values_list("post_id", "unit_id"):
            answers.setdefault(post, []).append(unit)
    units: dict[str, dict[uuid.UUID, None]] = {}
    for role, unit, post in appointments:
        units.setdefault(role, {}).update(dict.fromkeys([unit] if unit else answers.get(post, ())))
    return tuple(Held(Role(role), tuple(found)) for role, found in units.items())


def forget(person: Any) -> None:
    """The person's roles changed during this request."""
    person._held_roles = None


def roots(person: Any, action: Action) -> list[uuid.UUID]:
    """The units at which the person holds a role with this action; it reaches all under them."""
    return sorted({unit for held in held_by(person) if action in RULES[held.role].actions for unit in held.units})


def allowed_units(person: Any, action: Action) -> Any:
    """Ids of every unit in which the person may do this, for `unit__in`: a subquery, no rows are read."""
    kept = _kept(person)
    if action not in kept.reaches:
        kept.reaches[action] = below_sql(roots(person, action), kept.day)
    return kept.reaches[action]


def _wide_roots(person: Any, action: Action) -> set[uuid.UUID]:
    """Those of `roots` at which the role reaches what is not public, too."""
    return {
        unit
        for held in held_by(person)
        if action in RULES[held.role].actions and not RULES[held.role].pictures.public_only
        for unit in held.units
    }


def visible(person: Any, action: Action, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows the person may do this to. Models name the way to their unit in `unit_path`."""
    path = rows.model.unit_path
    found = rows.filter(**{f"{path}__in": allowed_units(person, action)})
    narrower = getattr(rows.model, "only_public", None)
    if narrower is None:
        return found
    wide = _wide_roots(person, action)
    if len(wide) == len(roots(person, action)):
        return found
    # A role that sees public cameras alone adds just those.
    public: Q = narrower()
    return found.filter(public | Q(**{f"{path}__in": below_sql(wide, today())}) if wide else public)


def may(person: Any, action: Action, thing: Model | None = None) -> bool:
    """Whether the person may do this to the thing; without a thing: whether anywhere."""
    own = set(roots(person, action))
    if thing is None or not own:
        return bool(own)
    model = type(thing)
    rows = model._default_manager.filter(pk=thing.pk)
    # The way up is a few units long; all that lies below may be thousands.
    above = _above(rows.values_list(model.unit_path, flat=True))
    narrower = getattr(model, "only_public", None)
    if narrower is None or above & _wide_roots(person, action):
        return not above.isdisjoint(own)
    return not above.isdisjoint(own) and rows.filter(narrower()).exists()


def _above(units: Iterable[Any]) -> set[uuid.UUID]:
    """The units and all they belong to today."""
    return set().union(*lines_above((unit for unit in units if unit is not None), today()).values())


def may_in(person: Any, action: Action, unit: Any) -> bool:
    """Whether the person may do this in the unit, such as making something new there."""
    return not _above([getattr(unit, "pk", unit)]).isdisjoint(roots(person, action))


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

    One query, however many cameras and roles; cameras bring their unit along (`select_related("site")`).
    """
    cameras = list(things)
    rules = [(RULES[held.role], set(held.units)) for held in held_by(person) if action in RULES[held.role].actions]
    lines = lines_above({camera.unit_of() for camera in cameras}, today()) if rules else {}
    # Cameras by the hundred lie in a few units.
    alike: dict[tuple[uuid.UUID, bool], PictureLimits | None] = {}
    found: dict[Any, PictureLimits] = {}
    for camera in cameras:
        kind = camera.unit_of(), camera.is_public
        if kind not in alike:
            alike[kind] = _widest(rules, lines.get(kind[0], set()), camera.is_public)
        limits = alike[kind]
        if limits is not None:
            found[camera] = limits
    return found


def _widest(rules: list[tuple[RoleRule, set[uuid.UUID]]], above: set[uuid.UUID], public: bool) -> PictureLimits | None:
    widest: PictureLimits | None = None
    for rule, units in rules:
        if not above.isdisjoint(units) and (public or not rule.pictures.public_only):
            widest = rule.pictures if widest is None else widest.widest(rule.pictures)
    return widest


def picture_limits(person: Any, action: Action, thing: Any) -> PictureLimits | None:
    """Within which limits the person may see this camera's pictures; None: not at all."""
    return limits_of(person, action, [thing]).get(thing)


def turning_rank(person: Any, camera: Any) -> int:
    """From whom the person may take the right to turn this camera: from those of a lower rank; 0: may not turn it."""
    above = _above([camera.unit_of()])
    rules = [RULES[held.role] for held in held_by(person) if not above.isdisjoint(held.units)]
    return max((rule.turns_before for rule in rules if Action.PTZ in rule.actions), default=0)


def needs_second_factor(person: Any) -> bool:
    """Whether a role of the person, or the centre's settings, ask for more than a password."""
    return settings.CENTRE.second_factor == "everyone" or any(RULES[held.role].officer for held in held_by(person))
