"""Findings about the centre: its processes, its database, its settings, its nodes."""

import contextlib
import json
import sqlite3
import time
from pathlib import Path

import httpx

from xomyen.centre.configuration import CentreFolder, CentreSettings
from xomyen.centre.operation.examination import Finding, Severity, Words
from xomyen.centre.operation.lock import holder, is_running
from xomyen.terms.errors import InvalidConfiguration, NotRunning

_ANSWER_S = 10.0
_WAITING = 1000  # entries of the audit log that wait to be chained
_NAMED = 5
_GAPS_DAYS = 30


def of_process(folder: CentreFolder, _: Words) -> Finding:
    """Whether the centre runs and its pages answer."""
    start = _("Run: systemctl start xomyen-centre (or restart the machine).")
    if not is_running(folder):
        return Finding("centre", Severity.BAD, _("The centre is not running: nobody can sign in."), start)
    url = holder(folder).url
    try:
        # Our own pages, asked by their address on this machine: the certificate names another.
        answer = httpx.get(f"{url}/account/login/", timeout=_ANSWER_S, verify=False)  # noqa: S501
    except httpx.HTTPError as error:
        text = _("The centre runs, but its pages do not answer at {url} ({why}).")
        return Finding(
            "centre_pages",
            Severity.BAD,
            text.format(url=url, why=type(error).__name__),
            _("Wait a minute and look again. If this stays: systemctl restart xomyen-centre, then send the log."),
        )
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        text = _("The centre's pages fail (HTTP {status}).").format(status=answer.status_code)
        return Finding("centre_pages", Severity.BAD, text, _("Send the log: journalctl -u xomyen-centre."))
    return Finding("centre", Severity.GOOD, _("The centre runs, and its pages answer at {url}.").format(url=url))


def of_database(folder: CentreFolder, settings: CentreSettings, _: Words) -> Finding:
    """Whether the database is whole and of this version. Django must be ready."""
    from xomyen.centre.operation.database import missing_migrations

    if not settings.database and (damage := _damage(folder.database)):
        return Finding(
            "database",
            Severity.BAD,
            _("The database {path} is damaged: {damage}.").format(path=folder.database, damage=damage),
            _("Stop the centre, keep the file, and restore the last backup (xomyen restore)."),
        )
    try:
        missing = missing_migrations()
    except NotRunning as error:
        text = _("The database does not answer: {why}").format(why=error.message)
        return Finding("database", Severity.BAD, text, _("Check the database server, its address and password."))
    except InvalidConfiguration as error:
        text = _("The database does not fit this version: {why}").format(why=error.message)
        return Finding("database", Severity.BAD, text, _("Install the newer version again."))
    if missing:
        text = _("The database is older than the program by {count} steps.").format(count=len(missing))
        return Finding("migrations", Severity.NOTE, text, _("Restart the centre: it brings the database up to date."))
    return Finding("database", Severity.GOOD, _("The database is whole and up to date."))


def _damage(path: Path) -> str:
    """What SQLite finds wrong with the file; empty: nothing."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_ANSWER_S)) as database:
            said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if said == "ok" else str(said)


def _gaps(_: Words) -> list[Finding]:
    """Recorders of which access events were dropped before the centre had read them."""
    from xomyen.centre.audit.models import Pending, Record

    since = time.time_ns() - _GAPS_DAYS * 86_400 * 10**9
    missing: dict[str, int] = {}
    for model in (Record, Pending):
        rows = model.objects.filter(action="audit.gap", at_ns__gte=since)
        for name, details in rows.values_list("thing_label", "details_json"):
            missing[name] = missing.get(name, 0) + json.loads(details).get("missing", 0)
    if not missing:
        return []
    some = _("up to {count} events")
    names = [f"{name} ({some.format(count=count)})" if count else name for name, count in sorted(missing.items())]
    text = _("The audit log lacks access events of the last {days} days from: {names}.")
    text = text.format(days=_GAPS_DAYS, names="; ".join(names))
    remedy = _(
        "The recorder was out of reach for too long, or its events were erased. What is missing cannot be fetched any"
        " more. Tell whoever answers for the audit log; the rows “Access events of the recorder are missing” say from"
        " when to when."
    )
    return [Finding("audit_gap", Severity.NOTE, text, remedy)]


def of_work(_: Words) -> list[Finding]:
    """What the database says of nodes and of the process behind the pages. The database must be up to date."""
    from xomyen.centre.audit.models import Pending
    from xomyen.centre.cameras.models import Node

    found = []
    away = list(Node.objects.filter(answers=False, since__isnull=False).values_list("name", flat=True))
    if away:
        text = _("{away} of {count} recorders do not answer the centre: {names}.").format(
            away=len(away), count=Node.objects.count(), names="; ".join([*away[:_NAMED], *["…"][: len(away) > _NAMED]])
        )
        remedy = _(
            "They go on recording. Check power and network there, and the time since when on the page Recorders."
        )
        found.append(Finding("nodes", Severity.NOTE, text, remedy))
    waiting = Pending.objects.count()
    if waiting > _WAITING:
        text = _(
            "{count} entries wait for the audit log: the process behind the pages does not keep up or does not run."
        )
        remedy = _("Restart the centre: systemctl restart xomyen-centre. Nothing is lost meanwhile.")
        found.append(Finding("audit", Severity.BAD, text.format(count=waiting), remedy))
    return [*found, *_gaps(_)]
