"""Things that hold for a time: from a day, and until before another."""

import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def today() -> datetime.date:
    """The day in Viet Nam."""
    return timezone.localdate()


def in_force(on: datetime.date, prefix: str = "") -> Q:
    """Rows (of a relation, with its prefix `unit__`) whose time contains the day."""
    return (Q(**{f"{prefix}valid_from__isnull": True}) | Q(**{f"{prefix}valid_from__lte": on})) & (
        Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": on})
    )


class DatedModel(models.Model):
    """A row that holds from `valid_from` until before `valid_to`.

    `valid_to` is the first day on which it does not hold any more (half-open, as ISO 8601-2 and SQL:2011 periods
    are), so that what follows begins on the same date; people are shown the last day, the one before.
    """

    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid until before"), null=True, blank=True)

    class Meta:
        abstract = True

    def holds(self, on: datetime.date) -> bool:
        """Whether the day lies in its time."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which it holds."""
        return self.valid_to - datetime.timedelta(days=1) if self.valid_to else None


def period_is_forward(name: str) -> models.CheckConstraint:
    """The constraint that a time has a length."""
    condition: Any = Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gt=models.F("valid_from"))
    return models.CheckConstraint(condition=condition, name=name)
