"""The database: upgraded by itself with what is in it, refused when newer, written by several processes at once."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from tests.centre.operation.conftest import OWN, python

from xomyen.centre.configuration import CentreFolder
from xomyen.centre.operation.database import SAVED, copy_sqlite, missing_migrations
from xomyen.terms.errors import InvalidConfiguration

# Programs are started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(600)

FIRST = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
first = [node for node in executor.loader.graph.nodes if node[1].startswith("0001")]
state = executor.migrate(first)
models = state.apps
unit = models.get_model("organisation", "Unit").objects.create(
    code="90001", kind="commune", type_name="Xã", name="Gia Khê", folded="xa gia khe")
site = models.get_model("cameras", "Site").objects.create(unit=unit, code="S01", name="Cửa ngõ", folded="cua ngo")
kept = models.get_model("cameras", "CameraClass").objects.create(name="Riêng")
models.get_model("cameras", "Camera").objects.create(
    site=site, code="C01", name="Vào xã", folded="", purpose="Trật tự", camera_class=kept, acceptance="accepted")
"""
SERVE = """
from xomyen.cli.centre import prepare_centre
prepare_centre(FOLDER)
from xomyen.centre.cameras.models import Camera
from xomyen.centre.operation.database import missing_migrations
print([(camera.code, camera.site.unit.name, camera.camera_class.name) for camera in Camera.objects.all()])
print(missing_migrations())
"""


def test_a_database_of_the_first_version_is_upgraded_with_what_is_in_it(tmp_path: Path) -> None:
    folder = CentreFolder(tmp_path)
    folder.own.mkdir()
    python(FIRST, tmp_path)
    assert python(SERVE, tmp_path).splitlines() == ["[('C01', 'Gia Khê', 'Riêng')]", "[]"]
    with contextlib.closing(sqlite3.connect(folder.own / SAVED)) as before:
        assert before.execute("SELECT code FROM cameras_camera").fetchall() == [("C01",)]
    assert (folder.own / SAVED).stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_a_database_of_a_newer_version_is_refused() -> None:
    assert missing_migrations() == []
    MigrationRecorder(connection).record_applied("cameras", "9999_of_tomorrow")
    with pytest.raises(InvalidConfiguration, match=r"newer version .*cameras\.9999_of_tomorrow"):
        missing_migrations()


UNITS = "from xomyen.centre.organisation.models import Unit"
WRITER = """
import sys
import django
django.setup()
from django.db import transaction
from xomyen.centre.cameras.models import Site
from xomyen.centre.organisation.models import Unit
unit = Unit.objects.get(code="90001")
for number in range(25):
    with transaction.atomic():
        # Read first, then written: what fails as "database is locked" when both take the lock late.
        count = Site.objects.count()
        Site.objects.create(unit=unit, code=f"{sys.argv[1]}-{number}", name=f"Điểm {count}")
        unit.refresh_from_db()
        unit.latitude = float(count)
        unit.save()
"""


def test_four_processes_write_at_once_and_none_fails(folder: Path) -> None:
    python(f"{UNITS}; Unit.objects.create(code='90001', kind='commune', name='x')", folder)
    environment = {**OWN, "XOMYEN_CENTRE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "xomyen.centre.settings"}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, f"W{one}"], env=environment, stderr=subprocess.PIPE, text=True)
        for one in range(4)
    ]
    # A copy is taken while they write: whole, of one moment.
    copy = folder / "copy.sqlite"
    copy_sqlite(CentreFolder(folder).database, copy)
    told = [writer.communicate(timeout=300)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, told
    assert python("from xomyen.centre.cameras.models import Site; print(Site.objects.count())", folder).strip() == "100"
    with contextlib.closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        sites = database.execute("SELECT count(*) FROM cameras_site").fetchone()[0]
        history = database.execute("SELECT count(*) FROM cameras_historicalsite").fetchone()[0]
    assert sites == history
