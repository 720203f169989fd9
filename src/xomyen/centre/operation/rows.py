"""The database as rows in a file that any kind of database takes back: `["app.model", [values…]]` a line."""

import base64
import contextlib
import datetime
import decimal
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from xomyen.terms.errors import InvalidConfiguration

_AT_ONCE = 500


def _models() -> list[type[models.Model]]:
    known = apps.get_models(include_auto_created=True)
    return [model for model in known if model._meta.managed and not model._meta.proxy]


def dump(file: TextIO) -> int:
    """Writes every row as it is at one moment, whoever writes meanwhile; how many."""
    count = 0
    with _one_moment():
        for model in _models():
            names = [field.attname for field in model._meta.concrete_fields]
            file.write(json.dumps({"model": model._meta.label_lower, "fields": names}) + "\n")
            rows = model._base_manager.order_by("pk").values_list(*names)
            for row in rows.iterator(chunk_size=_AT_ONCE):
                file.write(json.dumps(row, ensure_ascii=False, default=_as_text) + "\n")
                count += 1
    return count


@contextlib.contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that reads what was committed when it began, and keeps nobody from writing."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    # Django's own transactions on SQLite are for writing (IMMEDIATE).
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _as_text(value: Any) -> Any:
    """Whole: Django's own encoder drops microseconds, and what was hashed would be something else."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    raise TypeError(f"a {type(value).__name__} cannot be kept in a backup")


def load(file: TextIO) -> int:
    """Replaces every row of an up-to-date database by those of the file; all or nothing; how many.

    Raises InvalidConfiguration when the file has a table or column that the database does not have.
    """
    count = 0
    # Rows name others that come later: SQLite checks at the end of the transaction where it is told to.
    with transaction.atomic():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA defer_foreign_keys = ON")
        _empty()
        for model, names, rows in _tables(file):
            count += _insert(model, names, rows)
        _go_on_counting()
    return count


def _empty() -> None:
    with connection.cursor() as cursor:
        tables = [connection.ops.quote_name(model._meta.db_table) for model in _models()]
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)}")
            return
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own tables


def _tables(file: TextIO) -> Iterator[tuple[type[models.Model], list[str], Iterator[list[Any]]]]:
    known = {model._meta.label_lower: model for model in _models()}
    header: dict[str, Any] | None = None
    for is_header, lines in itertools.groupby(map(json.loads, file), lambda line: isinstance(line, dict)):
        if is_header:
            header = list(lines)[-1]
            continue
        if header is None or header["model"] not in known:
            raise InvalidConfiguration(f"The backup has rows of {header and header['model']}, which is not known here.")
        yield known[header["model"]], header["fields"], lines


def _insert(model: type[models.Model], names: list[str], rows: Iterable[list[Any]]) -> int:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    if unknown := set(names) - fields.keys():
        raise InvalidConfiguration(f"The backup has {sorted(unknown)[0]} of {model._meta.label}, not known here.")
    used = [fields[name] for name in names]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in used)
    places = ", ".join(["%s"] * len(used))
    insert = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    count = 0
    remaining = iter(rows)
    with connection.cursor() as cursor:
        while batch := list(itertools.islice(remaining, _AT_ONCE)):
            cursor.executemany(insert, [[_kept(f, v) for f, v in zip(used, row, strict=True)] for row in batch])
            count += len(batch)
    return count


def _kept(field: Any, value: Any) -> Any:
    """The value as the database takes it."""
    target = field.target_field if field.is_relation else field
    if value is not None:
        if isinstance(target, models.BinaryField):
            value = base64.b64decode(value)
        elif isinstance(target, models.DurationField):
            value = datetime.timedelta(seconds=value)
        elif not isinstance(target, models.JSONField):
            value = target.to_python(value)
    return target.get_db_prep_save(value, connection)


def _go_on_counting() -> None:
    """Numbers given by the database continue behind the highest."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
