"""Forms about people."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from xomyen.centre.accounts.models import User


class NewPasswordForm(forms.Form):
    """A password typed twice, checked against what nobody should use."""

    password1 = forms.CharField(
        label=_("New password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        strip=False,
        help_text=_("At least 12 characters. A short sentence is easy to keep in mind and hard to guess."),
    )
    password2 = forms.CharField(
        label=_("The same password again"), widget=forms.PasswordInput({"autocomplete": "new-password"}), strip=False
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
