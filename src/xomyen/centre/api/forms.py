"""The form for a new access token."""

import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from xomyen.centre.api.scopes import Scope

_DAYS = ((7, _("a week")), (30, _("a month")), (90, _("three months")), (365, _("a year")))


class TokenForm(forms.Form):
    """What the token is for, what it may do, and until when."""

    name = forms.CharField(
        label=_("What for"), max_length=80, help_text=_("So that you know later which program uses it.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("Allowed to"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(label=_("Valid for"), choices=_DAYS, coerce=int, initial=30)

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.fields["name"].widget.attrs["class"] = "form-control"
        self.fields["days"].widget.attrs["class"] = "form-select"

    @property
    def lasts(self) -> datetime.timedelta:
        return datetime.timedelta(days=self.cleaned_data["days"])
