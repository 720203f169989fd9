"""`xomyen audit`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from xomyen.centre.audit.export import verify_export
from xomyen.centre.audit.findings import Fault, Report, worst
from xomyen.centre.configuration import FOLDER_VARIABLE, CentreFolder, load_centre_settings
from xomyen.centre.operation.issuer import former
from xomyen.cli.common import Dir, Json, counted, node_folder, print_json, require_own
from xomyen.proof.keys import PublicKey, SigningKey
from xomyen.proof.trust import TrustedKey
from xomyen.terms.errors import InvalidConfiguration


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(name="audit", help="The centre's audit log.", rich_markup_mode=None)
    group.callback()(_audit)
    group.command("verify")(verify)
    app.add_typer(group, name="audit")


def _audit() -> None:
    """The centre's audit log."""


def verify(
    file: Annotated[Path | None, typer.Argument(metavar="[EXPORT]", help="An export of the log.")] = None,
    directory: Dir = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The centre's public key (PEM), for an export.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that no row of the audit log was changed, removed or put in.

    With EXPORT the file is checked, which needs no database; with --dir as well, also that the log still has the row
    with which the export ends.

    Exit codes: 0 intact, 10 rows are missing, 11 rows were changed or put in, 12 signed with another key.

    Example: xomyen audit verify --dir /var/lib/xomyen
    """
    report = exported = None
    known: tuple[int, str] | None = None
    if file is not None:
        named = TrustedKey.load(key) if key is not None else None
        exported = _export(file, [named] if named or directory is None else _own(directory))
        known = (exported.last, exported.hash) if exported.rows else None
    if file is None or directory is not None:
        report = _database(directory, known)
    reports = [one for one in (exported, report) if one is not None]
    if as_json:
        names = ["export"] * (exported is not None) + ["log"] * (report is not None)
        print_json({name: _as_json(one) for name, one in zip(names, reports, strict=True)})
    else:
        if exported is not None:
            trusted = key is not None or directory is not None
            _print(
                exported, "The export", "" if trusted else " Compare the key with the centre's, or name it by --key."
            )
        if report is not None:
            _print(report, "The audit log")
    raise typer.Exit(worst(*(one.verdict for one in reports)).exit_code)


def _own(directory: Path) -> list[PublicKey | None]:
    """The keys of the centre in this folder, the newest first: an export may be from before a change."""
    folder = CentreFolder(node_folder(directory).root)
    return [_issuer(folder), *reversed(former(folder))]


def _export(file: Path, keys: list[PublicKey | None]) -> Report:
    """What is found with the first of the keys that it was signed with, else with the first."""
    reports = []
    for key in keys:
        with file.open("rb") as opened:
            reports.append(verify_export(opened, key))
        if not any(one.fault is Fault.UNKNOWN_KEY for one in reports[-1].findings):
            return reports[-1]
    return reports[0]


def _issuer(folder: CentreFolder) -> PublicKey:
    if not folder.issuer_key.exists():
        raise InvalidConfiguration(f"{folder.root} holds no centre: {folder.issuer_key} is missing.", field="dir")
    return SigningKey.load(folder.issuer_key).public


def _database(directory: Path | None, known: tuple[int, str] | None) -> Report:
    folder = CentreFolder(node_folder(directory).root)
    key = _issuer(folder)
    require_own(node_folder(directory))
    if not load_centre_settings(folder).database and not folder.database.exists():
        raise InvalidConfiguration(f"{folder.root} holds no centre: {folder.database} is missing.", field="dir")
    os.environ[FOLDER_VARIABLE] = str(folder.root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xomyen.centre.settings"
    import django
    from django.db import DatabaseError

    django.setup()
    from xomyen.centre.audit.verify import verify_database

    try:
        return verify_database(key, known)
    except DatabaseError as error:
        raise InvalidConfiguration(f"The centre's database cannot be read: {error}.") from error


def _as_json(report: Report) -> dict[str, object]:
    return {
        "verdict": report.verdict.value,
        "rows": report.rows,
        "withheld": report.withheld,
        "waiting": report.waiting,
        "first": report.first,
        "last": report.last,
        "hash": report.hash,
        "key": report.key,
        "findings": [{"fault": one.fault.value, "row": one.sequence, "text": one.text} for one in report.findings],
        "count": report.count,
    }


def _print(report: Report, what: str, advice: str = "") -> None:
    for finding in report.findings:
        print(f"{finding.fault.value}: {finding.text}")
    if report.count > len(report.findings):
        print(f"… and {report.count - len(report.findings)} more.")
    parts = [counted(report.rows, "row")]
    if report.rows:
        parts.append(f"{report.first} to {report.last}, the last with hash {report.hash}")
    if report.withheld:
        parts.append(f"{report.withheld} of them without content")
    if report.waiting:
        parts.append(f"{report.waiting} waiting for the centre to take them up")
    print(f"{what}: {', '.join(parts)}.")
    if report.key:
        print(f"Signed with key {report.key}.{advice}")
    print(report.verdict.value)
