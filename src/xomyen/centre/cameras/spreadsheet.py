"""Reads a table of text from a CSV or XLSX file that may be anything, within bounds."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

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
            raise ValidationError(_("Row %(row)s holds a cell of more than 1,000 letters.") % {"row": len(rows) + 1})
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
            parts = packed.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise ValidationError(_("The file unpacks to too much. Copy the table alone into a new file."))
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size need not be so
            yield from sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, SyntaxError) as error:
        # SyntaxError is what ElementTree's ParseError is.
        raise ValidationError(_("The file cannot be read. Save it as .xlsx or as CSV UTF-8.")) from error


def _of_csv(name: str, data: bytes) -> Iterator[list[str]]:
    if not name.casefold().endswith((".csv", ".txt")):
        raise ValidationError(_("The file must be a table: .xlsx or .csv. Old .xls files are saved anew as .xlsx."))
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(
            _("The letters of the file cannot be read. Save it as “CSV UTF-8”, or better as .xlsx.")
        ) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise ValidationError(_("The file is not a proper CSV table. Save it as .xlsx and try again.")) from error
