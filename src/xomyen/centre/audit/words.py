"""The words of the audit log: what actions are called and which kind each is of."""

from typing import Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What people look for in the log; each action is of one kind."""

    SIGN_IN = "sign_in", _("Signing in and out")
    LIVE = "live", _("Live view")
    PAST = "past", _("Playback")
    SEARCH = "search", _("Search")
    STILL = "still", _("Still picture")
    CLIP = "clip", _("Clip")
    EXPORT = "export", _("Export")
    REFUSED = "refused", _("Refused")
    CHANGE = "change", _("Changes")
    PERMISSION = "permission", _("People and permissions")
    PAIRING = "pairing", _("Paired screens")
    AUDIT = "audit", _("Audit log")
    OTHER = "other", _("Other")


_LABELS: dict[str, Any] = {
    "account.signed_in": _("Signed in"),
    "account.signed_out": _("Signed out"),
    "account.sign_in_failed": _("Failed to sign in"),
    "account.locked": _("Locked after wrong passwords"),
    "account.second_factor_failed": _("Wrong code of the second factor"),
    "account.second_factor_locked": _("Locked after wrong codes of the second factor"),
    "account.second_factor_added": _("Second factor added"),
    "account.second_factor_removed": _("Second factor removed"),
    "account.second_factor_reset": _("Second factor replaced"),
    "account.password_changed": _("Password changed"),
    "account.connected": _("External account connected"),
    "account.disconnected": _("External account disconnected"),
    "account.entered_by_link": _("Signed in by a one-time link"),
    "account.second_factor_forgotten": _("Second factor reset"),
    "session.ended_everywhere": _("Signed out everywhere"),
    "regulation.accepted": _("Accepted the regulation on use"),
    "regulation.enacted": _("Regulation on use enacted"),
    "invitation.invitation": _("Invited"),
    "invitation.sign_in": _("One-time link made"),
    "invitation.set_up": _("Link for setting up made"),
    "screen.paired": _("Screen paired"),
    "screen.revoked": _("Screen revoked"),
    "screen.key_given": _("Screen registered its key"),
    "screen.key_changed": _("Key of the screen changed"),
    "node.sign_in": _("Signed in at the recorder"),
    "ticket.issued": _("Access ticket issued"),
    "ticket.refused": _("Refused by the recorder"),
    "tickets.ended": _("Recorder told that access has ended"),
    "tickets.ran_out": _("Recorder not reached: tickets ran out by themselves"),
    "page.refused": _("Attempted something their role does not allow"),
    "page.slowed": _("Asked for more pages or lists in a minute than one person may"),
    "camera.live": _("Watched live"),
    "camera.past": _("Watched playback"),
    "camera.timeline": _("Looked at the timeline"),
    "camera.search": _("Searched recordings"),
    "camera.still": _("Saved a still picture"),
    "camera.clip": _("Cut out a clip"),
    "camera.export": _("Exported footage"),
    "camera.ptz": _("Turned the camera"),
    "camera.discover": _("Searched the recorder's networks for cameras"),
    "camera.probe": _("Viewed a stream while setting up"),
    "camera.unmasked": _("Looked at a picture without masks"),
    "camera.bookmark": _("Added a bookmark"),
    "camera.bookmark_removed": _("Removed a bookmark"),
    "audit.read": _("Read the audit log"),
    "audit.exported": _("Exported the audit log"),
    "audit.gap": _("Access events of the recorder are missing"),
    "unit.imported": _("List of administrative units brought in"),
    "token.made": _("Access token made"),
    "box.backed_up": _("Backup of the box made"),
    "box.restored": _("Box restored from a backup"),
    "box.key_changed": _("Key for issuing tickets replaced"),
    "token.revoked": _("Access token revoked"),
}

_KINDS = {
    "ticket.refused": Kind.REFUSED,
    "page.refused": Kind.REFUSED,
    "page.slowed": Kind.REFUSED,
    "node.sign_in": Kind.SIGN_IN,
    "ticket.issued": Kind.OTHER,
    "camera.live": Kind.LIVE,
    "camera.past": Kind.PAST,
    "camera.timeline": Kind.SEARCH,  # where there is footage, and what moved
    "camera.search": Kind.SEARCH,
    "camera.still": Kind.STILL,
    "camera.clip": Kind.CLIP,
    "camera.export": Kind.EXPORT,
    "camera.ptz": Kind.OTHER,
    "camera.probe": Kind.STILL,
    "camera.unmasked": Kind.STILL,
    "camera.bookmark": Kind.OTHER,
    "box.backed_up": Kind.EXPORT,
    "unit.imported": Kind.CHANGE,
}
_KINDS_BY_BEGINNING = {
    "account": Kind.SIGN_IN,
    "session": Kind.SIGN_IN,
    "appointment": Kind.PERMISSION,
    "user": Kind.PERMISSION,
    "invitation": Kind.PERMISSION,
    "regulation": Kind.PERMISSION,
    "tickets": Kind.PERMISSION,
    "token": Kind.PERMISSION,
    "screen": Kind.PAIRING,
    "audit": Kind.AUDIT,
}
_THINGS: dict[str, Any] = {
    "unit": _("unit"),
    "unitlink": _("place of a unit in the tree"),
    "post": _("post"),
    "jurisdiction": _("jurisdiction of a post"),
    "mandatedocument": _("mandate document"),
    "scheme": _("camera scheme"),
    "user": _("person"),
    "appointment": _("role of a person"),
    "node": _("recorder"),
    "site": _("site"),
    "camera": _("camera"),
    "cameraclass": _("camera class"),
    "layout": _("layout of a wall"),
}


def kind_of(action: str) -> Kind:
    """The kind of an action, also of one that this version does not know."""
    found = _KINDS.get(action) or _KINDS_BY_BEGINNING.get(action.partition(".")[0])
    if found is not None:
        return Kind(found)
    return Kind(Kind.CHANGE if action.rpartition(".")[2] in ("added", "changed", "removed") else Kind.OTHER)


def label_of(action: str) -> str:
    """What people call the action, in their language; the bare word where there is no name for it."""
    if action in _LABELS:
        return str(_LABELS[action])
    thing, _dot, verb = action.rpartition(".")
    name = name_of(thing)
    texts = {
        "added": gettext("%(thing)s added"),
        "changed": gettext("%(thing)s changed"),
        "removed": gettext("%(thing)s removed"),
    }
    if not name or verb not in texts:
        return action
    return capfirst(texts[verb] % {"thing": name})


def name_of(model_name: str) -> str:
    """What things of a model are called, in the reader's language; empty where there is no name."""
    return str(_THINGS.get(model_name, ""))
