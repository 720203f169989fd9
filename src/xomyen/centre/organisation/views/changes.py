"""Pages on which the tree is changed, and what still needs a decision."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.centre.organisation.forms import changes as forms
from xomyen.centre.organisation.forms.fields import Asked
from xomyen.centre.organisation.models import Change, Unit, UnitKind
from xomyen.centre.organisation.seeing import unit_seen_or_404, units_seen
from xomyen.centre.organisation.services.matters import all_open, decides
from xomyen.centre.organisation.services.recording import undo
from xomyen.centre.organisation.views.tree import PLACE
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require_in, visible

_MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of change and the words of its page."""

    form: type[Asked]
    heading: Any
    button: Any
    explanation: Any = ""


SORTS = {
    "add": Sort(forms.AddForm, gettext_lazy("Add a unit below %(unit)s"), gettext_lazy("Add")),
    "correct": Sort(
        forms.CorrectForm,
        gettext_lazy("Correct the entry of %(unit)s"),
        gettext_lazy("Save"),
        gettext_lazy("For typing errors. If the unit has a new name from a certain day, rename it instead."),
    ),
    "rename": Sort(
        forms.RenameForm,
        gettext_lazy("Rename %(unit)s"),
        gettext_lazy("Rename"),
        gettext_lazy("Cameras, posts and people stay with the unit; its old name can still be found."),
    ),
    "move": Sort(
        forms.MoveForm,
        gettext_lazy("Move %(unit)s"),
        gettext_lazy("Move"),
        gettext_lazy(
            "All units below move with it. People at the old parent no longer see it; those at the new one do."
        ),
    ),
    "merge": Sort(
        forms.MergeForm,
        gettext_lazy("Merge %(unit)s"),
        gettext_lazy("Merge"),
        gettext_lazy("The units end the day before; everything below them moves to the unit they become."),
    ),
    "split": Sort(
        forms.SplitForm,
        gettext_lazy("Divide %(unit)s"),
        gettext_lazy("Divide"),
        gettext_lazy(
            "Choose where each unit below goes. What is registered at the unit itself stays with the first part."
        ),
    ),
    "close": Sort(forms.CloseForm, gettext_lazy("Close %(unit)s"), gettext_lazy("Close")),
    "hand-over": Sort(
        forms.HandOverForm,
        gettext_lazy("Hand over the matters of %(unit)s"),
        gettext_lazy("Hand over"),
        gettext_lazy(
            "Sites, recorders, schemes and the posts’ responsibilities are handed over today. Appointments are not."
        ),
    ),
}


def _asked_parts(request: HttpRequest) -> int:
    """Into how many a unit is to be divided; one more than before when that was asked for."""
    asked = request.POST.get("parts", "")
    parts = int(asked) if asked.isdecimal() and len(asked) < 3 else 2
    return min(max(parts + ("more" in request.POST), 2), _MOST_PARTS)


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: uuid.UUID, sort: str) -> HttpResponse:
    """The form of one sort of change of a unit."""
    unit = unit_seen_or_404(request.user, pk)
    require_in(request.user, Action.UNIT_EDIT, unit)
    how = SORTS.get(sort)
    if how is None:
        raise Http404
    if sort != "hand-over" and unit.valid_to is not None:
        messages.error(request, _("%(unit)s already has an end date.") % {"unit": unit})
        return redirect("organisation:unit", unit.pk)
    parts = _asked_parts(request) if sort == "split" else 0
    options = {"parts": parts} if parts else {}
    more = bool(parts) and "more" in request.POST
    data, first = (None, request.POST.dict()) if more else (request.POST or None, None)
    form = how.form(request.user, unit, data, initial=first, **options)
    if request.method == "POST" and not more and (shown := form.carried_out()) is not None:
        messages.success(request, _("Recorded. You can undo it today, under History."))
        return redirect("organisation:unit", shown.pk)
    kinds = [unit.kind] if sort != "add" else list(UnitKind)[list(UnitKind).index(UnitKind(unit.kind)) :]
    context = {
        "form": form,
        "heading": how.heading % {"unit": unit},
        "button": how.button,
        "explanation": how.explanation,
        "back": reverse("organisation:unit", args=[unit.pk]),
        "back_label": str(unit),
        "type_names": [name for kind in kinds for name in forms.TYPE_NAMES[UnitKind(kind)]],
        "parts": parts,
        "more_parts": 0 < parts < _MOST_PARTS,
        "active_place": PLACE,
    }
    return render(request, "organisation/form.html", context)


@require_POST
def undo_change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Undoes a change of today."""
    change = get_object_or_404(Change.objects.filter(units__in=units_seen(request.user)).distinct(), pk=pk)
    try:
        undo(change, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Undone."))
    came_from = request.POST.get("from", "")
    try:
        back = units_seen(request.user).filter(pk=uuid.UUID(came_from)).first()
    except ValueError:
        back = None
    return redirect("organisation:unit", back.pk) if back else redirect("organisation:tree")


@require_GET
def matters(request: HttpRequest) -> HttpResponse:
    """What is still held or registered at units that ended."""
    if not decides(request.user):
        raise PermissionDenied(str(Action.UNIT_EDIT))
    found = all_open(request.user)
    units = Unit.objects.filter(pk__in=[unit.pk for unit, _matters in found])
    editable = set(visible(request.user, Action.UNIT_EDIT, units))
    rows = [(unit, open_there, unit in editable) for unit, open_there in found]
    return render(request, "organisation/matters.html", {"rows": rows, "active_place": PLACE})
