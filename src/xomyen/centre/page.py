"""What every page has: the way round for this person."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import held_by
from xomyen.centre.permissions.roles import RULES


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the way round."""

    label: Any
    url_name: str
    icon: str
    action: Action

    @property
    def url(self) -> str:
        return reverse(self.url_name)


PLACES = (
    Place(_("Live"), "watch:wall", "device-tv", Action.VIEW_LIVE),
    Place(_("Map"), "watch:map", "map-2", Action.CAMERA_SEE),
    Place(_("Bookmarks"), "watch:bookmark_list", "bookmark", Action.BOOKMARK),
    Place(_("Organisation"), "organisation:tree", "sitemap", Action.UNIT_SEE),
    Place(_("Cameras"), "cameras:list", "device-cctv", Action.CAMERA_SEE),
    Place(_("Recorders"), "cameras:nodes", "server", Action.NODE_SEE),
    Place(_("People"), "accounts:people", "users", Action.USER_SEE),
    Place(_("Screens"), "accounts:screens", "device-desktop", Action.SCREEN_PAIR),
    Place(_("Regulations on use"), "accounts:regulation_list", "file-certificate", Action.REGULATION_EDIT),
    Place(_("Audit log"), "audit:list", "list-search", Action.AUDIT_READ),
)
_OF_SCREENS = ("watch:wall", "watch:map")
"""A paired screen is nobody elsewhere."""


def page(request: HttpRequest) -> dict[str, Any]:
    """The places this person may go, and where they are."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return {"places": ()}
    if getattr(person, "is_screen", False):
        return {"places": [place for place in PLACES if place.url_name in _OF_SCREENS]}
    actions = {action for held in held_by(person) for action in RULES[held.role].actions}
    return {"places": [place for place in PLACES if place.action in actions]}
