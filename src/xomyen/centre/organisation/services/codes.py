"""Codes of units: the form of official ones, that none is given twice at a time, and the product's own."""

import datetime
import hashlib
import re

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from xomyen.centre.organisation.models import FormerName, Unit, UnitKind, UnitLink

_DIGITS = {UnitKind.PROVINCE: 2, UnitKind.DISTRICT: 3, UnitKind.COMMUNE: 5}
_LONGEST_PREFIX = Unit._meta.get_field("code").max_length - 3  # a number of three digits fits behind it


def next_group_code(parent: Unit) -> str:
    """The product's code of a new residential group, such as 90001-03: its commune's, and a number never given before.

    Call it in a transaction: nobody else numbers what begins alike until that has ended.
    """
    prefix = f"{parent.code}-"
    # There is room for a few levels; what lies deeper is numbered with those of a level above.
    while len(prefix) > _LONGEST_PREFIX:
        prefix = prefix[:-1].rpartition("-")[0] + "-"
    _hold(prefix)
    given = Unit.objects.filter(official=False, code__startswith=prefix).values_list("code", flat=True)
    numbers = [int(code.removeprefix(prefix)) for code in given if code.removeprefix(prefix).isdecimal()]
    return f"{prefix}{max(numbers, default=0) + 1:02d}"


def _hold(prefix: str) -> None:
    """Others who want a number behind this prefix wait until the transaction has ended.

    No row stands for a prefix: units under several parents share it, and which unit it is the code of changes. SQLite
    has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        key = int.from_bytes(hashlib.sha256(f"group code {prefix}".encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def check_official_code(kind: str, code: str) -> None:
    """Raises ValidationError unless the code is text of the right number of digits."""
    digits = _DIGITS[UnitKind(kind)]
    if not re.fullmatch(rf"[0-9]{{{digits}}}", code):
        raise ValidationError({"code": _("The code has %(count)d digits, leading zeros included.") % {"count": digits}})


def check_code_is_free(unit: Unit) -> None:
    """Raises ValidationError when another unit of the kind has the code at some time of this one's."""
    after = Q(valid_to__isnull=True)
    if unit.valid_from is not None:
        after |= Q(valid_to__gt=unit.valid_from)
    before = Q() if unit.valid_to is None else Q(valid_from__isnull=True) | Q(valid_from__lt=unit.valid_to)
    others = Unit.objects.exclude(pk=unit.pk).filter(kind=unit.kind)
    if unit.valid_from is None:
        after = Q()
    had = FormerName.objects.filter(after, before, code=unit.code, unit__in=others).select_related("unit").first()
    has = others.filter(after, before, code=unit.code).first()
    other = has or (had.unit if had else None)
    if other is not None:
        raise ValidationError(_("%(unit)s has the code %(code)s at that time.") % {"unit": other, "code": unit.code})


def check_in_order(unit: Unit, parent: Unit, day: datetime.date) -> None:
    """Raises ValidationError unless the unit may hang under the parent from the day on, then and later."""
    levels = list(UnitKind)
    higher = levels.index(UnitKind(parent.kind)) < levels.index(UnitKind(unit.kind))
    # Residential groups may be divided into smaller ones.
    if not higher and not parent.kind == unit.kind == UnitKind.GROUP:
        raise ValidationError(
            _("%(unit)s cannot belong to %(parent)s: that is not a higher level.") % {"unit": unit, "parent": parent}
        )
    if not parent.holds(day):
        raise ValidationError(_("%(parent)s does not exist on that day.") % {"parent": parent})
    if parent.valid_to is not None and (unit.valid_to is None or unit.valid_to > parent.valid_to):
        raise ValidationError(
            _("%(parent)s ends on %(day)s.") % {"parent": parent, "day": f"{parent.last_day:%d/%m/%Y}"}
        )
    check_not_below(unit, parent, day)


def check_not_below(unit: Unit, parent: Unit, day: datetime.date) -> None:
    """Raises ValidationError when the parent lies under the unit on the day or comes to lie there later."""
    later = UnitLink.objects.filter(valid_from__gt=day).values_list("valid_from", flat=True).distinct()
    for then in (day, *later.order_by("valid_from")):
        if Unit.objects.below(unit.pk, then).filter(pk=parent.pk).exists():
            raise ValidationError(
                _("%(parent)s belongs to %(unit)s: each would be above the other.") % {"parent": parent, "unit": unit}
            )
