"""Tags of the pages: built files, icons, and the words of permissions."""

import functools
import json
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may

register = template.Library()


@functools.cache
def _manifest() -> dict[str, Any]:
    """What Vite built: source file to its hashed files."""
    file: Path = settings.BUILT / "manifest.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _css(entry: dict[str, Any]) -> list[str]:
    sheets = list(entry.get("css", ()))
    for name in entry.get("imports", ()):
        sheets += _css(_manifest()[name])
    return sheets


@register.simple_tag
def built(name: str) -> SafeString:
    """The script of an entry, such as `src/centre/main.ts`, and its styles, in the order to load them."""
    entry = _manifest()[name]
    styles = format_html_join(
        "\n", '<link rel="stylesheet" href="{}">', ((static(sheet),) for sheet in dict.fromkeys(_css(entry)))
    )
    return format_html('{}\n<script type="module" src="{}"></script>', styles, static(entry["file"]))


@functools.cache
def _icon(name: str) -> SafeString:
    file: Path = settings.BUILT / "icons" / f"{name}.svg"
    return mark_safe(file.read_text(encoding="utf-8"))  # noqa: S308  # our own file


@register.simple_tag
def icon(name: str) -> SafeString:
    """A Tabler icon, drawn in the colour of the text; it says nothing by itself to screen readers."""
    return format_html('<span class="icon-box" aria-hidden="true">{}</span>', _icon(name))


@register.simple_tag(takes_context=True)
def allowed(context: template.Context, action: str, thing: Any = None) -> bool:
    """Whether the one who looks may do this: `{% allowed "camera.edit" camera as can_edit %}`."""
    return may(context["request"].user, Action(action), thing)
