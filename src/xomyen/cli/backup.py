"""`xomyen backup` and `xomyen restore`: everything of a box but its footage."""

import asyncio
import os
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xomyen.bus.messages import CameraRecord
from xomyen.centre.configuration import CentreFolder, load_centre_settings
from xomyen.centre.operation.lock import sole
from xomyen.cli.centre import use_django
from xomyen.cli.common import Dir, counted, node_bus, node_folder, require_own
from xomyen.node.home import locked, read_identity
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Hold
from xomyen.terms.errors import InvalidConfiguration, NoFootage
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import load_settings

if TYPE_CHECKING:
    from xomyen.centre.operation.archive import Manifest

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the commands."""
    app.command("backup")(backup)
    app.command("backup-key")(backup_key)
    app.command("restore")(restore)


def backup_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The private key; keep it away from the box.")],
) -> None:
    """Make a key for encrypted backups, and tell the public half, to which backups are encrypted.

    Whoever loses the private key loses the backups: keep two copies, in two places, and none on the box.

    Example: xomyen backup-key /mnt/stick/gia-khe.key
    """
    from xomyen.centre.operation.sealing import make_key

    print(make_key(file.absolute()))


def backup(
    file: File,
    directory: Dir = None,
    portable: Annotated[
        bool, typer.Option("--portable", help="The database as rows, for a move to another kind of database.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    encrypt_to: Annotated[
        str, typer.Option("--encrypt-to", metavar="KEY", help="The public key that `xomyen backup-key` told.")
    ] = "",
) -> None:
    """Write everything of a box but footage into one file: database, keys, settings, cameras. It may run meanwhile.

    Whoever has the file can act as this box: encrypt it, and keep it apart from the machine.

    Example: xomyen backup /mnt/stick/gia-khe.xomyen --encrypt-to xomyen-backup-key-… --dir /var/lib/xomyen
    """
    folder = node_folder(directory)
    require_own(folder)
    if not folder.root.is_dir():
        raise InvalidConfiguration(f"There is no folder {folder.root}.", field="dir")
    centre = CentreFolder(folder.root)
    settings = load_centre_settings(centre)
    node = read_identity(folder) if folder.identity.exists() else None
    in_force, removed = asyncio.run(_cameras(folder)) if node else ([], [])
    use_django(folder.root)
    from xomyen.centre.operation.backup import Contents, Wish, make_backup, named
    from xomyen.centre.operation.sealing import read_public

    wish = Wish(portable, force, read_public(encrypt_to) if encrypt_to else None)
    files = named(settings, load_settings(folder))
    manifest = make_backup(file.absolute(), centre, Contents(node, in_force, removed, _holds(folder), files), wish)
    size = file.stat().st_size
    print(f"{counted(len(manifest.files), 'file')} and {counted(len(in_force), 'camera')} in {file} ({size:,} bytes).")
    for path in files:
        if not path.is_relative_to(folder.root):
            print(f"Not in it, because it lies outside {folder.root}: {path}")


def _holds(folder: NodeFolder) -> list[dict[str, Any]]:
    """What keeps footage from being deleted: the rest of the index is made anew from the footage."""
    try:
        with IndexReader(folder.index) as index:
            return [asdict(hold) for hold in index.all_holds()]
    except NoFootage:
        return []
    except sqlite3.DatabaseError as error:
        # All else is worth having the more when the disk begins to fail.
        print(f"Holds on footage are not in it, because {folder.index} cannot be read: {error}.", file=sys.stderr)
        return []


def _put_holds(folder: NodeFolder, holds: list[dict[str, Any]]) -> None:
    """Those that the index does not have yet; it is made where there is none, as at a node's first start."""
    if not holds:
        return
    index = Index(str(folder.index))
    index.open()
    try:
        with index.transaction():
            for hold in holds:
                index.remove_hold(hold["id"])
                index.put_hold(Hold(**hold))
    finally:
        index.close()


async def _cameras(folder: NodeFolder) -> tuple[tuple[CameraRecord, ...], tuple[CameraRecord, ...]]:
    async with node_bus(folder) as bus:
        return await bus.configuration.cameras(), await bus.configuration.removed()


def restore(
    file: File,
    directory: Dir = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the folder and the database.")] = False,
    key: Annotated[Path | None, typer.Option("--key", help="The private key of an encrypted backup.")] = None,
) -> None:
    """Bring a box back from a backup, into an empty folder; then start it.

    Never let a restored box run beside the one it came from: both would act as the same node.

    Example: xomyen restore gia-khe.xomyen --dir /var/lib/xomyen
    """
    os.umask(0o077)
    folder = node_folder(directory)
    require_own(folder)
    from xomyen.centre.operation.backup import kept_holds, put_files, require_empty, require_named, unpacked

    if not file.is_file():
        raise InvalidConfiguration(f"There is no file {file}.", field="file")
    if not force:
        require_empty(folder.root)
    centre = CentreFolder(folder.root)
    from xomyen.centre.operation.sealing import read_private

    private = read_private(key) if key is not None else None
    with unpacked(file.absolute(), folder.root, private) as (manifest, kept):
        require_named(kept, folder.root)
        with sole(centre):
            with locked(folder, "command"):
                put_files(kept, folder.root)
                _put_holds(folder, kept_holds(kept))
            _bring_back(manifest, kept, centre, force)
    has = f" of {manifest.made}" if manifest.made else ""
    print(f"The backup{has} is back in {folder.root}. Footage is not part of it: put the volumes in their places.")


def _bring_back(manifest: "Manifest", kept: Path, centre: CentreFolder, force: bool) -> None:
    """Database and cameras, once the settings and keys are in place."""
    load_centre_settings(centre)
    use_django(centre.root)
    from xomyen.centre.operation.backup import kept_cameras, note_restored, put_database

    put_database(manifest, kept, centre, force)
    note_restored(centre, manifest)
    if manifest.node is not None:
        asyncio.run(_put_cameras(centre.node, *kept_cameras(kept)))


async def _put_cameras(folder: NodeFolder, in_force: list[CameraRecord], removed: list[CameraRecord]) -> None:
    """The node's cameras as they were; those that were removed are known by name again."""
    async with node_bus(folder, create=True) as bus:
        configuration = bus.configuration
        there = {record.config.id: record.revision for record in await configuration.cameras()}
        for gone in there.keys() - {record.config.id for record in in_force}:
            await configuration.remove(gone, there[gone])
        for record in reversed(removed):  # the newest removal comes last
            if record.config.id not in there:
                made = await configuration.put(record.config, 0)
                await configuration.remove(record.config.id, made.revision)
        for record in in_force:
            await configuration.put(record.config, there.get(record.config.id, 0))
