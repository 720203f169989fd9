"""Pages that take in a table of cameras: give it in, look at what it would do, confirm."""

import uuid

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.cameras import imports
from xomyen.centre.cameras.columns import COLUMNS, template
from xomyen.centre.cameras.forms import Styled, named_unit, units_for
from xomyen.centre.cameras.models import ImportBatch
from xomyen.centre.cameras.spreadsheet import MOST_BYTES, MOST_ROWS, read_table
from xomyen.centre.cameras.widgets import PickSelect
from xomyen.centre.organisation.models import UnitKind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

PLACE = "cameras:list"
_SHOWN = 200


class TableForm(Styled, forms.Form):
    """The file, and the unit of sites that name none."""

    unit = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Unit"),
        widget=PickSelect("unit"),
        help_text=gettext_lazy("For sites whose row names no unit."),
    )
    file = forms.FileField(label=gettext_lazy("File (.xlsx or .csv)"))

    def __init__(self, *arguments: object, person: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        units = units_for(person, Action.CAMERA_EDIT)
        self.fields["unit"].queryset = units
        self.fields["unit"].label_from_instance = named_unit
        self.fields["file"].widget.attrs["accept"] = ".xlsx,.csv"
        communes = list(units.filter(kind=UnitKind.COMMUNE)[:2])
        if len(communes) == 1:
            self.initial["unit"] = communes[0].pk
        self.style()


@require_GET
def download_template(request: HttpRequest) -> HttpResponse:
    """The table to fill in."""
    require(request.user, Action.CAMERA_EDIT)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(
        template(), content_type=kind, headers={"Content-Disposition": 'attachment; filename="camera.xlsx"'}
    )


@require_http_methods(["GET", "POST"])
def give_in(request: HttpRequest) -> HttpResponse:
    """Reads a table; nothing of it is taken in yet."""
    require(request.user, Action.CAMERA_EDIT)
    form = TableForm(request.POST or None, request.FILES or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            rows = imports.read_rows(request.user, read_table(file.name, file.read(MOST_BYTES + 1)))
        except ValidationError as error:
            form.add_error("file", error)
        else:
            ImportBatch.objects.filter(by=request.user, taken_in=None).delete()
            unit = form.cleaned_data["unit"]
            batch = ImportBatch.objects.create(by=request.user, unit=unit, file_name=file.name[:200], rows=rows)
            return redirect("cameras:import-preview", batch.pk)
    content = {"active_place": PLACE, "form": form, "columns": COLUMNS, "most": MOST_ROWS}
    return render(request, "cameras/import.html", content)


@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """What the table would do and what is wrong with it; confirming takes in all of it."""
    require(request.user, Action.CAMERA_EDIT)
    found = get_object_or_404(ImportBatch.objects.select_related("unit"), pk=batch, by=request.user)
    if found.taken_in is not None:
        return redirect("cameras:list")
    if request.method == "POST":
        checked = imports.take_in(request.user, found)
        if not checked.faults:
            messages.success(
                request,
                _("Imported: %(new)s new cameras, %(changed)s changed, %(same)s unchanged.") % checked.number,
            )
            if factory := checked.number["factory_passwords"]:
                text = ngettext(
                    "%(n)s camera of this table uses a manufacturer's default password; change it.",
                    "%(n)s cameras of this table use a manufacturer's default password; change them.",
                    factory,
                )
                messages.warning(request, text % {"n": factory})
            return redirect("cameras:list")
    else:
        checked = imports.check(request.user, found.unit, found.rows)
    content = {
        "active_place": PLACE,
        "batch": found,
        "checked": checked,
        "faults": checked.faults[:_SHOWN],
        "planned": checked.planned[:_SHOWN],
    }
    return render(request, "cameras/import_preview.html", content)
