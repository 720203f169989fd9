"""The database's version: brought up to date at every start, never opened by an older program."""

import contextlib
import os
import sqlite3
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from xomyen.terms.errors import InvalidConfiguration, NotRunning

SAVED = "centre.before-upgrade.sqlite"
"""What an SQLite database was before the last upgrade, beside it."""


def missing_migrations() -> list[str]:
    """The migrations that this program has and the database does not, `app.name` each.

    Raises NotRunning when the database does not answer, InvalidConfiguration when a newer program made it.
    """
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise NotRunning(f"The database does not answer: {_first_line(error)}.") from error
    loader = executor.loader
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.graph.nodes and not _replaced(loader, app, name)
    )
    if unknown:
        raise InvalidConfiguration(
            f"A newer version of this program made the database ({unknown[0]}): install that version, or restore a"
            " backup of this one."
        )
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def _replaced(loader: object, app: str, name: str) -> bool:
    """Whether a later migration stands for this one."""
    disk = getattr(loader, "disk_migrations", {})
    return any((app, name) in migration.replaces for migration in disk.values())


def applied_migrations() -> tuple[str, ...]:
    """The migrations of the database, `app.name` each, sorted."""
    loader = MigrationExecutor(connection).loader
    return tuple(sorted(f"{app}.{name}" for app, name in loader.applied_migrations))


def bring_up_to_date() -> list[str]:
    """Applies what is missing, and says what that was. Raises as `missing_migrations`."""
    missing = missing_migrations()
    if missing:
        _save()
        call_command("migrate", verbosity=0, interactive=False)
    return missing


def _save() -> None:
    """Keeps what an SQLite database was; a server's database is its keeper's to save."""
    if connection.vendor != "sqlite" or not connection.introspection.table_names():
        return
    path = Path(str(connection.settings_dict["NAME"]))
    if path.is_file():
        copy_sqlite(path, path.with_name(SAVED))


def copy_sqlite(source: Path, target: Path) -> None:
    """A whole copy of a database that others may be writing; mode 0600, in place of what was there."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=20)) as database,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            database.backup(copy)
            # One file: what is copied needs no journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
