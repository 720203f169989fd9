"""What a doctor finds: each finding in words that can be passed on by telephone, and what to do."""

import gettext as gnu
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

Words = Callable[[str], str]


class Severity(StrEnum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"  # works, and somebody should look at it
    BAD = "bad"  # something does not work, or will not for long


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    code: str  # stable, for programs
    severity: Severity
    text: str  # one sentence: what is
    remedy: str = ""  # one sentence: what to do

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "severity": self.severity.value, "text": self.text, "remedy": self.remedy}


def words(language: str) -> Words:
    """What turns English texts into those of the language; English where there are none."""
    folder = Path(__file__).parent / "locale"
    return gnu.translation("django", folder, [language], fallback=True).gettext


def worst(findings: list[Finding]) -> Severity:
    """The severity of the whole."""
    for severity in (Severity.BAD, Severity.NOTE):
        if any(finding.severity is severity for finding in findings):
            return severity
    return Severity.GOOD


def summary(findings: list[Finding], _: Words) -> str:
    """The whole in one sentence."""
    bad = sum(finding.severity is Severity.BAD for finding in findings)
    notes = sum(finding.severity is Severity.NOTE for finding in findings)
    if bad:
        return _("Something is wrong. Faults (✗): {bad}; to be looked at (!): {notes}.").format(bad=bad, notes=notes)
    if notes:
        return _("The box works. To be looked at (!): {notes}.").format(notes=notes)
    return _("Everything works.")
