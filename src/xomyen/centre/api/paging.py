"""Lists by pages with a bound, and a mark to go on; nothing is counted."""

import base64
import binascii
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Schema
from pydantic import Field

from xomyen.centre.api.problems import Problem

MOST = 200


class Paged(Schema):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[str, Field(max_length=200, description="`next` of the page before")] = ""


def page(rows: QuerySet[Any], paged: Paged) -> tuple[list[Any], str | None]:
    """The rows of the page in the order of their ids, and the mark of the next one."""
    if paged.cursor:
        rows = rows.filter(pk__gt=_read(paged.cursor))
    found = list(rows.order_by("pk")[: paged.limit + 1])
    shown = found[: paged.limit]
    return shown, _mark(shown[-1].pk) if len(found) > paged.limit else None


def page_of_few(rows: list[Any], paged: Paged, key: Callable[[Any], uuid.UUID]) -> tuple[list[Any], str | None]:
    """The same of rows that were read already."""
    start = _read(paged.cursor) if paged.cursor else None
    left = sorted((row for row in rows if start is None or key(row) > start), key=key)
    shown = left[: paged.limit]
    return shown, _mark(key(shown[-1])) if len(left) > paged.limit else None


def _mark(key: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(key.bytes).decode().rstrip("=")


def _read(cursor: str) -> uuid.UUID:
    try:
        return uuid.UUID(bytes=base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise Problem(422, "invalid_cursor") from error
