"""Writing the audit log: `record` is what everybody calls."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from simple_history.models import HistoricalRecords

from xomyen.centre.audit.address import address_of
from xomyen.centre.audit.chain import plain, plain_text
from xomyen.centre.audit.models import Pending
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.decide import held_by


def record(
    action: str,
    person: Any = None,
    thing: Model | None = None,
    unit: Unit | uuid.UUID | str | None = None,
    purpose: str = "",
    request: HttpRequest | None = None,
    details: dict[str, Any] | None = None,
    label: str = "",
) -> None:
    """Notes that somebody did something; call it in the transaction of the deed, so that both are kept or none.

    `action` is a word such as `camera.live` (see `words.py`). Without `request` the one being answered counts, without
    `person` whoever is signed in there; else the system itself did it. Without `unit` it is the thing's, else the one
    the person serves. `label` is what the thing is called, where its own text does not say it.

    No secret belongs into `details`: what stands here is never deleted.
    """
    _entry(action, person, thing, unit, purpose, request, details, label).save(force_insert=True)


def record_each(
    action: str, things: Iterable[tuple[Model, uuid.UUID]], purpose: str = "", details: dict[str, Any] | None = None
) -> None:
    """As `record`, of each of many things with its unit: asks the database no more often for hundreds than for one."""
    listed = list(things)
    units = Unit.objects.in_bulk({unit for _thing, unit in listed})
    Pending.objects.bulk_create(
        _entry(action, None, thing, units.get(unit, unit), purpose, None, details, "") for thing, unit in listed
    )


def _entry(
    action: str,
    person: Any,
    thing: Model | None,
    unit: Unit | uuid.UUID | str | None,
    purpose: str,
    request: HttpRequest | None,
    details: dict[str, Any] | None,
    label: str,
) -> Pending:
    """What waits for the chain."""
    request = request or getattr(HistoricalRecords.context, "request", None)
    if person is None and request is not None and getattr(request, "user", None) is not None:
        person = request.user if request.user.is_authenticated else None
    where = _unit(unit, thing, person)
    return Pending(
        at_ns=time.time_ns(),
        action=plain_text(action, 60),
        person="" if person is None else str(person.pk),
        person_name="" if person is None else plain_text(person, 200),
        thing_type="" if thing is None else str(thing._meta.model_name),
        thing="" if thing is None else plain_text(thing.pk, 200),
        thing_label="" if thing is None else plain_text(label or thing, 300),
        unit=where.id,
        unit_label=plain_text(where.label, 200),
        purpose=plain_text(purpose, 500),
        address="" if request is None else address_of(request),
        details_json=Pending.encode(plain(details or {})),
    )


@dataclass(frozen=True, slots=True)
class Where:
    """The unit of a record; no id: nobody's."""

    id: uuid.UUID | None = None
    label: str = ""


def where_is(unit: Unit | uuid.UUID | str | None) -> Where:
    """The unit with its name as of now."""
    if unit is None:
        return Where()
    if isinstance(unit, Unit):
        return Where(unit.pk, str(unit))
    key = unit if isinstance(unit, uuid.UUID) else uuid.UUID(unit)
    found = Unit.objects.filter(pk=key).first()
    return Where(key, "" if found is None else str(found))


def unit_of_person(person: Any) -> uuid.UUID | None:
    """The unit that a person serves: that of the first role in force."""
    return next((unit for held in held_by(person) for unit in held.units), None) if person is not None else None


def _unit(unit: Unit | uuid.UUID | str | None, thing: Model | None, person: Any) -> Where:
    if unit is None and isinstance(thing, Unit):
        unit = thing
    elif unit is None and thing is not None and hasattr(thing, "unit_of"):
        unit = thing.unit_of()
    elif unit is None and thing is not None and hasattr(thing, "appointments"):
        unit = unit_of_person(thing)
    return where_is(unit if unit is not None else unit_of_person(person))
