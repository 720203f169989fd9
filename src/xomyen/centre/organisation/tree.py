"""The tree of units as of a day: recursive queries that SQLite and PostgreSQL both answer in one go.

django-tree-queries knows one parent per row, ours change over time; so the two queries stand here.
"""

import datetime
import json
import uuid
from collections.abc import Iterable

from django.db import connection
from django.db.models.expressions import RawSQL

_HOLDS = "(link.valid_from IS NULL OR link.valid_from <= %s) AND (link.valid_to IS NULL OR link.valid_to > %s)"

_BELOW = f"""
WITH RECURSIVE tree(id) AS (
    {{roots}}
    UNION
    SELECT link.unit_id FROM organisation_unitlink AS link JOIN tree ON link.parent_id = tree.id WHERE {_HOLDS}
) SELECT id FROM tree
"""  # noqa: S608  # only placeholders are put in

# Where a unit came from is known too, even what it has a part of alone and does not look after.
_LINEAGE = f"""
WITH RECURSIVE tree(id) AS (
    {{roots}}
    UNION
    SELECT link.unit_id FROM organisation_unitlink AS link JOIN tree ON link.parent_id = tree.id WHERE {_HOLDS}
) SELECT id FROM tree
UNION
SELECT past.predecessor_id FROM organisation_succession AS past JOIN tree ON past.successor_id = tree.id
"""  # noqa: S608

_ABOVE = f"""
WITH RECURSIVE tree(id) AS (
    {{roots}}
    UNION
    SELECT link.parent_id FROM organisation_unitlink AS link JOIN tree ON link.unit_id = tree.id WHERE {_HOLDS}
) SELECT id FROM tree
"""  # noqa: S608


# The units themselves are in their lines too, as the first.
_LINES = f"""
WITH RECURSIVE line(unit, id) AS (
    SELECT id, id FROM organisation_unit WHERE id IN ({{roots}})
    UNION
    SELECT line.unit, link.parent_id FROM organisation_unitlink AS link JOIN line ON link.unit_id = line.id
    WHERE {_HOLDS}
) SELECT unit, id FROM line
"""  # noqa: S608


def _prepared(sql: str, roots: Iterable[uuid.UUID | str] | uuid.UUID | str) -> tuple[str, str]:
    """The query, and the roots as one value of it: thousands of values of their own take long to read."""
    found = [roots] if isinstance(roots, (uuid.UUID, str)) else list(roots)
    ids = [one if isinstance(one, uuid.UUID) else uuid.UUID(one) for one in found]
    if connection.features.has_native_uuid_field:
        # Behind a SELECT of their own their number is not looked at: thousands of roots make PostgreSQL expect hundreds
        # of thousands of units, and go through all of them for every row rather than hash them.
        return sql.format(roots="SELECT unnest((SELECT %s::uuid[]))"), "{" + ",".join(map(str, ids)) + "}"
    # SQLite keeps 32 hexadecimal digits.
    return sql.format(roots="SELECT value FROM json_each(%s)"), json.dumps([one.hex for one in ids])


def _query(sql: str, roots: Iterable[uuid.UUID | str] | uuid.UUID | str, day: datetime.date) -> RawSQL:
    prepared, ids = _prepared(sql, roots)
    # UNION (not ALL) ends by itself even if links ever formed a ring.
    return RawSQL(prepared, [ids, day, day])  # noqa: S611


def below_sql(roots: Iterable[uuid.UUID | str] | uuid.UUID | str, day: datetime.date) -> RawSQL:
    """The ids of the roots and of everything under them on the day, for `id__in`."""
    return _query(_BELOW, roots, day)


def lineage_sql(roots: Iterable[uuid.UUID | str] | uuid.UUID | str, day: datetime.date) -> RawSQL:
    """As `below_sql`, and those they came from, wholly or in part."""
    return _query(_LINEAGE, roots, day)


def above_sql(roots: Iterable[uuid.UUID | str] | uuid.UUID | str, day: datetime.date) -> RawSQL:
    """The ids of the roots and of everything they belong to on the day, for `id__in`."""
    return _query(_ABOVE, roots, day)


def lines_above(units: Iterable[uuid.UUID], day: datetime.date) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Of each unit that there is: itself and all it belongs to on the day; one query."""
    prepared, ids = _prepared(_LINES, units)
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(prepared, [ids, day, day])
        for row in cursor:
            unit, above = (one if isinstance(one, uuid.UUID) else uuid.UUID(one) for one in row)
            found.setdefault(unit, set()).add(above)
    return found
