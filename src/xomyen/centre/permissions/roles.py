"""The roles of the domain, what each allows, and within which limits pictures may be seen."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from xomyen.centre.permissions.actions import Action


class Role(models.TextChoices):
    """What somebody is, at a unit or a post, for a time."""

    GROUP_HEAD = "group_head", _("head of a residential group")
    SECURITY_TEAM = "security_team", _("grassroots security team")
    DUTY_OFFICER = "duty_officer", _("duty officer")
    DUTY_COMMANDER = "duty_commander", _("duty commander")
    INVESTIGATOR = "investigator", _("investigator")
    POLICE_HEAD = "police_head", _("head or deputy head of the commune police")
    COMMITTEE_CHAIR = "committee_chair", _("chairman of the People's Committee")
    STEERING_MEMBER = "steering_member", _("member of the steering board")
    COMMAND_CENTRE = "command_centre", _("province command centre")
    TECHNICIAN = "technician", _("technical department")
    AUDITOR = "auditor", _("auditor")
    ADMINISTRATOR = "administrator", _("system administrator")
    SCREEN = "screen", _("paired screen")


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How pictures may be seen."""

    greatest_width: int | None = None  # pixels
    past: datetime.timedelta | None = None  # how far back; None: all that is kept
    public_only: bool = False  # only cameras marked as public
    masked: bool = True  # private zones are blackened

    def widest(self, other: "PictureLimits") -> "PictureLimits":
        """What somebody with both roles may see."""
        width = (
            None
            if None in (self.greatest_width, other.greatest_width)
            else max(self.greatest_width or 0, other.greatest_width or 0)
        )
        past = None if None in (self.past, other.past) else max(self.past or _NO_PAST, other.past or _NO_PAST)
        return PictureLimits(width, past, self.public_only and other.public_only, self.masked and other.masked)


_NO_PAST = datetime.timedelta(0)


@dataclass(frozen=True, slots=True)
class RoleRule:
    """One row of the table."""

    actions: frozenset[Action]
    pictures: PictureLimits = PictureLimits()
    officer: bool = True  # needs a second factor
    turns_before: int = 10  # of two who turn a camera, the higher takes it from the other


_SEE = frozenset({Action.CAMERA_SEE, Action.UNIT_SEE})
_WATCH = _SEE | {Action.VIEW_LIVE, Action.VIEW_PAST, Action.SEARCH, Action.STILL, Action.BOOKMARK, Action.NODE_SEE}
_DUTY = _WATCH | {Action.CLIP, Action.EXPORT, Action.PTZ, Action.USER_SEE}
_COMMAND = _DUTY | {Action.SCREEN_PAIR, Action.LAYOUT_EDIT}

RULES: dict[Any, RoleRule] = {
    Role.GROUP_HEAD: RoleRule(
        _SEE | {Action.VIEW_LIVE},
        PictureLimits(greatest_width=640, past=_NO_PAST, public_only=True),
        officer=False,
    ),
    Role.SCREEN: RoleRule(
        _SEE | {Action.VIEW_LIVE},
        PictureLimits(greatest_width=640, past=_NO_PAST, public_only=True),
        officer=False,
    ),
    Role.SECURITY_TEAM: RoleRule(
        _SEE | {Action.VIEW_LIVE, Action.STILL},
        PictureLimits(greatest_width=1280, past=_NO_PAST),
        officer=False,
    ),
    Role.DUTY_OFFICER: RoleRule(_DUTY),
    Role.DUTY_COMMANDER: RoleRule(_COMMAND, turns_before=20),
    Role.INVESTIGATOR: RoleRule(_DUTY),
    Role.POLICE_HEAD: RoleRule(
        _COMMAND
        | {
            Action.CAMERA_EDIT,
            Action.CAMERA_DISCOVER,
            Action.POST_EDIT,
            Action.SCHEME_EDIT,
            Action.USER_EDIT,
            Action.REGULATION_EDIT,
        },
        turns_before=30,
    ),
    Role.COMMITTEE_CHAIR: RoleRule(
        _SEE | {Action.VIEW_LIVE, Action.NODE_SEE, Action.USER_SEE, Action.SCHEME_EDIT, Action.REGULATION_EDIT}
    ),
    Role.STEERING_MEMBER: RoleRule(_SEE | {Action.VIEW_LIVE, Action.NODE_SEE}),
    Role.COMMAND_CENTRE: RoleRule(_COMMAND, turns_before=40),
    Role.TECHNICIAN: RoleRule(
        _SEE
        | {
            Action.VIEW_LIVE,
            Action.STILL,
            Action.PTZ,
            Action.CAMERA_EDIT,
            Action.CAMERA_ACCEPT,
            Action.CAMERA_DISCOVER,
            Action.NODE_SEE,
            Action.NODE_EDIT,
        }
    ),
    Role.AUDITOR: RoleRule(_SEE | {Action.NODE_SEE, Action.USER_SEE, Action.AUDIT_READ, Action.AUDIT_EXPORT}),
    # Keeps the system, and sees no pictures by that.
    Role.ADMINISTRATOR: RoleRule(
        _SEE
        | {
            Action.CAMERA_EDIT,
            Action.CAMERA_DISCOVER,
            Action.NODE_SEE,
            Action.NODE_EDIT,
            Action.UNIT_EDIT,
            Action.POST_EDIT,
            Action.SCHEME_EDIT,
            Action.USER_SEE,
            Action.USER_EDIT,
            Action.REGULATION_EDIT,
            Action.SCREEN_PAIR,
            Action.AUDIT_READ,
        }
    ),
}


def roles_with(action: Action) -> list[Role]:
    """The roles that allow the action somewhere."""
    return [role for role, rule in RULES.items() if action in rule.actions]
