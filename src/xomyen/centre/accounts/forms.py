"""Forms about people."""

import datetime
from typing import Any

from allauth.account.forms import ChangePasswordForm, SetPasswordForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from xomyen.centre.accounts.models import PairedScreen, Regulation, User
from xomyen.centre.accounts.screens import waiting_with
from xomyen.centre.dates import today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import Post, Unit, UnitKind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units
from xomyen.centre.permissions.giving import may_give, may_pair, roles_given
from xomyen.centre.permissions.roles import Role


class OtherPasswordForm(ChangePasswordForm):
    """Another password in place of the one there is, with labels as on our other pages."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.fields["oldpassword"].label = _("Current password")
        _label_new(self)


class FirstPasswordForm(SetPasswordForm):
    """A password for somebody who has signed in without one."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        _label_new(self)


def _label_new(form: forms.Form) -> None:
    form.fields["password1"].label = _("New password")
    form.fields["password2"].label = _("Repeat the password")


class NewPasswordForm(forms.Form):
    """A password typed twice, checked against what nobody should use."""

    password1 = forms.CharField(
        label=_("New password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        strip=False,
        help_text=_("At least 12 characters. A short sentence is easy to keep in mind and hard to guess."),
    )
    password2 = forms.CharField(
        label=_("Repeat the password"), widget=forms.PasswordInput({"autocomplete": "new-password"}), strip=False
    )

    def __init__(self, user: User, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._user = user

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, self._user)
        return password

    def clean_password2(self) -> str:
        password: str = self.cleaned_data["password2"]
        first = self.cleaned_data.get("password1")
        if first is not None and first != password:
            raise forms.ValidationError(_("The two passwords differ."))
        return password

    def save(self) -> User:
        self._user.set_password(self.cleaned_data["password1"])
        self._user.save(update_fields=["password"])
        return self._user


class TypedUnitForm(forms.Form):
    """A unit that is in no list yet."""

    code = forms.RegexField(
        r"^[0-9A-Z.-]+$",
        label=_("Code"),
        max_length=20,
        help_text=_("The official code: 5 digits for a commune or ward, 2 for a province."),
        error_messages={"invalid": _("Digits, capital letters, dots and hyphens only.")},
    )
    kind = forms.ChoiceField(label=_("Level"), choices=UnitKind.choices, initial=UnitKind.COMMUNE)
    type_name = forms.CharField(
        label=_("Type"), max_length=40, help_text=_("As written before the name: Xã, Phường, Tỉnh")
    )
    name = forms.CharField(label=_("Name"), max_length=120)

    def unit(self) -> Unit | None:
        """The unit, not saved; None if what was typed cannot be one."""
        if not self.is_valid():
            return None
        return Unit(official=self.cleaned_data["kind"] != UnitKind.GROUP, **self.cleaned_data)


class PersonForm(forms.ModelForm):
    """Who somebody is."""

    class Meta:
        model = User
        fields: tuple[str, ...] = ("full_name", "username", "rank", "phone")
        labels = {
            "full_name": _("Full name"),
            "username": _("User name"),
            "rank": _("Rank and position"),
            "phone": _("Telephone"),
        }
        help_texts = {"username": _("Lower-case letters without diacritics, digits and dots; for example tung.dk")}
        widgets = {
            "full_name": forms.TextInput({"autocomplete": "off"}),
            "username": forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
            "phone": forms.TextInput({"inputmode": "tel"}),
        }
        error_messages = {
            "username": {
                "unique": _("This user name is taken."),
                "invalid": _("At least three lower-case letters without diacritics, digits or dots, without spaces."),
            }
        }

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        return name.strip().casefold()


class FirstOfficerForm(PersonForm):
    """The person who sets the centre up, with a password."""

    password1 = NewPasswordForm.base_fields["password1"]
    password2 = NewPasswordForm.base_fields["password2"]

    class Meta(PersonForm.Meta):
        fields = ("full_name", "rank", "username")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, second = values.get("password1"), values.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords differ."))
        if first:
            try:
                name = values.get("full_name", "")
                validate_password(first, User(username=values.get("username", ""), full_name=name, folded=fold(name)))
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return dict(values)

    def person(self) -> User:
        """The person with the password, not saved."""
        person: User = self.save(commit=False)
        person.set_password(self.cleaned_data["password1"])
        return person


class PlacedForm(forms.Form):
    """A form in which a unit or a post is chosen."""

    place = forms.CharField(widget=forms.HiddenInput, error_messages={"required": _("Choose a unit or a post.")})

    def chosen(self) -> Any:
        """The unit or post that was chosen (`unit:<id>` or `post:<id>`); None if it is none."""
        kind, _colon, key = str(self.data.get("place", "")).partition(":")
        model: Any = {"unit": Unit, "post": Post}.get(kind)
        try:
            return None if model is None else model.objects.filter(pk=key).first()
        except forms.ValidationError:
            return None

    def clean_place(self) -> str:
        if self.chosen() is None:
            raise forms.ValidationError(_("Choose a unit or a post."))
        return str(self.cleaned_data["place"])


class AppointmentForm(PlacedForm):
    """A role at a unit or a post for a time; only what whoever appoints may give."""

    role = forms.ChoiceField(label=_("Role"))
    valid_from = forms.DateField(label=_("From"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    last_day = forms.DateField(
        label=_("Until and including"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave empty if there is no end date."),
    )

    def __init__(self, by: User, data: Any = None) -> None:
        super().__init__(data, initial={"valid_from": today()})
        self._by = by
        roles: Any = self.fields["role"]
        roles.choices = [("", _("Choose…")), *((role.value, role.label) for role in roles_given(by))]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        place = self.chosen()
        if place is not None and values.get("role") and not may_give(self._by, Role(values["role"]), place):
            self.add_error("place", _("You may not give this role there."))
        first, last = values.get("valid_from"), values.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        return dict(values)

    def appointed(self) -> tuple[Role, Any, datetime.date, datetime.date | None]:
        """Role, place, first day, and the day before which it ends."""
        last = self.cleaned_data["last_day"]
        until = last + datetime.timedelta(days=1) if last else None
        return Role(self.cleaned_data["role"]), self.chosen(), self.cleaned_data["valid_from"], until


class PairForm(PlacedForm):
    """Confirms the code that a screen shows."""

    code = forms.CharField(
        label=_("Code on the screen"),
        max_length=12,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Name of the screen"), max_length=120, help_text=_("For example: TV of the culture house")
    )

    screen: PairedScreen

    def __init__(self, by: User, data: Any = None, code: str = "") -> None:
        super().__init__(data, initial={"code": code})
        self._by = by

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        found = waiting_with(code)
        if found is None:
            raise forms.ValidationError(_("No screen is showing this code. Codes change every ten minutes."))
        self.screen = found
        return code

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        place = self.chosen()
        if place is not None and not may_pair(self._by, place):
            self.add_error("place", _("You may not pair a screen there."))
        return dict(values)


class RegulationForm(forms.Form):
    """A version of a regulation on use."""

    unit = forms.ModelChoiceField(
        Unit.objects.none(), label=_("Unit"), help_text=_("It applies to all units below it as well.")
    )
    title = forms.CharField(label=_("Title"), max_length=200)
    number = forms.CharField(label=_("Number of the decision"), max_length=60, required=False)
    valid_from = forms.DateField(label=_("In force from"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    text = forms.CharField(label=_("Text"), widget=forms.Textarea({"rows": 16}))

    def __init__(self, by: User, data: Any = None, before: Regulation | None = None) -> None:
        initial: dict[str, Any] = {"valid_from": today()}
        if before is not None:
            initial |= {"unit": before.unit_id, "title": before.title, "number": before.number, "text": before.text}
        super().__init__(data, initial=initial)
        units: Any = self.fields["unit"]
        # Residential groups follow the regulation of their commune.
        units.queryset = (
            Unit.objects.on(today())
            .filter(id__in=allowed_units(by, Action.REGULATION_EDIT))
            .exclude(kind=UnitKind.GROUP)
            .order_by("kind", "code")
        )
        units.empty_label = _("Choose…")
        only = units.queryset[:2]
        if before is None and len(only) == 1:
            self.initial["unit"] = only[0].pk

    def clean_valid_from(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["valid_from"]
        if day < today():
            raise forms.ValidationError(_("It can take effect today at the earliest."))
        return day
