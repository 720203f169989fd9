"""The recorder's alarms in words that can be read out: what is wrong, and what to do."""

from dataclasses import dataclass

from xomyen.centre.operation.examination import Finding, Severity, Words


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """What the recorder says of itself; `code` as in `docs/api.md`, empty where there is none."""

    code: str
    path: str  # the disk's folder, or empty
    text: str  # in the recorder's own words, English


def of_alarm(alarm: AlarmFact, _: Words) -> Finding:
    """In the words of the language, with the recorder's own line behind them for whoever helps."""
    known = _words(_).get(alarm.code)
    if known is None:
        text = _("The recorder reports: {text}").format(text=alarm.text)
        remedy = _("Read this line out word for word; docs/operating.md, Alarms, says what to do.")
        return Finding("node_alarm", Severity.BAD, text, remedy)
    own = _("The recorder's own words: “{text}”").format(text=alarm.text)
    return Finding("node_alarm", Severity.BAD, known[0].format(path=alarm.path), f"{known[1]} {own}")


def _words(_: Words) -> dict[str, tuple[str, str]]:
    """Text and remedy by the alarm's code."""
    return {
        "volume": (
            _("Nothing is recorded to the disk of {path}."),
            _("Check that the right disk is plugged in and mounted, that it has room, and that it can be written to."),
        ),
        "full": (
            _("The disk of {path} is full and nothing on it may be deleted: nothing is recorded to it."),
            _("Add a disk now, or release footage that no longer has to be kept."),
        ),
        "almost_full": (
            _("The disk of {path} is almost full, and what is left on it may not be deleted."),
            _("Add a disk, or release footage that no longer has to be kept."),
        ),
        "short": (
            _("The disk of {path} has room for less than a day of footage."),
            _("Take other files off the disk, add a disk, or lower the bit rate of the cameras."),
        ),
        "retention": (
            _("Old footage cannot be deleted; the disk will fill up."),
            _("Have the disk and the rights to its files checked."),
        ),
        "file": (
            _("A file could not be written, so a recording was interrupted."),
            _("Have the disk checked. This message goes away after a day."),
        ),
        "lost": (
            _("The disk lost data that was already written."),
            _("Have the disk checked and replace it soon. This message goes away after a day."),
        ),
        "index": (
            _("The list of recordings cannot be written: footage may not be kept."),
            _("Check that the system disk has room, then have it checked."),
        ),
        "clock": (
            _("The clock of the machine was set, or cannot be trusted."),
            _("Compare it with a watch and note the difference before footage is handed out."),
        ),
        "recorder": (
            _("The part that records does not answer: nothing may be recorded."),
            _("Wait a minute and look again. If this stays: systemctl restart xomyen, then send the log."),
        ),
    }
