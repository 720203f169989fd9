"""The pages of the audit log."""

import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from xomyen.centre.audit.export import write_export
from xomyen.centre.audit.extract import Extract
from xomyen.centre.audit.forms import FilterForm
from xomyen.centre.audit.models import Pending
from xomyen.centre.audit.queries import Wanted, page_of, readable
from xomyen.centre.audit.services import record
from xomyen.centre.audit.shown import Shown
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import NS_PER_SECOND

_PER_PAGE = 50
_LATE_S = 60
"""Entries that wait longer than this for the chain are told of: nobody writes it."""


@require_GET
def records(request: HttpRequest) -> HttpResponse:
    """The log, newest first, within the units one may read it of; looking at it is recorded too."""
    require(request.user, Action.AUDIT_READ)
    form = FilterForm(request.GET)
    wanted = form.wanted() if form.is_valid() else Wanted()
    page = page_of(wanted.narrow(readable(request.user)), _PER_PAGE, request.GET.get("page", ""))
    record("audit.read", request=request, details=wanted.said())
    filters = request.GET.copy()
    filters.pop("page", None)
    context: dict[str, Any] = {
        "active_place": "audit:list",
        "form": form,
        "shown": [Shown.of(row) for row in page.rows],
        "older": page.older,
        "newer": page.newer,
        "filters": filters.urlencode(),
        "narrowed": bool(wanted.said()),
        "late_since": _late_since(),
        "key": SigningKey.load_or_create(settings.FOLDER.issuer_key).fingerprint,
        "can_export": may(request.user, Action.AUDIT_EXPORT),
    }
    return render(request, "audit/list.html", context)


@require_POST
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What the filters find, as a file in which the chain can be checked anywhere."""
    form = FilterForm(request.POST)
    return export_answer(request, form.wanted() if form.is_valid() else Wanted())


def export_answer(request: HttpRequest, wanted: Wanted) -> StreamingHttpResponse:
    """The file. Raises PermissionDenied."""
    require(request.user, Action.AUDIT_EXPORT)
    key = SigningKey.load(settings.FOLDER.issuer_key)
    extract = Extract(request.user, wanted)
    # Told first: what leaves the house without a record must not.
    details = wanted.said() | {"first": extract.first, "last": extract.last}
    record("audit.exported", request=request, details=details)
    lines = write_export(extract.lines(), key, request.get_host(), wanted.said(), extract.previous)
    answer = StreamingHttpResponse(lines, content_type="application/jsonl")
    name = f"audit-{timezone.localtime():%Y-%m-%d-%H%M%S}.jsonl"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _late_since() -> datetime.datetime | None:
    """Since when entries wait for the chain, when that is too long."""
    oldest = Pending.objects.order_by("number").values_list("at_ns", flat=True).first()
    if oldest is None:
        return None
    since = datetime.datetime.fromtimestamp(oldest / NS_PER_SECOND, datetime.UTC)
    return since if timezone.now() - since > datetime.timedelta(seconds=_LATE_S) else None
