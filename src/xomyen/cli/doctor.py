"""`xomyen doctor`: says what is wrong with a box in words that can be passed on by telephone."""

import asyncio
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from xomyen.bus import subjects
from xomyen.bus.messages import NodeHealth, RecorderState
from xomyen.bus.requests import Empty, ask
from xomyen.centre.configuration import CentreFolder, CentreSettings, load_centre_settings
from xomyen.centre.operation import box_findings, centre_findings
from xomyen.centre.operation.alarm_words import AlarmFact
from xomyen.centre.operation.box_findings import CameraFact, DiskFact, KeyFact, NodeFacts, PartFact
from xomyen.centre.operation.examination import Finding, Severity, Words, summary, words, worst
from xomyen.cli.centre import use_django
from xomyen.cli.common import Dir, Json, NodeBus, node_folder, print_json, require_own, running_bus
from xomyen.node.supervisor import known_to_gateway
from xomyen.node.trusted import Trusted
from xomyen.proof.keys import InvalidKey
from xomyen.recording.disk import LocalDisk
from xomyen.recording.machine import clock_is_synchronised
from xomyen.recording.policy import VolumeSettings
from xomyen.terms.errors import InvalidConfiguration, NotRunning, XomyenError
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings, load_settings
from xomyen.terms.words import CameraState, StreamName

_PATIENCE_S = 5.0
_SIGNS = {Severity.GOOD: "✓", Severity.NOTE: "!", Severity.BAD: "✗"}
_LANGUAGES = ("vi", "en")


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    directory: Dir = None,
    language: Annotated[str, typer.Option("--language", help="vi or en.")] = "vi",
    as_json: Json = False,
) -> int:
    """Say what is wrong with a box, in words to pass on by telephone. Ends with 1 when something is.

    Example: xomyen doctor --dir /var/lib/xomyen --language en
    """
    if language not in _LANGUAGES:
        raise InvalidConfiguration(f"--language is vi or en, not {language!r}.", field="language")
    folder = node_folder(directory)
    if not folder.root.is_dir():
        raise InvalidConfiguration(f"There is no folder {folder.root}.", field="dir")
    require_own(folder)
    _ = words(language)
    findings = list(examine(folder, _))
    if as_json:
        print_json({"severity": worst(findings), "findings": [finding.as_json() for finding in findings]})
    else:
        _tell(findings, _)
    return 1 if worst(findings) is Severity.BAD else 0


def _tell(findings: list[Finding], _: Words) -> None:
    for finding in findings:
        print(f"{_SIGNS[finding.severity]} {finding.text}")
        if finding.remedy:
            print(f"   → {finding.remedy}")
    print(f"\n{summary(findings, _)}")


def examine(folder: NodeFolder, _: Words) -> Iterator[Finding]:
    """Everything, what is needed by most first."""
    now = datetime.datetime.now(datetime.UTC)
    yield box_findings.of_clock(now, clock_is_synchronised(), _)
    centre = CentreFolder(folder.root)
    try:
        settings, pages = load_settings(folder), load_centre_settings(centre)
    except InvalidConfiguration as error:
        yield box_findings.of_settings(error.message, _)
        return
    yield from (box_findings.of_disk(disk, _) for disk in _disks(folder, settings))
    yield from box_findings.of_keys(list(_key_files(folder, centre, settings, pages)), _)
    yield from box_findings.of_old_keys(list(_key_ages(folder, centre)), now, _)
    for path in {settings.tls_certificate, pages.tls_certificate} - {None}:
        yield _certificate(Path(path or ""), now, _)
    if folder.identity.exists():
        facts = asyncio.run(_ask_node(folder))
        yield from box_findings.of_node(facts, _)
        if facts is not None and knows_an_earlier_centre(folder):
            yield box_findings.of_restart(_)
    if centre.database.exists() or (centre.own.exists() and pages.database):
        yield from _centre(centre, pages, _)


def knows_an_earlier_centre(folder: NodeFolder) -> bool:
    """Whether keys or pages lie in the folder that the running recorder did not read when it started.

    One that was taken out needs no restart: nobody misses pictures for it.
    """
    try:
        return not Trusted.read(folder).names <= known_to_gateway(folder)
    except (NotRunning, InvalidKey, OSError):  # it is only starting, or could not start again with such a key
        return False


def _disks(folder: NodeFolder, settings: Settings) -> Iterator[DiskFact]:
    disk = LocalDisk()
    for path in settings.volumes or (folder.default_volume,):
        if not path.exists() and settings.volumes:
            yield DiskFact(str(path), there=False)
            continue
        room = disk.room(str(path if path.exists() else folder.root))
        floor = VolumeSettings(str(path), settings.reserve_bytes).floor(room.total)
        yield DiskFact(str(path), True, room.free, room.total, floor)
    if settings.volumes:
        room = disk.room(str(folder.root))
        yield DiskFact(str(folder.root), True, room.free, room.total)


def _key_files(folder: NodeFolder, centre: CentreFolder, settings: Settings, pages: CentreSettings) -> Iterator[Path]:
    named = [folder.signing_key, folder.issuer_key, folder.secrets_key, centre.secret]
    named += [centre.issuer_key, centre.next_issuer_key]
    named += [key for key in (settings.tls_key, pages.tls_key, pages.bus and pages.bus.seed_file) if key]
    yield from (path for path in named if path.exists())


def _key_ages(folder: NodeFolder, centre: CentreFolder) -> Iterator[KeyFact]:
    """How long each is used stands in docs/inventory.md. A key's file is written once, and restored with its time."""
    lasts = {
        **dict.fromkeys((folder.signing_key, folder.issuer_key, centre.issuer_key), 3),
        folder.secrets_key: 2,
        centre.secret: 5,
    }
    for path, years in lasts.items():
        if path.exists():
            yield KeyFact(path, datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC), years)


def _certificate(path: Path, now: datetime.datetime, _: Words) -> Finding:
    try:
        made = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return box_findings.of_unreadable_certificate(path, _)
    return box_findings.of_certificate(path, made.not_valid_after_utc, now, _)


async def _ask_node(folder: NodeFolder) -> NodeFacts | None:
    try:
        async with running_bus(folder) as bus:
            return await _node_facts(bus)
    except NotRunning:
        return None


async def _node_facts(bus: NodeBus) -> NodeFacts:
    health = await ask(bus.client, subjects.service(bus.node, "node", "health"), Empty(), NodeHealth, _PATIENCE_S)
    parts = tuple(PartFact(part.name, part.running, part.detail) for part in health.parts)
    configured = {one.config.id: one.config for one in await bus.configuration.cameras() if one.config.enabled}
    try:
        subject = subjects.service(bus.node, "recorder", "state")
        state = await ask(bus.client, subject, Empty(), RecorderState, _PATIENCE_S)
    except XomyenError as error:
        return NodeFacts(parts, (AlarmFact("recorder", "", error.message),), len(configured), ())
    away = tuple(
        CameraFact(
            configured[event.camera].name,
            datetime.datetime.fromtimestamp(event.since_ns / 1e9, datetime.UTC),
            str(event.reason or ""),
            event.detail or str(event.state),
        )
        for event in state.streams
        if event.stream is StreamName.MAIN
        and event.camera in configured
        and configured[event.camera].main.record
        and event.state is not CameraState.RECORDING
    )
    return NodeFacts(parts, tuple(_alarms(state)), len(configured), away)


def _alarms(state: RecorderState) -> Iterator[AlarmFact]:
    """What the recorder says of itself, each thing once."""
    yield from (AlarmFact(alarm.code, alarm.path, alarm.text) for alarm in state.alarms)
    for text in state.problems:
        # A disk that an alarm is about is told of there.
        if not any(alarm.text == text or (alarm.path and alarm.path in text) for alarm in state.alarms):
            yield AlarmFact("", "", text)


def _centre(centre: CentreFolder, pages: CentreSettings, _: Words) -> Iterator[Finding]:
    yield centre_findings.of_process(centre, _)
    os.environ.setdefault("XOMYEN_CENTRE_LOG_LEVEL", "error")
    use_django(centre.root)
    database = centre_findings.of_database(centre, pages, _)
    yield database
    if database.severity is Severity.GOOD:
        yield from centre_findings.of_work(_)
