"""Takes in a table of cameras: checked first, and all of it or nothing."""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.cameras import imports
from xomyen.centre.cameras.forms import units_for
from xomyen.centre.cameras.imports import Checked
from xomyen.centre.cameras.models import ImportBatch
from xomyen.centre.cameras.spreadsheet import MOST_COLUMNS, MOST_LETTERS, MOST_ROWS
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.CAMERAS_WRITE), tags=["cameras"])
_SHOWN = 200
_Cell = Annotated[str, Field(max_length=MOST_LETTERS)]
_Row = Annotated[list[_Cell], Field(max_length=MOST_COLUMNS)]


class Table(Closed):
    """The rows of a spreadsheet, its headings first: those of the template in either language, or their short names.

    `site_code` and `code` have to be among them.
    """

    unit: uuid.UUID  # where sites lie whose row names no unit
    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    rows: Annotated[list[_Row], Field(min_length=2, max_length=MOST_ROWS + 1)]


class FaultOut(Schema):
    """What is wrong in a row, and what to do about it; the heading is row 1."""

    row: int
    column: str
    text: str


class ImportOut(Schema):
    """What a table would do, or has done."""

    id: uuid.UUID
    taken_in: bool
    new: int  # cameras
    changed: int
    same: int
    sites: int  # new or changed
    factory_passwords: int  # cameras of the table whose password is one that makers ship cameras with
    faults: list[FaultOut]  # the first 200


@router.post("/camera-imports", response={201: ImportOut})
def check_import(request: HttpRequest, body: Table) -> Any:
    """Checks a table; nothing of it is taken in yet, and one checked before is forgotten. Scope `cameras:write`."""
    require(request.user, Action.CAMERA_EDIT)
    unit = get_object_or_404(units_for(request.user, Action.CAMERA_EDIT), pk=body.unit)
    rows = imports.read_rows(request.user, [[cell.strip() for cell in row] for row in body.rows])
    ImportBatch.objects.filter(by=request.user, taken_in=None).delete()
    batch = ImportBatch.objects.create(by=request.user, unit=unit, file_name=body.name, rows=rows)
    return Status(201, _shown(batch, imports.check(request.user, unit, rows)))


@router.get("/camera-imports/{batch}", response=ImportOut)
def get_import(request: HttpRequest, batch: uuid.UUID) -> Any:
    """What a table that was checked would do by now. Scope `cameras:write`."""
    found = _own(request, batch)
    return _shown(found, imports.check(request.user, found.unit, found.rows))


@router.post("/camera-imports/{batch}/take-in", response=ImportOut)
def take_in_import(request: HttpRequest, batch: uuid.UUID) -> Any:
    """Takes in all of a table; 409 while something is wrong with it. Scope `cameras:write`."""
    found = _own(request, batch)
    if found.taken_in is not None:
        raise Problem(409, "taken_in_already", _("This table was taken in already."))
    checked = imports.take_in(request.user, found)
    if checked.faults:
        raise Problem(409, "import_has_faults", _("Something is wrong in the table; nothing was taken in."))
    found.refresh_from_db()
    return _shown(found, checked)


def _own(request: HttpRequest, key: uuid.UUID) -> ImportBatch:
    require(request.user, Action.CAMERA_EDIT)
    return get_object_or_404(ImportBatch.objects.select_related("unit"), pk=key, by=request.user)


def _shown(batch: ImportBatch, checked: Checked) -> dict[str, Any]:
    faults = [{"row": one.row, "column": one.column, "text": one.text} for one in checked.faults[:_SHOWN]]
    return {"id": batch.pk, "taken_in": batch.taken_in is not None, "faults": faults} | checked.number
