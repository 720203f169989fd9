"""The columns of a table of cameras, by which headings they are known, and the template to fill in."""

import functools
import io
from dataclasses import dataclass
from typing import Any

import openpyxl
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from xomyen.centre.folding import fold


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `needed` ones must be filled in each row of a new camera."""

    key: str
    heading: Any
    hint: Any = ""
    needed: bool = False


COLUMNS = (
    Column("unit", gettext_lazy("Unit code"), gettext_lazy("Leave empty for the unit chosen at upload.")),
    Column("site_code", gettext_lazy("Site code"), gettext_lazy("S01; with the unit it names the site."), True),
    Column("site_name", gettext_lazy("Site name"), gettext_lazy("Needed for a site that is not there yet.")),
    Column("latitude", gettext_lazy("Latitude"), gettext_lazy("21.0352")),
    Column("longitude", gettext_lazy("Longitude"), gettext_lazy("106.0874")),
    Column("code", gettext_lazy("Camera code"), gettext_lazy("C04; with the site it names the camera."), True),
    Column("name", gettext_lazy("Camera name"), gettext_lazy("As people know it: Hướng chợ."), True),
    Column("purpose", gettext_lazy("Purpose"), gettext_lazy("Why the camera is there; the public can read it."), True),
    Column(
        "owner",
        gettext_lazy("Owner"),
        gettext_lazy("commune, residential group, agency or school, enterprise, household"),
    ),
    Column("owner_name", gettext_lazy("Owner's name")),
    Column("funding", gettext_lazy("Funding")),
    Column("camera_class", gettext_lazy("Class"), gettext_lazy("The name of a class; empty: the first one.")),
    Column("is_public", gettext_lazy("Watches public space"), gettext_lazy("yes or no; empty: yes")),
    Column("acceptance", gettext_lazy("State"), gettext_lazy("Of new cameras; empty: planned.")),
    Column("node", gettext_lazy("Recorder"), gettext_lazy("Its name or id.")),
    Column("main_url", gettext_lazy("Main stream"), gettext_lazy("rtsp://192.168.1.64:554/stream1")),
    Column("sub_url", gettext_lazy("Sub-stream")),
    Column("user", gettext_lazy("User name")),
    Column("password", gettext_lazy("Password"), gettext_lazy("Sealed to the recorder at once, never shown.")),
    Column("height_m", gettext_lazy("Height (m)")),
    Column("azimuth_deg", gettext_lazy("Azimuth (°)")),
    Column("tilt_deg", gettext_lazy("Tilt (°)")),
    Column("field_of_view_deg", gettext_lazy("Field of view (°)")),
    Column("manufacturer", gettext_lazy("Manufacturer")),
    Column("model", gettext_lazy("Model")),
    Column("serial_number", gettext_lazy("Serial number")),
    Column("firmware", gettext_lazy("Firmware")),
    Column("firmware_support_ends", gettext_lazy("Firmware supported until"), "31/12/2027"),
    Column("certificate", gettext_lazy("Certificate of conformity")),
    Column("onvif_address", gettext_lazy("ONVIF address"), "http://192.168.1.64/onvif/device_service"),
)
HEADINGS = {column.key: column.heading for column in COLUMNS}


def keys_of(head: list[str]) -> list[str | None]:
    """Which column each heading means, in either language or by its key; None: none."""
    known = {}
    for language in ("vi", "en"):
        with override(language):
            known.update({fold(str(column.heading)): column.key for column in COLUMNS})
    known.update({column.key: column.key for column in COLUMNS})
    return [known.get(fold(text.rstrip("*: "))) for text in head]


def template() -> bytes:
    """An XLSX file with the headings, and a second sheet that says what belongs into each column."""
    return _template(get_language() or "")


@functools.cache
def _template(_language: str) -> bytes:
    """The same in the language in force; made once, which takes longer than most pages."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _("Cameras")
    notes = book.create_sheet(_("How to fill it in"))
    notes.append([_("Column"), _("Needed"), _("What to enter")])
    for number, column in enumerate(COLUMNS, 1):
        letter = get_column_letter(number)
        heading = str(column.heading) + (" *" if column.needed else "")
        sheet.cell(1, number, heading).font = Font(bold=True)
        sheet.column_dimensions[letter].width = max(14, len(heading) + 2)
        for row in range(2, 400):
            # Text, so that a code 007 stays one.
            sheet.cell(row, number).number_format = "@"
        notes.append([str(column.heading), _("yes") if column.needed else "", str(column.hint)])
    notes["A1"].font = notes["B1"].font = notes["C1"].font = Font(bold=True)
    for letter, width in (("A", 28), ("B", 12), ("C", 80)):
        notes.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
