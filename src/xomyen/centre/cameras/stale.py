"""Two who change the same thing: the later one is told what the earlier one saved, and loses nothing that was typed."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from xomyen.centre.cameras.services import Stale

STATUS = 409
_HIDDEN = "–"


def shown_again(form: forms.BaseModelForm, make: Callable[[Any], forms.BaseModelForm], **version: Any) -> Any:
    """The form with what was typed and the newest version, which saying yes once more replaces.

    `make` makes it of data, with the newest row as its instance; `version` is what it then carries of that.
    """
    data = form.data.copy()
    data.update({name: str(value) for name, value in version.items()})
    again = make(data)
    theirs = [_there_now(again, name) for name in again.changed_data if not again.fields[name].widget.is_hidden]
    again.is_valid()
    text = _(
        "Somebody else has just changed this. Nothing was saved yet: what you typed is still below. Saving again "
        "replaces what is there now."
    )
    again.add_error(None, Stale(f"{text} {'; '.join(theirs)}".strip()))
    return again


def _there_now(form: forms.BaseModelForm, name: str) -> str:
    field = form.fields[name]
    value = form.get_initial_for_field(field, name)
    if isinstance(field, forms.ModelChoiceField):
        value = getattr(form.instance, name)
    elif isinstance(field, forms.ChoiceField):
        value = dict(field.choices).get(value, value)
    elif isinstance(value, bool):
        value = _("yes") if value else _("no")
    return f"{capfirst(str(field.label))}: {_HIDDEN if value in (None, '') else value}"


def is_stale(form: forms.BaseForm) -> bool:
    """Whether the form is shown again for this."""
    return form.has_error("__all__", "stale")
