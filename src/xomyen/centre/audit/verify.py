"""Checks the chain in the database against its signed head."""

from collections.abc import Iterator

from django.db.models import Max

from xomyen.centre.audit.chain import BEGINNING
from xomyen.centre.audit.findings import ChainCheck, Fault, Report
from xomyen.centre.audit.models import Head, Pending, Record
from xomyen.proof.keys import PublicKey

_CHUNK = 1000


def verify_database(key: PublicKey, known: tuple[int, str] | None = None) -> Report:
    """Reads every row; the centre may go on writing meanwhile.

    `known` is sequence and hash of a row that were kept elsewhere, such as those of an export: with it a log that was
    made anew as a whole, signature and all, is found.
    """
    report = Report()
    head = Head.objects.filter(pk=1).first() or Head(hash=BEGINNING)
    check = ChainCheck(report, 1, BEGINNING)
    for row in _rows(head.sequence):
        check.row(row.sequence, _content(row), row.digest, row.hash)
        if known is not None and row.sequence == known[0] and row.hash != known[1]:
            report.add(Fault.FOREIGN, row.sequence, f"Row {row.sequence} is not the one of the export.")
    check.ends_at(head.sequence, head.hash)
    if known is not None and known[0] > head.sequence:
        text = f"The export knows rows up to {known[0]}: the end of the log was cut off."
        report.add(Fault.MISSING, head.sequence + 1, text)
    _signature(report, head, key)
    _beyond(report)
    report.waiting = Pending.objects.count()
    return report


def _rows(last: int) -> Iterator[Record]:
    """The rows up to the head, foreign ones before the first among them."""
    after: int | None = None
    while True:
        rows = Record.objects.filter(sequence__lte=last).order_by("sequence")
        found = list(rows.filter(sequence__gt=after)[:_CHUNK] if after is not None else rows[:_CHUNK])
        if not found:
            return
        yield from found
        after = found[-1].sequence


def _content(row: Record) -> dict[str, object]:
    try:
        return row.content()
    except ValueError:  # somebody made the details unreadable
        return {}


def _signature(report: Report, head: Head, key: PublicKey) -> None:
    report.key = head.key
    if not head.sequence:
        return
    if head.key != key.fingerprint:
        report.add(Fault.UNKNOWN_KEY, head.sequence, f"The head was signed with another key: {head.key}.")
    elif not head.signed().signed_by(key):
        report.add(Fault.UNSIGNED, head.sequence, "The head of the log does not carry the centre's signature.")


def _beyond(report: Report) -> None:
    """Rows behind the head. Rows and head are written together: whoever sees a row sees a head that knows it."""
    last = Record.objects.aggregate(last=Max("sequence"))["last"] or 0
    head = Head.objects.filter(pk=1).values_list("sequence", flat=True).first() or 0
    if last > head:
        text = f"Rows {head + 1} to {last} are not the centre's: its signed head ends before them."
        report.add(Fault.FOREIGN, head + 1, text)
