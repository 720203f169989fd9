"""Findings about the machine and the node on it, from plain facts: what is, and what to do."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from xomyen.centre.configuration import ZONE
from xomyen.centre.operation.alarm_words import AlarmFact, of_alarm
from xomyen.centre.operation.examination import Finding, Severity, Words

_LEAST_BYTES = 200 << 20
_EXPIRY_DAYS = 21
_NAMED = 5  # cameras; of more only their number is told
_FIRST_YEAR = 2025
_HERE = ZoneInfo(ZONE)  # a machine whose zone nobody set would tell another time than the clock on the wall


@dataclass(frozen=True, slots=True)
class DiskFact:
    """The disk below a folder; bytes."""

    path: str
    there: bool
    free: int = 0
    total: int = 0
    kept_free: int = 0  # what the recorder leaves for others


@dataclass(frozen=True, slots=True)
class PartFact:
    """One process of the node."""

    name: str
    running: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A key that is used for so many years, then another."""

    path: Path
    made: datetime.datetime
    years: int


@dataclass(frozen=True, slots=True)
class CameraFact:
    """A camera that should record and does not."""

    name: str
    since: datetime.datetime
    reason: str  # a `GapReason`, or empty
    detail: str  # in the recorder's own words


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the running node says of itself."""

    parts: tuple[PartFact, ...]
    alarms: tuple[AlarmFact, ...]
    cameras: int
    away: tuple[CameraFact, ...]


def of_disk(disk: DiskFact, _: Words) -> Finding:
    if not disk.there:
        return Finding(
            "disk",
            Severity.BAD,
            _("The folder {path} for video is not there.").format(path=disk.path),
            _("Check that its disk is plugged in and mounted; nothing is recorded on it until then."),
        )
    numbers = {"path": disk.path, "free": _gigabytes(disk.free), "total": _gigabytes(disk.total)}
    if disk.free < _LEAST_BYTES:
        return Finding(
            "disk",
            Severity.BAD,
            _("The disk of {path} is full: {free} GB of {total} GB are free.").format(**numbers),
            _("Take other files off this disk, or add a disk; the system cannot write any more."),
        )
    if disk.free < disk.kept_free // 2:
        return Finding(
            "disk",
            Severity.NOTE,
            _("The disk of {path} is almost full: {free} GB of {total} GB are free.").format(**numbers),
            _("See which other files fill it: the recorder alone keeps more free than that."),
        )
    return Finding("disk", Severity.GOOD, _("Disk {path}: {free} GB of {total} GB are free.").format(**numbers))


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


def of_clock(now: datetime.datetime, synchronised: bool, _: Words) -> Finding:
    shown = f"{now.astimezone(_HERE):%H:%M:%S %d/%m/%Y}"
    if now.year < _FIRST_YEAR:
        return Finding(
            "clock",
            Severity.BAD,
            _("The clock is wrong: it says {now}.").format(now=shown),
            _("Set the clock, and replace the battery on the main board."),
        )
    if not synchronised:
        return Finding(
            "clock",
            Severity.NOTE,
            _("The clock is not synchronised; it says {now}.").format(now=shown),
            _("Compare it with a watch. Have chrony or systemd-timesyncd run, or name a time server of the network."),
        )
    return Finding("clock", Severity.GOOD, _("The clock is synchronised: {now}.").format(now=shown))


def of_keys(paths: list[Path], _: Words) -> list[Finding]:
    """Key files that others could read."""
    found = []
    for path in paths:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            text = _("The key file {path} can be read by other users of the machine.").format(path=path)
            remedy = _("Run: chmod 600 {path}. If strangers use this machine, make a new key.").format(path=path)
            found.append(Finding("keys", Severity.BAD, text, remedy))
    return found or [Finding("keys", Severity.GOOD, _("The key files are closed to others."))]


def of_old_keys(keys: list[KeyFact], now: datetime.datetime, _: Words) -> list[Finding]:
    """Keys that are to be replaced by now."""
    return [
        Finding(
            "key_age",
            Severity.NOTE,
            _("The key {path} is from {day}; it should be replaced every {years} years.").format(
                path=key.path, day=f"{key.made.astimezone(_HERE):%d/%m/%Y}", years=key.years
            ),
            _("Plan a day for it: docs/inventory.md, Keys, says what is done for this one, and what ends with it."),
        )
        for key in keys
        if now - key.made >= datetime.timedelta(days=365.25 * key.years)
    ]


def of_settings(why: str, _: Words) -> Finding:
    text = _("A setting cannot be used: {why}").format(why=why)
    return Finding("settings", Severity.BAD, text, _("Put it right in the file that is named, and start again."))


def of_unreadable_certificate(path: Path, _: Words) -> Finding:
    text = _("The certificate {path} cannot be read.").format(path=path)
    return Finding("certificate", Severity.BAD, text, _("Put a new certificate in its place and restart."))


def of_certificate(path: Path, ends: datetime.datetime, now: datetime.datetime, _: Words) -> Finding:
    days = (ends - now).days
    told = {"path": path, "day": f"{ends.astimezone(_HERE):%d/%m/%Y}", "days": days}
    if ends <= now:
        text = _("The certificate {path} ran out on {day}: browsers refuse the pages.").format(**told)
        return Finding("certificate", Severity.BAD, text, _("Put a new certificate in its place and restart."))
    if days < _EXPIRY_DAYS:
        text = _("The certificate {path} runs out on {day}, in {days} days.").format(**told)
        return Finding("certificate", Severity.NOTE, text, _("Order a new one now."))
    return Finding("certificate", Severity.GOOD, _("The certificate {path} holds until {day}.").format(**told))


def of_node(facts: NodeFacts | None, _: Words) -> list[Finding]:
    """The running node; None: it does not run."""
    if facts is None:
        text = _("The recorder is not running: nothing is recorded.")
        return [Finding("node", Severity.BAD, text, _("Run: systemctl start xomyen (or restart the machine)."))]
    found = [
        Finding(
            "node_part",
            Severity.BAD,
            _("A part of the recorder does not run: {part} ({detail}).").format(
                part=_part(part.name, _), detail=part.detail
            ),
            _("It is being started again by itself. If this stays: systemctl restart xomyen, then send the log."),
        )
        for part in facts.parts
        if not part.running
    ]
    found += [of_alarm(alarm, _) for alarm in facts.alarms]
    if not found:
        found = [Finding("node", Severity.GOOD, _("The recorder runs with all its parts."))]
    return [*found, _of_cameras(facts, _)]


def of_restart(_: Words) -> Finding:
    """The recorder runs with keys and addresses of before the centre came or moved."""
    text = _("The recorder was not restarted after the centre was set up or moved: its pages may show no pictures.")
    return Finding("restart", Severity.BAD, text, _("Run: systemctl restart xomyen. It takes some seconds."))


def _part(name: str, _: Words) -> str:
    """What a part does, beside its name, which commands and logs know it by."""
    does = {
        "recorder": _("recording of footage"),
        "gateway": _("pictures for browsers"),
        "devices": _("searching and steering cameras"),
        "bus": _("messages between the parts"),
    }.get(name)
    return f"{does} – {name}" if does else name


def _why(camera: CameraFact, _: Words) -> str:
    """Why it is away, in words that can be read out; else what the recorder says."""
    known = {
        "camera_silent": _("connected, but no picture comes"),
        "refused": _("the camera refused: check its user, password and address"),
        "network": _("the camera cannot be reached over the network"),
        "node_stopped": _("the recorder was not running"),
        "disk": _("the disk is full or failing"),
    }
    return known.get(camera.reason) or camera.detail


def _of_cameras(facts: NodeFacts, _: Words) -> Finding:
    if not facts.cameras:
        return Finding("cameras", Severity.GOOD, _("No camera has been added to the recorder yet."))
    if not facts.away:
        return Finding("cameras", Severity.GOOD, _("All {count} cameras are recorded.").format(count=facts.cameras))
    named = [f"{one.name} ({one.since.astimezone(_HERE):%H:%M %d/%m}, {_why(one, _)})" for one in facts.away[:_NAMED]]
    if len(facts.away) > _NAMED:
        named.append("…")
    text = _("{away} of {count} cameras are away: {names}.")
    return Finding(
        "cameras",
        Severity.NOTE,
        text.format(away=len(facts.away), count=facts.cameras, names="; ".join(named)),
        _("Check power and network cable of the camera, then its password."),
    )
