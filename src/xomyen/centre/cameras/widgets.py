"""Widgets of the forms of cameras: a choice among thousands."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.utils import flatatt
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

MOST_SHOWN = 40
"""Rows of a choice; what lies beyond is found by typing."""
_CHOSEN = mark_safe(" selected")


class PickSelect(forms.Select):
    """A choice of a row: all of them where they are few, else the first of them and a field that finds the others.

    `kind` says among which rows the field searches; see `pick_views`.
    """

    def __init__(self, kind: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.kind = kind

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        field = self.choices.field
        attributes = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        chosen = next((one for one in self.format_value(value) if one), None)
        return pick(self.kind, self.choices.queryset, chosen, attributes, field.label_from_instance, field.empty_label)


def pick(
    kind: str,
    rows: QuerySet[Any],
    chosen: Any,
    attributes: dict[str, Any],
    label: Callable[[Any], Any] = str,
    empty: Any = None,
) -> SafeString:
    """The select, and above it the field that finds further rows. `attributes` are those of the select, with `id`."""
    shown = list(rows[: MOST_SHOWN + 1])
    among_many = len(shown) > MOST_SHOWN
    # Not simply what was sent: a row of others is none here.
    first = _row(rows, chosen)
    if among_many and first is not None and first not in shown:
        shown.insert(0, first)
    select = format_html(
        "<select{}>{}</select>",
        flatatt(attributes),
        options(shown[: MOST_SHOWN + 1] if among_many else shown, first, label, empty),
    )
    if not among_many:
        return select
    own = attributes["id"]
    # `form` names none: neither Enter nor a change here sends the form around it.
    return format_html(
        '<div class="pick"><input class="form-control" type="search" name="q" form="none" autocomplete="off"'
        ' placeholder="{}" aria-label="{}" aria-controls="{}" hx-get="{}" hx-trigger="input changed delay:250ms"'
        ' hx-include="#{}" hx-vals="{}" hx-target="#{}">{}'
        '<span class="form-hint" id="{}-found" role="status"></span></div>',
        _("Type to search"),
        _("Search the list"),
        own,
        reverse("cameras:pick", args=[kind]),
        own,
        json.dumps({"select": own, "name": attributes["name"], "empty": "" if empty is None else str(empty)}),
        own,
        select,
        own,
    )


def _row(rows: QuerySet[Any], key: Any) -> Any:
    try:
        return rows.filter(pk=key).first() if key else None
    except ValidationError:
        return None


def options(rows: Iterable[Any], chosen: Any, label: Callable[[Any], Any], empty: Any = None) -> SafeString:
    """The lines of a select, in one go: Django renders a template for each of them."""
    lines = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((row.pk, _CHOSEN if row == chosen else "", label(row)) for row in rows),
    )
    return lines if empty is None else format_html('<option value="">{}</option>{}', empty, lines)
