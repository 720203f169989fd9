"""Backup and restore: a box comes back in an empty folder, whole or not at all."""

import datetime
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from tests.centre.conftest import Province
from tests.centre.operation.conftest import RunningCentre, python, xomyen
from tests.command_line import xomyen as beside
from tests.postgresql import start_postgresql

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.models import Record
from xomyen.centre.cameras.models import Camera
from xomyen.centre.configuration import CentreFolder
from xomyen.centre.operation.archive import Manifest, unpack, writing
from xomyen.centre.operation.backup import put_database
from xomyen.centre.operation.database import applied_migrations
from xomyen.centre.operation.rows import dump, load
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Hold
from xomyen.terms.errors import AlreadyThere, InvalidConfiguration

# Each command starts a program, and what it starts takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(600)

MOMENT = datetime.datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=datetime.UTC)
PASSWORD = "lúa chín vàng đồng 2026"
PERSON = f"""
from xomyen.centre.accounts.models import User
User.objects.create_user("do.tung", {PASSWORD!r}, full_name="Đỗ Khê Tùng")
"""
SIGN_IN = f"""
from django.test import Client
browser = Client(headers={{"host": "localhost"}})
answer = browser.post("/account/login/", {{"login": "do.tung", "password": {PASSWORD!r}}})
print(answer.status_code, answer.headers.get("Location"))
"""
ROWS = """
import sys
from xomyen.centre.operation.rows import dump
dump(sys.stdout)
"""


@pytest.fixture
def backed_up(centre: RunningCentre, tmp_path: Path) -> tuple[Path, Path]:
    """A box with a person and a camera, and the backup that was made while its centre ran."""
    python(PERSON, centre.folder)
    beside("camera", "add", "Cổng chợ", "rtsp://192.0.2.1/1", "--user", "admin", "--dir", centre.folder)
    beside("camera", "add", "Đã gỡ", "rtsp://192.0.2.1/2", "--dir", centre.folder)
    beside("camera", "remove", "Đã gỡ", "--dir", centre.folder)
    (centre.folder / "settings.toml").write_text("cameras = 40\n")
    file = tmp_path / "gia-khe.xomyen"
    xomyen("backup", file, "--dir", centre.folder)
    return centre.folder, file


def cameras(folder: Path) -> object:
    """What the node has; its bucket counts its revisions anew."""
    found = json.loads(beside("camera", "list", "--dir", folder, "--json").stdout)
    return [{name: value for name, value in camera.items() if name != "revision"} for camera in found]


def test_a_box_comes_back_in_an_empty_folder(backed_up: tuple[Path, Path], tmp_path: Path) -> None:
    before, file = backed_up
    assert file.stat().st_mode & 0o777 == 0o600
    after = tmp_path / "after"
    xomyen("restore", file, "--dir", after)
    assert cameras(after) == cameras(before)
    assert "Đã gỡ" in beside("camera", "list", "--all", "--dir", after).stdout
    assert python(SIGN_IN, after).startswith("302")
    for name in ("keys/secrets.pem", "centre/secret", "centre/issuer.pem", "settings.toml"):
        assert (after / name).read_bytes() == (before / name).read_bytes(), name
        assert (after / name).stat().st_mode & 0o777 == 0o600
    # A box that is there is not overwritten by a slip of the hand.
    refused = xomyen("restore", file, "--dir", after, code=5)
    assert "is not empty" in refused.stderr
    beside("camera", "add", "Khác", "rtsp://192.0.2.1/3", "--dir", after)
    xomyen("restore", file, "--dir", after, "--force")
    assert cameras(after) == cameras(before)
    # Nor one that runs.
    assert "already runs" in xomyen("restore", file, "--dir", before, "--force", code=8).stderr


def test_holds_and_files_that_settings_name_in_the_folder_come_back(tmp_path: Path) -> None:
    box, outside, file = tmp_path / "box", tmp_path / "token", tmp_path / "backup"
    beside("camera", "add", "Cổng chợ", "rtsp://192.0.2.1/1", "--dir", box)
    hold = Hold("h1", "c1", 1, 2, "Vụ 0138", "Đỗ Khê Tùng", 3)
    index = Index(str(box / "index.sqlite"))
    index.open()
    index.put_hold(hold)
    index.close()
    (box / "tls").mkdir()
    for path in (box / "tls" / "own.pem", box / "tls" / "own.key", outside):
        path.write_text(path.name)
    (box / "settings.toml").write_text(
        f'tls_certificate = "{box}/tls/own.pem"\ntls_key = "{box}/tls/own.key"\nmetrics_token_file = "{outside}"\n'
    )
    told = xomyen("backup", file, "--dir", box).stdout
    assert told.splitlines()[1:] == [f"Not in it, because it lies outside {box}: {outside}"]
    box.rename(tmp_path / "gone")
    outside.rename(tmp_path / "elsewhere")
    # What would be missing is told before anything is in place.
    assert f"name {outside}" in xomyen("restore", file, "--dir", box, code=2).stderr
    assert not (box / "node.json").exists()
    outside.touch()
    xomyen("restore", file, "--dir", box)
    assert (box / "tls" / "own.key").read_text() == "own.key"
    assert (box / "tls" / "own.key").stat().st_mode & 0o777 == 0o600
    with IndexReader(box / "index.sqlite") as back:
        assert back.all_holds() == [hold]
    (box / "index.sqlite").write_bytes(b"damaged" * 1000)
    assert "Holds on footage are not in it" in xomyen("backup", file, "--force", "--dir", box).stderr


def test_an_sqlite_database_moves_to_a_server_without_a_change(folder: Path, tmp_path: Path) -> None:
    python(PERSON, folder)
    xomyen("backup", tmp_path / "portable", "--portable", "--dir", folder)
    server = {"XOMYEN_CENTRE_DATABASE": start_postgresql()}
    xomyen("restore", tmp_path / "portable", "--dir", tmp_path / "moved", **server)
    moved = python(ROWS, tmp_path / "moved", **server).splitlines()
    # What is new is that it was restored.
    assert [row for row in moved if '"box.restored"' not in row] == python(ROWS, folder).splitlines()
    assert not (tmp_path / "moved" / "centre" / "centre.sqlite").exists()


@pytest.mark.django_db(transaction=True)
def test_rows_come_back_as_they_were_to_the_microsecond(province: Province, appoint: Callable[..., User]) -> None:
    person = appoint("auditor", unit=province.province)
    Record.objects.bulk_create([Record(sequence=1, digest="a" * 64, hash="b" * 64, at_ns=1, action="x", person="p")])
    Camera.objects.filter(pk=province.public.pk).update(masks=[[[0, 0.5], [1, 0.25], [1, 1]]], created=MOMENT)
    kept = io.StringIO()
    count = dump(kept)
    text = kept.getvalue()
    assert count > 30
    person.appointments.all().delete()
    person.delete()
    Camera.objects.filter(pk=province.public.pk).update(masks=[], name="Khác")
    assert load(io.StringIO(text)) == count
    again = io.StringIO()
    dump(again)
    assert again.getvalue() == text
    camera = Camera.objects.get(pk=province.public.pk)
    assert (camera.created, camera.masks[0][0]) == (MOMENT, [0, 0.5])
    # What the database numbers itself goes on behind what came back.
    made = ContentType.objects.create(app_label="x", model="y")
    assert made.pk == max(ContentType.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_rows_go_into_an_empty_database_of_the_same_version(
    province: Province, appoint: Callable[..., User], tmp_path: Path
) -> None:
    appoint()
    manifest = Manifest(program="1", made="", node=None, database="rows", migrations=applied_migrations())
    with pytest.raises(AlreadyThere, match="not empty"):
        put_database(manifest, tmp_path, CentreFolder(tmp_path), replace=False)
    newer = manifest.model_copy(update={"program": "9", "migrations": (*manifest.migrations, "cameras.9999_later")})
    with pytest.raises(InvalidConfiguration, match=r"Version 9 .*cameras\.9999_later"):
        put_database(newer, tmp_path, CentreFolder(tmp_path), replace=True)


@pytest.mark.django_db(transaction=True)
def test_rows_of_another_program_change_nothing(province: Province) -> None:
    foreign = '{"model": "nothing.known", "fields": ["id"]}\n[1]\n'
    with pytest.raises(InvalidConfiguration, match=r"nothing\.known"):
        load(io.StringIO(foreign))
    assert Camera.objects.filter(pk=province.secret.pk).exists()


def test_a_file_that_was_changed_is_found_before_anything_is_put_in_place(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with writing(file) as archive:
        archive.add("box/node.json", b"{}")
        archive.finish(program="1", made="", node=None, database="none")
    unpack(file, tmp_path / "well")
    whole = file.read_bytes()
    for changed in (whole[: len(whole) // 2], b"something else", whole[:-40] + bytes(8) + whole[-32:]):
        file.write_bytes(changed)
        with pytest.raises(InvalidConfiguration):
            unpack(file, tmp_path / f"out{len(changed)}")
    done = xomyen("restore", file, "--dir", tmp_path / "box", code=2)
    assert "damaged" in done.stderr
    assert not (tmp_path / "box" / "node.json").exists()


def test_a_key_that_comes_back_is_as_old_as_it_was(tmp_path: Path) -> None:
    key, file = tmp_path / "issuer.pem", tmp_path / "backup"
    key.write_bytes(b"key")
    os.utime(key, (MOMENT.timestamp(), MOMENT.timestamp()))
    with writing(file) as archive:
        archive.add_file("box/centre/issuer.pem", key)
        archive.finish(program="1", made="", node=None, database="none")
    unpack(file, tmp_path / "out")
    assert (tmp_path / "out/box/centre/issuer.pem").stat().st_mtime == int(MOMENT.timestamp())


@pytest.mark.parametrize("name", ["../outside", "/outside", "box/../../outside"])
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "backup"
    with tarfile.open(file, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        tar.addfile(member, io.BytesIO())
    with pytest.raises(InvalidConfiguration, match="not a file that belongs"):
        unpack(file, tmp_path / "a" / "b")
    assert not (tmp_path / "outside").exists()


def test_a_backup_is_not_overwritten_and_one_that_fails_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("an earlier one")
    with pytest.raises(AlreadyThere), writing(file):
        raise AssertionError
    with pytest.raises(FileNotFoundError), writing(file, replace=True) as archive:
        archive.add_file("box/node.json", tmp_path / "gone")
    assert file.read_text() == "an earlier one"
    assert list(tmp_path.iterdir()) == [file]
