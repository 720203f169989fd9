"""Form fields in the look of our pages."""

from typing import Any

from django import forms, template
from django.utils.safestring import SafeString

register = template.Library()

_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxInput, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.Select, "form-select"),
)


# The first that occurs counts: browsers also name those they take after.
_BROWSERS = (
    ("Edg/", "Edge"), ("coc_coc", "Cốc Cốc"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def control(field: forms.BoundField) -> SafeString:
    """The field's control, tied to its help and errors for those who listen to the page."""
    widget = field.field.widget
    look = next((look for kind, look in _CLASSES if isinstance(widget, kind)), "form-control")
    attributes = {"class": f"{widget.attrs.get('class', '')} {look}{' is-invalid' if field.errors else ''}".strip()}
    if "placeholder" in widget.attrs:
        # allauth's repeat the label, and look as if something were typed already.
        del widget.attrs["placeholder"]
    told = [f"{field.auto_id}_help"] * bool(field.help_text) + [f"{field.auto_id}_errors"] * bool(field.errors)
    if told:
        attributes["aria-describedby"] = " ".join(told)
    return field.as_widget(attrs=attributes)


@register.filter
def is_tick(field: forms.BoundField) -> bool:
    """Whether it is a box to tick, whose label comes behind it."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def device(session: Any) -> str:
    """The browser and system of a session in two words, of what the browser says of itself."""
    told = session.user_agent
    browser = next((name for mark, name in _BROWSERS if mark in told), "")
    system = next((name for mark, name in _SYSTEMS if mark in told), "")
    return " · ".join(part for part in (browser, system) if part) or told[:40] or "–"
