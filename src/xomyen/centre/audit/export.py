"""Exports: JSON Lines in which the chain can be checked without the database.

The first line says what was asked for and by which key it is signed. Each row between the first and the last one wanted
follows: those wanted with their content, all others as digest and hash alone, so that nothing of other units leaves and
nothing can be left out unseen. The last line has the signature over the first line and over where the chain ends.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from xomyen.centre.audit.chain import BEGINNING
from xomyen.centre.audit.findings import ChainCheck, Fault, Report
from xomyen.proof.keys import PublicKey, SigningKey
from xomyen.proof.seal import canonical_json
from xomyen.terms.errors import XomyenError

EXPORT_PREFIX = b"xomyen-audit-export-v1\n"
_FORMAT = "xomyen-audit"
_LONGEST_LINE = 1 << 20


class InvalidExport(XomyenError):
    """A file that is no export of an audit log."""

    code = "invalid_export"
    exit_code = 13


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the chain; without content it is withheld."""

    sequence: int
    digest: str
    hash: str
    content: dict[str, Any] | None


def write_export(
    lines: Iterable[Line], key: SigningKey, centre: str, asked: dict[str, Any], previous: str
) -> Iterator[bytes]:
    """The lines of the file. `previous` is the hash before the first row, BEGINNING where there is none."""
    first: dict[str, Any] | None = None
    last: Line | None = None
    count = 0
    for line in lines:
        if first is None:
            first = _opening(key, centre, asked, previous, line.sequence)
            yield canonical_json(first) + b"\n"
        row: dict[str, Any] = {"sequence": line.sequence, "digest": line.digest, "hash": line.hash}
        if line.content is not None:
            row["row"] = line.content
        yield canonical_json(row) + b"\n"
        last, count = line, count + 1
    if first is None:
        first = _opening(key, centre, asked, previous, 1)
        yield canonical_json(first) + b"\n"
    end = {
        "sequence": first["first"] - 1 if last is None else last.sequence,
        "hash": previous if last is None else last.hash,
        "rows": count,
    }
    said = EXPORT_PREFIX + canonical_json({"opening": first, "end": end})
    yield canonical_json({"end": end, "signature": key.sign(said).hex()}) + b"\n"


def _opening(key: SigningKey, centre: str, asked: dict[str, Any], previous: str, first: int) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": 1,
        "made_ns": time.time_ns(),
        "centre": centre,
        "asked": asked,
        "first": first,
        "previous": previous,
        "key": {"fingerprint": key.fingerprint, "public": key.public.raw.hex()},
    }


def verify_export(file: IO[bytes], trusted: PublicKey | None) -> Report:
    """Checks an export with nothing but itself and, to be sure whose it is, a key that is trusted.

    Raises InvalidExport for something else.
    """
    report = Report()
    opening = _object(file.readline(_LONGEST_LINE))
    try:
        if opening["format"] != _FORMAT or opening["version"] != 1:
            raise KeyError
        key = PublicKey(bytes.fromhex(opening["key"]["public"]))
        check = ChainCheck(report, int(opening["first"]), str(opening["previous"]))
        report.key = key.fingerprint
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidExport("This file is no export of an audit log.") from error
    if int(opening["first"]) == 1 and opening["previous"] != BEGINNING:
        report.add(Fault.FOREIGN, 1, "The log does not begin as every log does.")
    ended = False
    while encoded := file.readline(_LONGEST_LINE):
        if ended:
            report.add(Fault.FOREIGN, report.last + 1, "Something follows the signed end.")
            break
        line = _object(encoded)
        if "end" in line:
            _end(report, check, opening, line, key)
            ended = True
        else:
            _row(report, check, line)
    if not ended:
        report.add(Fault.MISSING, report.last + 1, "The signed end is missing: the file was cut off.")
    if trusted is not None and trusted.fingerprint != key.fingerprint:
        report.add(Fault.UNKNOWN_KEY, report.last, f"The export was signed with another key: {key.fingerprint}.")
    return report


def _row(report: Report, check: ChainCheck, line: dict[str, Any]) -> None:
    sequence, content = line.get("sequence"), line.get("row")
    digest, row_hash = line.get("digest"), line.get("hash")
    if not isinstance(sequence, int) or not isinstance(row_hash, str) or not isinstance(digest, str):
        report.add(Fault.FOREIGN, report.last + 1, "A line is no row of the log.")
        return
    if content is not None and (not isinstance(content, dict) or content.get("sequence") != sequence):
        report.add(Fault.ALTERED, sequence, f"Row {sequence} does not say that it is this row.")
        content = None
    check.row(sequence, content, digest, row_hash)


def _end(report: Report, check: ChainCheck, opening: dict[str, Any], line: dict[str, Any], key: PublicKey) -> None:
    try:
        end, signature = line["end"], bytes.fromhex(line["signature"])
        sequence, row_hash = int(end["sequence"]), str(end["hash"])
    except (KeyError, TypeError, ValueError):
        report.add(Fault.UNSIGNED, report.last, "The end of the file cannot be read.")
        return
    check.ends_at(sequence, row_hash)
    if not key.verify(EXPORT_PREFIX + canonical_json({"opening": opening, "end": end}), signature):
        report.add(Fault.UNSIGNED, sequence, "The signature of the export does not fit: its frame was changed.")


def _object(encoded: bytes) -> dict[str, Any]:
    try:
        found = json.loads(encoded)
    except (ValueError, RecursionError) as error:
        raise InvalidExport("This file is no export of an audit log: a line is not JSON.") from error
    if not isinstance(found, dict):
        raise InvalidExport("This file is no export of an audit log.")
    return found
