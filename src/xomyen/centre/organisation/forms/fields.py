"""How the fields of forms look, and days as people name them."""

import datetime
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from xomyen.centre.organisation.models import MandateDocument, Unit
from xomyen.centre.organisation.services.recording import Entry

_DAY = datetime.timedelta(days=1)


class DayField(forms.DateField):
    """A day, chosen in the browser's calendar."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class LastDayField(DayField):
    """The last day of something; its value is the day after, when it does not hold any more."""

    def to_python(self, value: Any) -> datetime.date | None:
        day: datetime.date | None = super().to_python(value)
        return day + _DAY if day else None

    def prepare_value(self, value: Any) -> Any:
        return value - _DAY if isinstance(value, datetime.date) else value


class UnitsField(forms.ModelMultipleChoiceField):
    """Several units, with their codes."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, unit: Unit) -> str:
        return f"{unit} ({unit.code})"


class UnitField(forms.ModelChoiceField):
    """One unit, with its code."""

    def __init__(self, queryset: Any, **options: Any) -> None:
        super().__init__(queryset, **{"empty_label": gettext_lazy("Choose…"), **options})

    def label_from_instance(self, unit: Unit) -> str:
        return f"{unit} ({unit.code})"


def dress(form: forms.BaseForm) -> None:
    """Gives each field the look of its kind."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple)):
            widget.attrs.setdefault("class", "form-check-input")
        elif isinstance(widget, forms.Select):
            widget.attrs.setdefault("class", "form-select")
        else:
            widget.attrs.setdefault("class", "form-control")


class ServiceForm(forms.Form):
    """A form whose service may find fault with what was filled in."""

    carry_out: Callable[[], Any]
    """Each form's own: does it and returns the row to show then. Raises ValidationError."""

    def __init__(self, person: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.person = person

    def prepare(self) -> None:
        """Sets choices and first values; the form's own."""

    def carried_out(self) -> Any:
        """The row to show after it was done; None: something is wrong, and the form says what."""
        if not self.is_valid():
            return None
        try:
            return self.carry_out()
        except ValidationError as error:
            for text in error.messages:
                self.add_error(None, text)
            return None


class Asked(ServiceForm):
    """A form about one unit."""

    def __init__(self, person: Any, unit: Unit, *arguments: Any, **options: Any) -> None:
        super().__init__(person, *arguments, **options)
        self.unit = unit
        self.prepare()
        dress(self)

    def entry(self) -> Entry:
        data = self.cleaned_data
        return Entry(self.person, data["day"], data.get("document"), data.get("basis", ""))


def papers_of(unit: Unit) -> Any:
    """The papers on which a change of the unit may rest: its own and those of units above it."""
    return MandateDocument.objects.filter(unit__in=Unit.objects.above(unit.pk))
