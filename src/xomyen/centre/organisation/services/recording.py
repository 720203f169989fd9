"""Notes each row that a change of the tree makes or alters, so that the change can be told and undone."""

import datetime
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Change, MandateDocument, Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require_in


@dataclass(frozen=True, slots=True)
class Entry:
    """Who records a change, from which day it is in force, and on which paper it rests."""

    person: Any
    day: datetime.date
    document: MandateDocument | None = None
    basis: str = ""


def _plain(row: Model, fields: Any = None) -> dict[str, Any]:
    """The row's values as JSON has them."""
    values = {
        field.attname: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if fields is None or field.attname in fields
    }
    plain: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return plain


class Recorder:
    """Makes and alters rows on behalf of one change."""

    def __init__(self) -> None:
        self._steps: list[dict[str, Any]] = []
        self._units: dict[uuid.UUID, Unit] = {}

    def touch(self, *units: Unit) -> None:
        """The change concerns these units."""
        self._units.update({unit.pk: unit for unit in units})

    def add(self, row: Model) -> None:
        row.save(force_insert=True)
        self._steps.append({"model": row._meta.label, "pk": str(row.pk), "before": None, "after": _plain(row)})

    def alter(self, row: Model, **values: Any) -> None:
        """Sets the values, by the names of their columns (`parent_id`)."""
        before = _plain(row, values)
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        self._steps.append(
            {"model": row._meta.label, "pk": str(row.pk), "before": before, "after": _plain(row, values)}
        )

    def keep(self, kind: Any, entry: Entry, **summary: Any) -> Change:
        """The change itself, to be called last; `summary` has names as they are now."""
        change = Change.objects.create(
            kind=kind,
            day=entry.day,
            summary=summary,
            document=entry.document,
            basis=entry.basis,
            made_by=entry.person,
            steps=self._steps,
        )
        change.units.set(self._units)
        return change


def why_not_undone(change: Change) -> str:
    """Why the change cannot be undone any more; empty when nothing is known that stands in the way."""
    if change.undone_at is not None:
        return _("It has already been undone.")
    if timezone.localdate(change.made_at) != today():
        return _("A change can be undone on the day it was recorded. Record another change instead.")
    if not change.steps:
        return _("There is nothing to undo.")
    later = Change.objects.filter(made_at__gt=change.made_at, undone_at=None, units__in=change.units.all())
    if later.exists():
        return _("A later change concerns the same units. Undo that one first.")
    return ""


@transaction.atomic
def undo(change: Change, person: Any) -> None:
    """Puts all rows back. Raises ValidationError when something was built upon them since."""
    change = Change.objects.select_for_update().get(pk=change.pk)
    if reason := why_not_undone(change):
        raise ValidationError(reason)
    for unit in change.units.all():
        require_in(person, Action.UNIT_EDIT, unit)
    for step in reversed(change.steps):
        _put_back(step)
    change.undone_at = timezone.now()
    change.undone_by = person
    change.save(update_fields=["undone_at", "undone_by"])


def _put_back(step: dict[str, Any]) -> None:
    model = apps.get_model(step["model"])
    row = model._default_manager.filter(pk=step["pk"]).first()
    if row is None or _plain(row, step["after"]) != step["after"]:
        raise ValidationError(_("Something was changed since. Record another change instead."))
    if step["before"] is None:
        if isinstance(row, Unit) and row.part_of_schemes.exists():
            raise ValidationError(_("%(unit)s is already in use: it takes part in a scheme.") % {"unit": row})
        try:
            row.delete()
        except ProtectedError as error:
            raise ValidationError(
                _("%(unit)s is in use already. Record another change instead.") % {"unit": row}
            ) from error
        return
    for name, value in step["before"].items():
        setattr(row, name, row._meta.get_field(name.removesuffix("_id") if name != "id" else name).to_python(value))
    row.save()
