"""Reads a table of text from a CSV or XLSX file that may be anything, within bounds."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any
from xml.etree import ElementTree

import openpyxl
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

MOST_BYTES = 5 << 20
MOST_ROWS = 2000
MOST_COLUMNS = 60
MOST_LETTERS = 1000
_MOST_UNPACKED = 60 << 20
_MOST_PARTS = 300
_MOST_OF = {"[Content_Types].xml": 64 << 10, "xl/styles.xml": 256 << 10, "xl/sharedStrings.xml": 4 << 20}
_MOST_OF_A_PART = 12 << 20  # bytes, unpacked
_MOST_CELLS = (MOST_ROWS + 2) * MOST_COLUMNS
_MOST_ELEMENTS = 3 * _MOST_CELLS  # a cell, its formula and its value
_MOST_ELEMENTS_BESIDE = 20_000  # in what is neither a sheet nor its texts
_ELEMENT = re.compile(rb"<[^/!?]")
_CELL = re.compile(rb"<(?:[^\s<>/:]+:)?(?:c|row|si)[\s/>]")
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, InvalidFileException, KeyError, ValueError, IndexError, OSError),
    RuntimeError,  # encrypted
    SyntaxError,  # what ElementTree's ParseError is
)
_PLACES = {"worksheet+xml": "xl/worksheets/", "sharedStrings+xml": "xl/sharedStrings.xml"}


def read_table(name: str, data: bytes) -> list[list[str]]:
    """The rows of the file's first sheet, cells as text. Raises ValidationError with what to do."""
    if len(data) > MOST_BYTES:
        raise ValidationError(_("The file is larger than %(most)s MB. Divide it.") % {"most": MOST_BYTES >> 20})
    rows = _bounded(_of_workbook(data) if data.startswith(b"PK") else _of_csv(name, data))
    if not rows:
        raise ValidationError(_("The file is empty."))
    return rows


def _bounded(cells: Iterable[Iterable[Any]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in islice(cells, MOST_ROWS + 2):
        texts = [_text(cell) for cell in islice(row, MOST_COLUMNS)]
        if any(len(text) > MOST_LETTERS for text in texts):
            raise ValidationError(_("Row %(row)s has a cell with more than 1,000 characters.") % {"row": len(rows) + 1})
        while texts and not texts[-1]:
            texts.pop()
        rows.append(texts)
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) > MOST_ROWS + 1:
        raise ValidationError(_("The file has more than %(most)s rows. Divide it.") % {"most": MOST_ROWS})
    return rows


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a code that a spreadsheet took for a number
    if isinstance(cell, datetime | date):
        return cell.strftime("%Y-%m-%d")
    return str(cell).strip()


def _of_workbook(data: bytes) -> Iterator[tuple[Any, ...]]:
    """Formulas count as the values that were saved with them; nothing of the file is ever calculated."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if not _is_bounded(packed):
                raise ValidationError(
                    _("The file holds more than a table of this size needs. Copy only the cells into a new file.")
                )
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size need not be so
            yield from sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
        finally:
            book.close()
    except _UNREADABLE as error:
        raise ValidationError(_("The file cannot be read. Save it as .xlsx or as CSV UTF-8.")) from error


def _is_bounded(packed: zipfile.ZipFile) -> bool:
    """Whether reading it stays quick: what builds the workbook takes long for few bytes, so it is counted before."""
    parts = packed.infolist()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        return False
    return all(_part_is_bounded(part.filename, _unpacked(packed, part)) for part in parts)


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the format knows no other
        raise zipfile.BadZipFile(part.filename)
    with packed.open(part) as file:
        return file.read(_MOST_OF_A_PART + 1)


def _part_is_bounded(name: str, content: bytes) -> bool:
    if len(content) > _MOST_OF.get(name, _MOST_OF_A_PART):
        return False
    if not name.endswith((".xml", ".rels")) and not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        # A picture, or letters of two bytes, in which nothing could be counted.
        return not content.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0<" not in content[:8]
    if b"\0" in content:
        return False
    large = name.startswith("xl/worksheets/") or name == "xl/sharedStrings.xml"
    if sum(1 for _one in _ELEMENT.finditer(content)) > (_MOST_ELEMENTS if large else _MOST_ELEMENTS_BESIDE):
        return False
    if name == "[Content_Types].xml":
        return _places_are_usual(content)
    return sum(1 for _one in _CELL.finditer(content)) <= _MOST_CELLS


def _places_are_usual(types: bytes) -> bool:
    """Sheets and texts lie where they are counted as such, and nothing else does."""
    for element in ElementTree.fromstring(types):  # noqa: S314  # bounded, and expat bounds entities
        kind, place = element.get("ContentType", ""), element.get("PartName", "")[1:]
        for ending, usual in _PLACES.items():
            if place and kind.endswith(ending) != place.startswith(usual):
                return False
    return True


def _of_csv(name: str, data: bytes) -> Iterator[list[str]]:
    if not name.casefold().endswith((".csv", ".txt")):
        raise ValidationError(_("The file must be a table: .xlsx or .csv. Old .xls files are saved anew as .xlsx."))
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(
            _("The characters in the file cannot be read. Save it as “CSV UTF-8”, or better as .xlsx.")
        ) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise ValidationError(_("The file is not a proper CSV table. Save it as .xlsx and try again.")) from error
