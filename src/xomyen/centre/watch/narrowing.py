"""What was saved of a row that gives rights: whether it allows less than before, and to whom."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

from xomyen.centre.accounts.models import Appointment, PairedScreen
from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, Site
from xomyen.centre.dates import DatedModel, today
from xomyen.centre.organisation.models import Jurisdiction, Post, UnitLink
from xomyen.centre.watch.models import Reach

LONGEST = datetime.timedelta(days=8)
"""More than any ticket lasts."""

_TIME = ("valid_from", "valid_to")

FIELDS: dict[Any, tuple[str, ...]] = {
    Camera: ("site", "node", "acceptance", "is_public", "camera_class"),
    Site: ("unit",),
    CameraClass: ("past_needs_purpose",),
    UnitLink: ("unit", "parent", *_TIME),
    Jurisdiction: ("post", "unit", *_TIME),
    Post: _TIME,
    Appointment: ("user", "role", "unit", "post", *_TIME),
    PairedScreen: ("confirmed", "revoked", "unit", "post", *_TIME),
}
"""What of a row gives or takes rights."""

_READ_TOO = {Camera: ("site__unit", "camera_class__past_needs_purpose")}

Before = dict[str, Any]
Place = tuple[Reach, list[uuid.UUID]]


def stored(model: Any, key: Any) -> Before | None:
    """What the database has of the row."""
    names = (*FIELDS[model], *_READ_TOO.get(model, ()))
    found: Before | None = model._default_manager.filter(pk=key).values(*names).first()
    return found


def held(before: Before) -> bool:
    """Whether the row was in force today."""
    start, end, day = before["valid_from"], before["valid_to"], today()
    return (start is None or start <= day) and (end is None or day < end)


def held_less(row: DatedModel, before: Before) -> bool:
    """Whether it was in force today and is not any more, or ends sooner while a ticket of today may still last."""
    if not held(before):
        return False
    if not row.holds(today()):
        return True
    end, then = row.valid_to, before["valid_to"]
    return end is not None and end <= today() + LONGEST and (then is None or end < then)


def elsewhere(row: Any, before: Before, *names: str) -> bool:
    """Whether it was in force today, and for something else."""
    return held(before) and any(before[name] != row.serializable_value(name) for name in names)


def in_camera(row: Camera, before: Before) -> Iterator[Place]:
    """Whom a changed camera concerns."""
    unit = before["site__unit"]
    away = before["node"] not in (None, row.node_id) or row.site.unit_id != unit
    gone = row.acceptance == Acceptance.RETIRED != before["acceptance"]
    if away or gone:
        yield Reach.UNIT, [unit]
        return
    was_public = before["is_public"] and before["acceptance"] == Acceptance.ACCEPTED
    if was_public and not (row.is_public and row.acceptance == Acceptance.ACCEPTED):
        yield Reach.PUBLIC, [unit]
    if row.camera_class.past_needs_purpose and not before["camera_class__past_needs_purpose"]:
        yield Reach.PAST, [unit]


def in_class(row: CameraClass, before: Before) -> Iterator[Place]:
    """Whom a changed class concerns: from now on it may ask what for."""
    if row.past_needs_purpose and not before["past_needs_purpose"]:
        units = Camera.objects.filter(camera_class=row).order_by().values_list("site__unit", flat=True)
        yield Reach.PAST, list(units.distinct())


def in_site(row: Site, before: Before) -> Iterator[Place]:
    """Whom a site concerns that lies in another unit now."""
    if row.unit_id != before["unit"]:
        yield Reach.UNIT, [before["unit"]]


def in_link(row: UnitLink, before: Before) -> Iterator[Place]:
    """Whom a unit's place in the tree concerns: those above where it was."""
    if elsewhere(row, before, "unit", "parent") or held_less(row, before):
        yield Reach.UNIT, [before["parent"]]


def in_jurisdiction(row: Jurisdiction, before: Before) -> Iterator[Place]:
    """Whom a post's unit concerns."""
    if elsewhere(row, before, "unit", "post") or held_less(row, before):
        yield Reach.POST, [before["post"]]


def in_post(row: Post, before: Before) -> Iterator[Place]:
    """Whom the end of a post concerns."""
    if held_less(row, before):
        yield Reach.POST, [row.pk]


IN = {
    Camera: in_camera,
    CameraClass: in_class,
    Site: in_site,
    UnitLink: in_link,
    Jurisdiction: in_jurisdiction,
    Post: in_post,
}
"""Whom a changed row of a place concerns, by model."""
