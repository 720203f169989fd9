"""Finds the rows of a choice that are too many to be listed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xomyen.centre.cameras import lists
from xomyen.centre.cameras.forms import (
    documents_for,
    named_document,
    named_site,
    named_unit,
    nodes_for,
    sites_for,
    units_for,
)
from xomyen.centre.cameras.widgets import MOST_SHOWN, options
from xomyen.centre.folding import fold
from xomyen.centre.permissions.actions import Action

_LONGEST = 100
_ID = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """Among which rows is searched, how, and what they are called in the list."""

    rows: Callable[[Any], Any]
    search: Callable[[Any, str], Any]
    label: Callable[[Any], str] = str


def _units(rows: Any, text: str) -> Any:
    return rows.search(text)


def _folded(rows: Any, text: str) -> Any:
    return rows.filter(folded__contains=fold(text))


_KINDS = {
    "site": _Kind(sites_for, _folded, named_site),
    "node": _Kind(nodes_for, lists.called),
    "document": _Kind(documents_for, _folded, named_document),
    "unit": _Kind(lambda person: units_for(person, Action.CAMERA_EDIT), _units, named_unit),
    "node-unit": _Kind(lambda person: units_for(person, Action.NODE_EDIT), _units, named_unit),
    "unit-with-sites": _Kind(lists.units_with_sites, _units, named_unit),
}


@require_GET
def pick(request: HttpRequest, kind: str) -> HttpResponse:
    """The options of a select: what was chosen before, and the first rows found; the only one found is chosen."""
    if kind not in _KINDS:
        raise Http404
    asked = _KINDS[kind]
    rows = asked.rows(request.user)
    text = request.GET.get("q", "").strip()[:_LONGEST]
    select, name = request.GET.get("select", ""), request.GET.get("name", "")
    if not _ID.fullmatch(select):
        raise Http404
    found = list((asked.search(rows, text) if text else rows)[: MOST_SHOWN + 1])
    before = lists.first_of(rows, request.GET.get(name, ""))
    chosen = found[0] if text and len(found) == 1 else before
    shown = found[:MOST_SHOWN]
    if chosen is not None and chosen not in shown:
        shown = [chosen, *shown]
    empty = request.GET.get("empty", "")[:_LONGEST] or (None if chosen else "–")
    return HttpResponse(
        format_html(
            '{}<span class="form-hint" id="{}-found" role="status" hx-swap-oob="true">{}</span>',
            options(shown, chosen, asked.label, empty),
            select,
            _told(text, len(found)),
        )
    )


def _told(text: str, number: int) -> str:
    if not text:
        return ""
    if not number:
        return _("Nothing was found.")
    if number > MOST_SHOWN:
        return _("More than %(most)s were found; type more.") % {"most": MOST_SHOWN}
    if number == 1:
        return _("The only one found was chosen.")
    return _("%(number)s were found; choose from the list.") % {"number": number}
