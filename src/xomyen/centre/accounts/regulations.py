"""Regulations on use: which ones hold for somebody, and who agreed to them."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from xomyen.centre.accounts.models import Acceptance, Regulation, User
from xomyen.centre.audit.services import record
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Unit
from xomyen.centre.organisation.tree import above_sql
from xomyen.centre.permissions.actions import PICTURES, Action
from xomyen.centre.permissions.decide import allowed_units, held_by
from xomyen.centre.permissions.roles import RULES


def outstanding(person: Any) -> QuerySet[Regulation]:
    """What the person has yet to accept before seeing pictures; with it, no ticket is to be issued.

    That is each regulation in force at a unit where they hold a role that shows pictures, or at one above.
    """
    units = sorted({unit for held in held_by(person) if RULES[held.role].actions & PICTURES for unit in held.units})
    if not units or not isinstance(person, User):
        return Regulation.objects.none()
    return (
        Regulation.objects.filter(in_force(today()), unit__in=above_sql(units, today()))
        .exclude(acceptances__user=person)
        .select_related("unit")
        .order_by("unit__code", "-version")
    )


def accept(person: User, regulation: Regulation, address: str | None) -> None:
    """Records that the person agreed; a second time changes nothing."""
    with transaction.atomic():
        defaults = {"address": address, "name": str(person)}
        _, new = Acceptance.objects.get_or_create(user=person, regulation=regulation, defaults=defaults)
        if new:
            record("regulation.accepted", person, regulation, details={"version": regulation.version})


def enact(
    unit: Unit, made_by: User | None, valid_from: datetime.date, title: str, text: str, number: str = ""
) -> Regulation:
    """A new version for the unit, which takes the place of the one before on its first day."""
    with transaction.atomic():
        earlier = Regulation.objects.filter(unit=unit)
        last = earlier.aggregate(last=Max("version"))["last"] or 0
        # One that would have begun on that day or later never comes into force.
        earlier.filter(valid_from__gte=valid_from, acceptances__isnull=True).delete()
        earlier.filter(in_force(valid_from)).exclude(valid_from__gte=valid_from).update(valid_to=valid_from)
        made = Regulation.objects.create(
            unit=unit,
            version=last + 1,
            number=number,
            title=title,
            text=text,
            valid_from=valid_from,
            made_by=made_by,
        )
        record("regulation.enacted", made_by, made, unit, details={"version": made.version})
        return made


def kept_by(person: Any) -> QuerySet[Regulation]:
    """The regulations, past and coming ones too, of the units where the person may enact them."""
    mine = allowed_units(person, Action.REGULATION_EDIT)
    accepted = Count("acceptances", distinct=True)
    return Regulation.objects.filter(unit__in=mine).annotate(accepted=accepted).select_related("unit", "made_by")


def readable(person: Any) -> QuerySet[Regulation]:
    """The regulations whose text the person may look up: those they may enact, and those they accepted."""
    mine = allowed_units(person, Action.REGULATION_EDIT)
    accepted = Acceptance.objects.filter(user_id=person.pk).values("regulation")
    return Regulation.objects.filter(Q(unit__in=mine) | Q(pk__in=accepted)).select_related("unit")
