"""Rows of the log in the reader's words."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xomyen.centre.audit.models import Record
from xomyen.centre.audit.words import label_of
from xomyen.terms.time import NS_PER_SECOND

# What stands in "detail" of what was done with pictures of a camera.
_STREAMS: dict[str, Any] = {"main": gettext_lazy("main stream"), "sub": gettext_lazy("sub-stream")}
_APPS = ("organisation", "accounts", "cameras", "watch")
_DETAILS: dict[str, Any] = {
    "from_ns": gettext_lazy("Footage from"),
    "to_ns": gettext_lazy("Footage until"),
    "ticket": gettext_lazy("Ticket"),
    "issuer": gettext_lazy("Issued elsewhere, with key"),
    "detail": gettext_lazy("Detail"),
    "type": gettext_lazy("Kind"),
    "who": gettext_lazy("Filter: who"),
    "kind": gettext_lazy("Filter: what"),
    "unit": gettext_lazy("Filter: unit"),
    "camera": gettext_lazy("Filter: camera"),
    "first": gettext_lazy("First row"),
    "last": gettext_lazy("Last row"),
    "sequence": gettext_lazy("Row"),
    "scopes": gettext_lazy("May be used for"),
    "expires": gettext_lazy("Expires"),
    "actions": gettext_lazy("Allows"),
    "version": gettext_lazy("Version"),
    "at": gettext_lazy("At"),
    "how": gettext_lazy("How"),
    "hours": gettext_lazy("Valid for (hours)"),
    "addresses": gettext_lazy("Addresses"),
    "host": gettext_lazy("Address of the device"),
    "reached": gettext_lazy("Address the stream came from"),
    "picture_shown": gettext_lazy("A picture was shown"),
    "missing": gettext_lazy("Events of all kinds that were dropped unread"),
    "made_anew": gettext_lazy("The recorder's events were begun anew"),
    "file": gettext_lazy("File"),
    "encrypted": gettext_lazy("Encrypted"),
    "encrypted_to": gettext_lazy("Encrypted to the key"),
    "user": gettext_lazy("User of the machine"),
    "made": gettext_lazy("Made"),
    "program": gettext_lazy("Version of the program"),
    "why": gettext_lazy("Why"),
    "units": gettext_lazy("Units added"),
}
_HOW: dict[str, Any] = {
    "password": gettext_lazy("password"),
    "totp": gettext_lazy("code of an app"),
    "webauthn": gettext_lazy("passkey"),
    "recovery_codes": gettext_lazy("recovery code"),
    "oidc": gettext_lazy("external account"),
    "link": gettext_lazy("link to choose a password"),
    "owner_link": gettext_lazy("one-time link"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the page shows it."""

    row: Record
    at: datetime.datetime
    action: str
    changes: list[tuple[str, str, str]]  # field, before, after
    more: list[tuple[str, str]]

    @classmethod
    def of(cls, row: Record) -> "Shown":
        try:
            details = row.details
        except ValueError:  # somebody made it unreadable; `xomyen audit verify` says so
            details = {}
        changes = details.pop("changes", {})
        return cls(
            row=row,
            at=_moment(row.at_ns),
            action=label_of(row.action),
            changes=[_change(row.thing_type, name, values) for name, values in changes.items()],
            more=[_detail(name, value) for name, value in _in_order(details) if value not in ("", None)],
        )


def _moment(at_ns: int) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(at_ns // NS_PER_SECOND, datetime.UTC)
    except (ValueError, OverflowError, OSError):  # a recorder's clock may say anything
        return datetime.datetime.max.replace(tzinfo=datetime.UTC) - datetime.timedelta(days=1)


def _in_order(details: dict[str, Any]) -> list[tuple[str, Any]]:
    """Beside each other what belongs together; the log itself keeps them by the alphabet."""
    order = {name: place for place, name in enumerate(_DETAILS)}
    return sorted(details.items(), key=lambda one: order.get(one[0], len(order)))


def _detail(name: str, value: Any) -> tuple[str, str]:
    if name == "known":
        return _("User name"), _("there is none")
    if name.endswith("_ns") and isinstance(value, int):
        value = formats.date_format(timezone.localtime(_moment(value)), "DATETIME_FORMAT")
    if name == "how":
        value = [_HOW.get(one, one) for one in (value if isinstance(value, list) else [value])]
    if name == "detail":
        value = _STREAMS.get(str(value), value)
    if isinstance(value, bool):
        value = _("yes") if value else _("no")
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    return str(_DETAILS.get(name, name)), str(value)


def _change(model_name: str, name: str, values: Any) -> tuple[str, str, str]:
    """What a field is called, and its values, choices by their names."""
    field = _field(model_name, name)
    before, after = values if isinstance(values, list) and len(values) == 2 else ("", "")
    if field is None:
        return name, str(before), str(after)
    choices = {str(key): str(label) for key, label in (field.flatchoices or ())}
    texts = [choices.get(str(value), str(value)) for value in (before, after)]
    return capfirst(str(field.verbose_name)), texts[0], texts[1]


def _field(model_name: str, name: str) -> Any:
    for label in _APPS:
        try:
            return apps.get_model(label, model_name)._meta.get_field(name)
        except (LookupError, FieldDoesNotExist):
            continue
    return None
