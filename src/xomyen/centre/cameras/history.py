"""Who changed what of a camera, and when."""

import datetime
import itertools
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from xomyen.centre.cameras.models import Camera

_MOST = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One save."""

    at: datetime.datetime
    by: str
    what: tuple[str, ...]  # names of the fields


def changes_of(camera: Camera) -> list[Change]:
    """The newest changes, the newest first; two queries."""
    rows = list(camera.history.select_related("history_user").order_by("-history_date", "-history_id")[: _MOST + 1])
    labels = {field.name: str(field.verbose_name) for field in Camera._meta.fields}
    found = []
    for row, before in itertools.pairwise([*rows, None]):
        if before is None and row.history_type != "+":
            break
        what = (_("entered"),) if before is None else tuple(labels[name] for name in _changed(row, before))
        if what:
            found.append(Change(row.history_date, _by(row), what))
    return found


def _changed(row: Any, before: Any) -> list[str]:
    # A default password is told to those alone who may change the camera; that one was set is told as it is.
    untold = ("id", "created", "factory_password")
    names = [field.attname for field in row.tracked_fields if field.name not in untold]
    changed = [name for name in names if getattr(row, name) != getattr(before, name)]
    return [name.removesuffix("_id") for name in changed]


def _by(row: Any) -> str:
    if row.history_user is not None:
        return str(row.history_user)
    return _("at the recorder") if row.history_change_reason else _("the system")
