"""Django ready for the centre, in a folder of this process alone; imported before anything that has models.

SQLite, or PostgreSQL when XOMYEN_TESTS_ON=postgresql.
"""

import os
import tempfile
from pathlib import Path

import django
from django.db import connection

_KEPT = tempfile.TemporaryDirectory(prefix="xomyen-centre-", ignore_cleanup_errors=True)  # until this process ends
FOLDER = Path(_KEPT.name)

os.environ["XOMYEN_CENTRE_DIR"] = str(FOLDER)
os.environ["DJANGO_SETTINGS_MODULE"] = "xomyen.centre.settings"
if os.environ.get("XOMYEN_TESTS_ON") == "postgresql":
    from tests.postgresql import start_postgresql

    os.environ["XOMYEN_CENTRE_DATABASE"] = start_postgresql()
django.setup()
# Test processes that this one starts have folders of their own; with this in their environment they would load settings
# before they come here, those of this one's folder.
del os.environ["DJANGO_SETTINGS_MODULE"]
if connection.vendor == "sqlite":
    # A file, as in use: threads and processes have connections of their own to it.
    connection.settings_dict["TEST"]["NAME"] = str(FOLDER / "tests.sqlite")
