"""What operations on rows have in common: finding one, listing many, and filling in the forms of the pages."""

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from xomyen.centre.api.conditional import require_match
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.folding import fold, has_marks, matches
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, visible


def seen(request: HttpRequest, action: Action, rows: QuerySet[Any], key: uuid.UUID) -> Any:
    """The row, for somebody who may do this to it; 404 where it is not there or outside their units."""
    require(request.user, action)
    return get_object_or_404(visible(request.user, action, rows), pk=key)


def unchanged(request: HttpRequest, row: Any, revision: Callable[[Any], int]) -> Any:
    """The row as it is now, and nobody else's until the transaction ends; Problem unless `If-Match` names it."""
    # Another change may have been saved while this one waited for the row.
    now = type(row)._default_manager.select_for_update().get(pk=row.pk)
    require_match(request, revision(now))
    return now


def listed(rows: QuerySet[Any], paged: Paged, shown: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The page of the rows, each as it is shown, and the mark of the next page."""
    found, following = page(rows, paged)
    return {"items": [shown(one) for one in found], "next": following}


def sought(rows: QuerySet[Any], text: str, called: str) -> QuerySet[Any]:
    """Those in whose words the text stands; tone marks count where some are typed, in what the field `called` says."""
    found = rows.filter(folded__contains=fold(text))
    if not has_marks(text):
        return found
    named = found.values_list("pk", called)
    return rows.filter(pk__in=[key for key, name in named if matches(text, name)])


def told(row: Any, *names: str, **others: Any) -> dict[str, Any]:
    """A row by its id and these of its values, and what is told of it besides."""
    return {"id": row.pk} | {name: getattr(row, name) for name in names} | others


def filled(form: Any) -> Any:
    """The form of a page with nothing wrong in it; else its words are the answer."""
    if not form.is_valid():
        raise ValidationError(form.errors.as_data())
    return form


def carried_out(form: Any) -> Any:
    """What came of a form that calls its service itself; else its words, and those of the service, are the answer."""
    made = form.carried_out()
    if made is None:
        raise ValidationError(form.errors.as_data())
    return made
