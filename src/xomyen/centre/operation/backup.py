"""What a backup of a box holds, and how it comes back: everything but footage and its index."""

import contextlib
import datetime
import json
import os
import pwd
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from nacl.public import PrivateKey, PublicKey

from xomyen import __version__
from xomyen.bus.messages import CameraRecord
from xomyen.centre.configuration import CentreFolder, CentreSettings
from xomyen.centre.operation import rows
from xomyen.centre.operation.archive import ArchiveWriter, Manifest, unpack, writing
from xomyen.centre.operation.database import (
    SAVED,
    applied_migrations,
    bring_up_to_date,
    copy_sqlite,
    missing_migrations,
)
from xomyen.centre.operation.sealing import name_of
from xomyen.terms.errors import AlreadyThere, InvalidConfiguration
from xomyen.terms.settings import Settings
from xomyen.terms.settings_file import load_file

_DATABASE = "database.sqlite"
_ROWS = "database.rows"
_CAMERAS = "cameras.json"
_HOLDS = "holds.json"
_BOX = "box/"
_SQLITE_FILES = ("access.sqlite",)  # of the node: revoked tickets, sign-in codes
_PLACES = ("node.json", "settings.toml", "centre.toml", "keys", "trusted", "centre")


class Contents:
    """What is put into a backup besides the files that every folder has."""

    def __init__(
        self,
        node: str | None,
        cameras: Sequence[CameraRecord],
        removed: Sequence[CameraRecord],
        holds: Sequence[dict[str, Any]] = (),
        named: Sequence[Path] = (),
    ) -> None:
        self.node = node
        self.cameras = tuple(cameras)
        self.removed = tuple(removed)
        self.holds = tuple(holds)  # on footage, as the recorder's index has them
        self.named = tuple(named)  # files that the settings name; those in the folder come with it


@dataclass(frozen=True, slots=True)
class Wish:
    """How a backup is to be made."""

    portable: bool = False  # the database as rows
    replace: bool = False  # a file of that name
    public: PublicKey | None = None  # the key that it is encrypted to


def make_backup(target: Path, folder: CentreFolder, contents: Contents, wish: Wish) -> Manifest:
    """Writes the backup while the box runs, or while it does not, and notes that in the audit log.

    The database is taken as it is at one moment: a copy of an SQLite file, or rows (`portable`, and always from a
    server), which any kind of database takes back. Raises AlreadyThere, InvalidConfiguration, NotRunning.
    """
    # What waits for its turn lies on the box's own disk: the other may be a stick that somebody carries away.
    with (
        writing(target, wish.replace, wish.public) as archive,
        tempfile.TemporaryDirectory(prefix=".backup-", dir=folder.root) as name,
    ):
        # Before anything is taken: whoever stops the program half-way has the record all the same.
        to = {"encrypted_to": name_of(wish.public)} if wish.public is not None else {"encrypted": False}
        _note("box.backed_up", folder, {"file": target.name, **to})
        for path in _files(folder.root, folder, contents.named):
            archive.add_file(f"{_BOX}{path.relative_to(folder.root).as_posix()}", path)
        for file in _SQLITE_FILES:
            if (folder.root / file).exists():
                copy_sqlite(folder.root / file, Path(name) / file)
                archive.add_file(f"{_BOX}{file}", Path(name) / file)
        if contents.node is not None:
            cameras = {kind: [one.model_dump() for one in getattr(contents, kind)] for kind in ("cameras", "removed")}
            archive.add(_CAMERAS, json.dumps(cameras, ensure_ascii=False).encode())
            archive.add(_HOLDS, json.dumps(contents.holds, ensure_ascii=False).encode())
        kind, migrations = _add_database(archive, Path(name), folder, wish.portable)
        return archive.finish(
            program=__version__,
            made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            node=contents.node,
            database=kind,
            migrations=migrations,
        )


def _note(action: str, folder: CentreFolder, details: dict[str, Any]) -> None:
    """Into the audit log, where the box has one and this version of the program writes it."""
    if (connection.vendor == "sqlite" and not folder.database.exists()) or missing_migrations():
        return
    from xomyen.centre.audit.services import record

    # On the command line nobody is signed in: the system's own user, and who became that user by sudo.
    users = [pwd.getpwuid(os.getuid()).pw_name, os.environ.get("SUDO_USER", "")]
    record(action, details={**details, "user": " < ".join(user for user in users if user)})


def note_restored(folder: CentreFolder, manifest: Manifest) -> None:
    """Notes in the audit log that came back that it did, and of when it is."""
    _note("box.restored", folder, {"made": manifest.made, "program": manifest.program})


def _add_database(
    archive: ArchiveWriter, waiting: Path, folder: CentreFolder, portable: bool
) -> tuple[str, tuple[str, ...]]:
    """Its kind and migrations; a box that is a node alone has none."""
    if connection.vendor == "sqlite" and not folder.database.exists():
        return "none", ()
    migrations = applied_migrations()
    if connection.vendor == "sqlite" and not portable:
        copy_sqlite(folder.database, waiting / _DATABASE)
        archive.add_file(_DATABASE, waiting / _DATABASE)
        return "sqlite", migrations
    if missing_migrations():
        raise InvalidConfiguration("The database is older than the program: start the centre once, then back it up.")
    with (waiting / _ROWS).open("w", encoding="utf-8") as file:
        rows.dump(file)
    archive.add_file(_ROWS, waiting / _ROWS)
    return "rows", migrations


def _files(root: Path, folder: CentreFolder, named: Iterable[Path]) -> Iterator[Path]:
    """Keys, settings, what the centre keeps beside its database and what settings name, each once, in a fixed order."""
    standing = list(_standing(root, folder))
    yield from standing
    yield from sorted({path for path in named if path.is_relative_to(root) and path.is_file()}.difference(standing))


def _standing(root: Path, folder: CentreFolder) -> Iterator[Path]:
    """What every folder has."""
    left_out = {folder.lock, folder.own / SAVED, *(Path(f"{folder.database}{end}") for end in ("", "-wal", "-shm"))}
    for place in _PLACES:
        path = root / place
        if path.is_file():
            yield path
        for above, _folders, names in os.walk(path):
            for name in sorted(names):
                if not name.startswith(".") and Path(above, name) not in left_out:
                    yield Path(above, name)


def named(pages: CentreSettings, recorder: Settings) -> list[Path]:
    """Files that the settings name: certificates, seeds, secrets, the map."""
    found = [pages.tls_certificate, pages.tls_key, pages.map_file]
    found += [pages.bus.seed_file] if pages.bus else []
    found += [pages.oidc.client_secret_file, pages.oidc.ca_file] if pages.oidc else []
    found += [recorder.tls_certificate, recorder.tls_key, recorder.metrics_token_file]
    for way in (recorder.uplink.events, recorder.uplink.media) if recorder.uplink else ():
        found += [way.seed_file, way.ca_file]
    return list(dict.fromkeys(Path(os.path.abspath(path)) for path in found if path is not None))


def require_named(unpacked_in: Path, root: Path) -> None:
    """Raises InvalidConfiguration for a file that the settings name, and neither the backup nor this machine has.

    Nothing is in place yet: without it the program that is to bring the database back would not start.
    """
    box = unpacked_in / _BOX
    pages = load_file(CentreSettings, CentreFolder(box).settings, show_values=False)
    recorder = load_file(Settings, CentreFolder(box).node.settings, show_values=True)
    for path in named(pages, recorder):
        comes = path.is_relative_to(root) and (box / path.relative_to(root)).exists()
        if not comes and not path.exists():
            raise InvalidConfiguration(
                f"The settings name {path}, which is not on this machine, and the backup brings none into {root} under"
                " that name. Put it there first; an empty file will do until you have the right one."
            )


@contextlib.contextmanager
def unpacked(source: Path, root: Path, private: PrivateKey | None = None) -> Iterator[tuple[Manifest, Path]]:
    """The checked contents of a backup, in a folder beside where they will be, for the length of a block."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=root) as name:
        yield unpack(source, Path(name), private), Path(name)


def require_empty(root: Path) -> None:
    """Raises AlreadyThere when the folder holds a box already."""
    there = [place for place in (*_PLACES, *_SQLITE_FILES) if (root / place).exists()]
    if there:
        raise AlreadyThere(
            f"{root} is not empty: it has {', '.join(there)}. Restore into an empty folder, or add --force to replace"
            " what is there."
        )


def put_files(unpacked_in: Path, root: Path) -> None:
    """Moves the files of the folder into place, over those that are there."""
    source = unpacked_in / _BOX
    for above, _folders, names in os.walk(source):
        target = root / Path(above).relative_to(source)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            for end in ("-wal", "-shm"):
                (target / f"{name}{end}").unlink(missing_ok=True)
            os.replace(Path(above, name), target / name)


def put_database(manifest: Manifest, unpacked_in: Path, folder: CentreFolder, replace: bool) -> None:
    """Brings the database back and up to date. Raises InvalidConfiguration, AlreadyThere, NotRunning."""
    if manifest.database == "sqlite":
        if connection.vendor != "sqlite":
            raise InvalidConfiguration(
                "The backup holds an SQLite file, and the settings name a database server: restore without the setting"
                " `database`, or make the backup with --portable."
            )
        connection.close()
        for end in ("-wal", "-shm"):
            Path(f"{folder.database}{end}").unlink(missing_ok=True)
        os.replace(unpacked_in / _DATABASE, folder.database)
        bring_up_to_date()
    elif manifest.database == "rows":
        bring_up_to_date()
        if missing := set(manifest.migrations) ^ set(applied_migrations()):
            raise InvalidConfiguration(
                f"Version {manifest.program} of this program made the backup ({sorted(missing)[0]}): restore it with"
                " that version, then install this one."
            )
        from xomyen.centre.accounts.models import User

        if User.objects.exists() and not replace:
            raise AlreadyThere("The database that the settings name is not empty; add --force to replace its content.")
        with (unpacked_in / _ROWS).open(encoding="utf-8") as file:
            rows.load(file)


def kept_cameras(unpacked_in: Path) -> tuple[list[CameraRecord], list[CameraRecord]]:
    """The node's cameras, in force and removed."""
    path = unpacked_in / _CAMERAS
    if not path.exists():
        return [], []
    found = json.loads(path.read_bytes())
    in_force, removed = ([CameraRecord.model_validate(one) for one in found[kind]] for kind in ("cameras", "removed"))
    return in_force, removed


def kept_holds(unpacked_in: Path) -> list[dict[str, Any]]:
    """The holds on footage."""
    path = unpacked_in / _HOLDS
    found: list[dict[str, Any]] = json.loads(path.read_bytes()) if path.exists() else []
    return found
