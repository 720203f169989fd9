"""Checks the chain row by row, wherever the rows come from: the database or an export."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from xomyen.centre.audit.chain import digest_of, link

_MOST = 100
"""Findings that are kept; more say nothing new."""


class Verdict(StrEnum):
    """What can be said of a chain; the worst finding decides."""

    INTACT = "INTACT"
    INCOMPLETE = "INCOMPLETE"
    UNKNOWN_KEY = "UNKNOWN KEY"
    ALTERED = "ALTERED"

    @property
    def exit_code(self) -> int:
        """As those of `xomyen verify`."""
        return {"INTACT": 0, "INCOMPLETE": 10, "ALTERED": 11, "UNKNOWN KEY": 12}[self.value]


def worst(*verdicts: Verdict) -> Verdict:
    """The one that decides."""
    return max(verdicts, key=list(Verdict).index)


class Fault(StrEnum):
    """What is wrong with a row or with the end of the chain."""

    ALTERED = "altered"  # its content is not what its digest was made of
    MISSING = "missing"
    FOREIGN = "foreign"  # it does not continue the row before: put in, or made anew
    UNSIGNED = "unsigned"  # the head does not carry the centre's signature
    UNKNOWN_KEY = "unknown_key"

    @property
    def verdict(self) -> Verdict:
        if self is Fault.MISSING:
            return Verdict.INCOMPLETE
        return Verdict.UNKNOWN_KEY if self is Fault.UNKNOWN_KEY else Verdict.ALTERED


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    fault: Fault
    sequence: int  # the row it begins at
    text: str


@dataclass(slots=True)
class Report:
    """The outcome of a check."""

    rows: int = 0
    withheld: int = 0  # rows of which the digest alone was given
    waiting: int = 0  # entries that are not in the chain yet
    first: int = 0  # sequence of the first and the last row
    last: int = 0
    hash: str = ""  # of the last row
    key: str = ""  # fingerprint of the key that signed the head
    findings: list[Finding] = field(default_factory=list)  # in the order of the rows
    count: int = 0  # of all findings, also of those not kept
    verdict: Verdict = Verdict.INTACT

    def add(self, fault: Fault, sequence: int, text: str) -> None:
        self.count += 1
        self.verdict = worst(self.verdict, fault.verdict)
        if len(self.findings) < _MOST:
            self.findings.append(Finding(fault, sequence, text))


class ChainCheck:
    """Takes rows in order of their sequence and tells what does not fit."""

    def __init__(self, report: Report, sequence: int, previous: str) -> None:
        """`sequence` is the one that must come first, `previous` the hash before it."""
        self._report = report
        self._next = sequence
        self._previous = previous
        report.first = sequence

    def row(self, sequence: int, content: dict[str, Any] | None, digest: str, row_hash: str) -> None:
        """A row with what it says, or with its digest alone."""
        report = self._report
        if sequence < self._next:
            report.add(Fault.FOREIGN, sequence, f"Row {sequence} stands where none belongs.")
            return
        if sequence > self._next:
            gone = f"Row {self._next} is" if sequence == self._next + 1 else f"Rows {self._next} to {sequence - 1} are"
            report.add(Fault.MISSING, self._next, f"{gone} missing.")
        elif _linked(self._previous, digest) != row_hash:
            text = f"Row {sequence} does not continue row {sequence - 1}: one of them was put in or made anew."
            report.add(Fault.FOREIGN, sequence, text)
        if content is None:
            report.withheld += 1
        elif _digested(content) != digest:
            report.add(Fault.ALTERED, sequence, f"Row {sequence} was changed after it was written.")
        report.rows += 1
        report.last, report.hash = sequence, row_hash
        self._next, self._previous = sequence + 1, row_hash

    def ends_at(self, sequence: int, row_hash: str) -> None:
        """The chain must end with this row, by a signature that fits."""
        report = self._report
        if self._next <= sequence:
            gone = f"Row {sequence} is" if self._next == sequence else f"Rows {self._next} to {sequence} are"
            report.add(Fault.MISSING, self._next, f"{gone} missing: the end of the log was cut off.")
        elif self._next - 1 > sequence:
            text = f"Rows after {sequence} are not the centre's: its signed head ends there."
            report.add(Fault.FOREIGN, sequence + 1, text)
        elif self._previous != row_hash:
            text = f"Row {sequence} is not the one that the centre signed: the log was made anew."
            report.add(Fault.FOREIGN, sequence, text)


def _linked(previous: str, digest: str) -> str | None:
    try:
        return link(previous, digest)
    except ValueError:
        return None


def _digested(content: dict[str, Any]) -> str | None:
    try:
        return digest_of(content)
    except ValueError:
        return None
