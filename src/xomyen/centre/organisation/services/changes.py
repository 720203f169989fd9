"""Changes of the tree: set up, correct, rename, move, merge, divide, close. Each is all or nothing, and is recorded.

All raise ValidationError, with words for people, when the tree of some day would not be one, and PermissionDenied
unless the person may edit every unit concerned.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import (
    Change,
    ChangeKind,
    FormerName,
    Succession,
    SuccessionKind,
    Unit,
    UnitKind,
    UnitLink,
)
from xomyen.centre.organisation.services.codes import (
    check_code_is_free,
    check_in_order,
    check_not_below,
    check_official_code,
    next_group_code,
)
from xomyen.centre.organisation.services.recording import Entry, Recorder
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require_in


@dataclass(frozen=True, slots=True)
class Fresh:
    """A unit to be made. Residential groups get their code from the product."""

    kind: Any  # a UnitKind
    type_name: str
    name: str
    code: str = ""
    latitude: float | None = None
    longitude: float | None = None


def _require(entry: Entry, *units: Unit) -> None:
    """The person may edit them all; they are read anew and locked, so that two changes do not cross."""
    for unit in sorted(units, key=lambda one: one.pk):
        unit.refresh_from_db(from_queryset=Unit.objects.select_for_update())
        require_in(entry.person, Action.UNIT_EDIT, unit)


def _shown(day: datetime.date) -> str:
    return f"{day:%d/%m/%Y}"


def _check_exists(unit: Unit, day: datetime.date) -> None:
    """The unit was there before the day and goes on."""
    if unit.valid_from is not None and unit.valid_from >= day:
        raise ValidationError(
            _("%(unit)s exists from %(day)s only; the change must be later.")
            % {"unit": unit, "day": _shown(unit.valid_from)}
        )
    if unit.valid_to is not None:
        raise ValidationError(_("%(unit)s already has an end date.") % {"unit": unit})


def _put(recorder: Recorder, fresh: Fresh, parent: Unit | None, day: datetime.date) -> Unit:
    """A new unit under the parent from the day on."""
    official = fresh.kind != UnitKind.GROUP
    if official:
        check_official_code(fresh.kind, fresh.code)
    elif parent is None:
        raise ValidationError(_("A residential group belongs to a commune or ward."))
    unit = Unit(
        kind=fresh.kind,
        type_name=fresh.type_name.strip(),
        name=fresh.name.strip(),
        code=fresh.code if official or parent is None else next_group_code(parent),
        official=official,
        latitude=fresh.latitude,
        longitude=fresh.longitude,
        valid_from=day,
    )
    unit.clean_fields(exclude={"folded"})
    check_code_is_free(unit)
    recorder.touch(unit)
    recorder.add(unit)
    if parent is not None:
        check_in_order(unit, parent, day)
        recorder.add(UnitLink(unit=unit, parent=parent, valid_from=day))
    return unit


def _hang(recorder: Recorder, unit: Unit, parent: Unit, day: datetime.date) -> None:
    """From the day on the unit hangs under the parent."""
    later = unit.parent_links.filter(valid_from__gt=day).order_by("valid_from").first()
    if later is not None:
        raise ValidationError(
            _("For %(unit)s a change from %(day)s is recorded already.")
            % {"unit": unit, "day": _shown(later.valid_from)}
        )
    link = unit.parent_links.filter(in_force(day)).first()
    if link is not None and link.parent_id == parent.pk:
        return
    if link is not None and link.valid_from == day:
        recorder.alter(link, parent_id=parent.pk)
        return
    if link is not None:
        recorder.alter(link, valid_to=day)
    recorder.add(UnitLink(unit=unit, parent=parent, valid_from=day))


def _children(unit: Unit, day: datetime.date) -> list[Unit]:
    """Units that exist under this one on the day or begin there later."""
    links = UnitLink.objects.filter(in_force(day) | Q(valid_from__gt=day), parent=unit).values("unit")
    goes_on = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
    return list(Unit.objects.filter(goes_on, pk__in=links))


def _end(recorder: Recorder, unit: Unit, day: datetime.date, successor: Unit | None) -> None:
    """The unit ends before the day; its matters are then looked after by the successor, or where it hung."""
    _check_exists(unit, day)
    recorder.touch(unit)
    recorder.alter(unit, valid_to=day)
    if successor is not None:
        recorder.touch(successor)
        _hang(recorder, unit, successor, day)


def _parent(unit: Unit, day: datetime.date) -> Unit | None:
    link = unit.parent_links.filter(in_force(day)).select_related("parent").first()
    return link.parent if link else None


@transaction.atomic
def create(fresh: Fresh, parent: Unit, entry: Entry) -> Unit:
    """Sets up a unit under another."""
    _require(entry, parent)
    recorder = Recorder()
    recorder.touch(parent)
    unit = _put(recorder, fresh, parent, entry.day)
    recorder.keep(ChangeKind.CREATE, entry, to=[str(unit)], parent=str(parent))
    return unit


@transaction.atomic
def correct(unit: Unit, person: Any, **values: Any) -> Change:
    """Mends what was entered wrongly: `type_name`, `name`, `latitude`, `longitude`. No other name comes of it."""
    entry = Entry(person, today())
    _require(entry, unit)
    recorder = Recorder()
    recorder.touch(unit)
    # As it is stored: a form has put its own values into the object it was given.
    stored = Unit.objects.get(pk=unit.pk)
    before = str(stored)
    recorder.alter(stored, **values)
    stored.clean_fields(exclude={"folded"})
    return recorder.keep(ChangeKind.CORRECT, entry, units=[before], to=[str(stored)])


@transaction.atomic
def rename(unit: Unit, type_name: str, name: str, entry: Entry, code: str = "") -> Change:
    """The unit stays itself under another name (and code); what hangs on it stays with it."""
    _require(entry, unit)
    _check_exists(unit, entry.day)
    if entry.day > today():
        raise ValidationError(_("Record the new name on the day it comes into force, or later."))
    code = code or unit.code
    if (unit.type_name, unit.name, unit.code) == (type_name, name, code):
        raise ValidationError(_("It already has this name."))
    last = unit.former_names.order_by("-valid_to").first()
    since = last.valid_to if last else None
    if since is not None and since >= entry.day:
        raise ValidationError(_("It has had its present name since %(day)s.") % {"day": _shown(since)})
    recorder = Recorder()
    recorder.touch(unit)
    before = str(unit)
    if code != unit.code and not unit.official:
        raise ValidationError(_("The code of a residential group does not change."))
    recorder.add(
        FormerName(
            unit=unit,
            code=unit.code,
            type_name=unit.type_name,
            name=unit.name,
            valid_from=since,
            valid_to=entry.day,
        )
    )
    if code != unit.code:
        check_official_code(unit.kind, code)
        check_code_is_free(Unit(pk=unit.pk, kind=unit.kind, code=code, valid_from=entry.day, valid_to=unit.valid_to))
    recorder.alter(unit, type_name=type_name.strip(), name=name.strip(), code=code)
    unit.clean_fields(exclude={"folded"})
    return recorder.keep(ChangeKind.RENAME, entry, units=[before], to=[str(unit)])


@transaction.atomic
def move(unit: Unit, parent: Unit, entry: Entry) -> Change:
    """The unit hangs under another parent from the day on, with all that is under it."""
    _require(entry, unit, parent)
    if unit.valid_to is not None:
        raise ValidationError(_("%(unit)s already has an end date.") % {"unit": unit})
    if not unit.holds(entry.day):
        raise ValidationError(_("%(unit)s does not exist on that day.") % {"unit": unit})
    before = _parent(unit, entry.day)
    if before == parent:
        raise ValidationError(_("%(unit)s belongs to %(parent)s already.") % {"unit": unit, "parent": parent})
    check_in_order(unit, parent, entry.day)
    recorder = Recorder()
    recorder.touch(unit, parent, *([before] if before else []))
    _hang(recorder, unit, parent, entry.day)
    return recorder.keep(
        ChangeKind.MOVE, entry, units=[str(unit)], parent=str(parent), before=str(before) if before else ""
    )


@transaction.atomic
def merge(units: Sequence[Unit], into: Unit | Fresh, entry: Entry, parent: Unit | None = None) -> Unit:
    """The units end and become one: a new one (under `parent`, else where the first hung) or one that goes on."""
    ending = [unit for unit in dict.fromkeys(units) if unit != into]
    if not ending or (isinstance(into, Fresh) and len(ending) < 2):
        raise ValidationError(_("Choose at least two units to merge."))
    if len({unit.kind for unit in ending} | {into.kind}) > 1:
        raise ValidationError(_("Only units of one level can be merged."))
    _require(entry, *ending)
    above = parent or _parent(ending[0], entry.day)
    recorder = Recorder()
    # They end first: the new one may have the code of one of them.
    for unit in ending:
        _end(recorder, unit, entry.day, None)
    if isinstance(into, Unit):
        _require(entry, into)
        _check_exists(into, entry.day)
        successor = into
        recorder.touch(into)
    else:
        if above is not None:
            _require(entry, above)
        successor = _put(recorder, into, above, entry.day)
    for unit in ending:
        # What goes on is none of what is below: groups may lie in groups.
        check_not_below(unit, successor, entry.day)
        for child in _children(unit, entry.day):
            recorder.touch(child)
            _hang(recorder, child, successor, entry.day)
        _hang(recorder, unit, successor, entry.day)
        recorder.add(
            Succession(predecessor=unit, successor=successor, on=entry.day, kind=SuccessionKind.MERGE, whole=True)
        )
    goes_on = isinstance(into, Unit)
    recorder.keep(ChangeKind.MERGE, entry, units=[str(unit) for unit in ending], to=[str(successor)], goes_on=goes_on)
    return successor


@transaction.atomic
def split(
    unit: Unit, parts: Sequence[Fresh], entry: Entry, goes_on: bool = False, children: Mapping[Unit, int] | None = None
) -> list[Unit]:
    """The unit is divided into new ones; when it goes on, they are parts taken out of it.

    `children` says to which part each unit below goes (index into `parts`). A unit that ends needs a place for each;
    its matters go to the first part.
    """
    if len(parts) < (1 if goes_on else 2):
        raise ValidationError(_("A unit is divided into at least two."))
    if any(part.kind != unit.kind for part in parts):
        raise ValidationError(_("The parts are of the same level as the unit."))
    above = _parent(unit, entry.day)
    _require(entry, unit, *([above] if above else []))
    _check_exists(unit, entry.day)
    recorder = Recorder()
    recorder.touch(unit)
    goes_to = dict(children or {})
    below = _children(unit, entry.day)
    if not goes_on and (left := [child for child in below if child not in goes_to]):
        names = ", ".join(str(child) for child in left)
        raise ValidationError(_("Choose where these go: %(units)s.") % {"units": names})
    if not goes_on:
        _end(recorder, unit, entry.day, None)
    made = [_put(recorder, part, above, entry.day) for part in parts]
    for child in below:
        if child in goes_to:
            recorder.touch(child)
            _hang(recorder, child, made[goes_to[child]], entry.day)
    if not goes_on:
        _hang(recorder, unit, made[0], entry.day)
    for part in made:
        recorder.add(Succession(predecessor=unit, successor=part, on=entry.day, kind=SuccessionKind.SPLIT, whole=False))
    recorder.keep(ChangeKind.SPLIT, entry, units=[str(unit)], to=[str(part) for part in made], goes_on=goes_on)
    return made


@transaction.atomic
def close(unit: Unit, entry: Entry, successor: Unit | None = None) -> Change:
    """The unit ends before the day; the successor, which must be there when units are below, takes over all."""
    _require(entry, unit, *([successor] if successor else []))
    _check_exists(unit, entry.day)
    below = _children(unit, entry.day)
    if below and successor is None:
        raise ValidationError(
            _("There are %(count)d units below it. Choose which unit takes them over.") % {"count": len(below)}
        )
    recorder = Recorder()
    recorder.touch(unit)
    if successor is not None:
        if successor == unit or not successor.holds(entry.day) or successor.valid_to is not None:
            raise ValidationError(_("Choose a unit that still exists after that day."))
        for child in below:
            check_in_order(child, successor, entry.day)
            recorder.touch(child)
            _hang(recorder, child, successor, entry.day)
        recorder.add(
            Succession(predecessor=unit, successor=successor, on=entry.day, kind=SuccessionKind.ABOLISH, whole=True)
        )
    _end(recorder, unit, entry.day, successor)
    return recorder.keep(ChangeKind.CLOSE, entry, units=[str(unit)], to=[str(successor)] if successor else [])
