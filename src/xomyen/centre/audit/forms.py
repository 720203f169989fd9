"""What the log can be narrowed down by."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xomyen.centre.audit.queries import Wanted
from xomyen.centre.audit.words import Kind
from xomyen.terms.time import NS_PER_SECOND


class FilterForm(forms.Form):
    """The filters of the list, in the address of the page."""

    who = forms.CharField(label=_("Who"), required=False, max_length=100)
    kind = forms.ChoiceField(label=_("What"), required=False, choices=[("", _("Everything")), *Kind.choices])
    unit = forms.CharField(label=_("Unit"), required=False, max_length=100)
    camera = forms.CharField(label=_("Camera"), required=False, max_length=100)
    since = forms.DateTimeField(label=_("From time"), required=False)
    until = forms.DateTimeField(label=_("Until time"), required=False)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, field in self.fields.items():
            if name in ("since", "until"):
                # Browsers have a picker of their own for this, and this one form for its value.
                field.widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S")
                field.widget.input_type = "datetime-local"
                field.widget.attrs["step"] = "1"
            chosen = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if chosen else "form-control"

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        since, until = values.get("since"), values.get("until")
        if since and until and since >= until:
            self.add_error("until", _("The end is before the start."))
        return values

    def wanted(self) -> Wanted:
        """What a valid form asks for."""
        values = self.cleaned_data
        return Wanted(
            who=values["who"],
            kind=values["kind"],
            unit=values["unit"],
            camera=values["camera"],
            from_ns=_ns(values["since"]),
            to_ns=_ns(values["until"]),
        )


def _ns(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) * NS_PER_SECOND
