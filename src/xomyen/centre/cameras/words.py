"""What nodes answer, in words for people."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xomyen.centre.cameras.desired import LABELS
from xomyen.centre.cameras.models import Camera, Standing

_REFUSALS = {
    "name": gettext_lazy("Another camera of this recorder is called so already. Choose another name."),
    "cameras": gettext_lazy("The recorder takes no more cameras. Choose another recorder, or raise its limit."),
    "main": gettext_lazy("The address of the main stream cannot be used. Correct it."),
    "sub": gettext_lazy("The address of the sub-stream cannot be used. Correct it."),
    "user": gettext_lazy("The user name cannot be used: it must not hold a colon."),
    "sealed_password": gettext_lazy("The password was sealed to another recorder. Type it again."),
    "volume": gettext_lazy("The recorder does not have the disk it was to record on."),
}

_STATES = {
    "connecting": (gettext_lazy("connecting"), "secondary"),
    "recording": (gettext_lazy("recording"), "success"),
    "lost": (gettext_lazy("no picture"), "danger"),
    "not_recording": (gettext_lazy("not recording"), "danger"),
    "disabled": (gettext_lazy("switched off"), "secondary"),
}
_REASONS = {
    "camera_silent": gettext_lazy("connected, but no picture comes"),
    "refused": gettext_lazy("the camera refused: check its user, password and address"),
    "network": gettext_lazy("the camera cannot be reached over the network"),
    "node_stopped": gettext_lazy("the recorder was not running"),
    "disk": gettext_lazy("the disk is full or failing"),
    "policy": gettext_lazy("switched off on purpose"),
}


def refusal(camera: Camera) -> str:
    """Why a node did not take the camera, and what to do; empty when it did."""
    if camera.standing != Standing.REFUSED:
        return ""
    known = _REFUSALS.get(camera.refused_field.partition(".")[0])
    return str(known) if known else _("The recorder did not take it. Its own words stand below.")


def clashes(camera: Camera) -> str:
    """The parts that were changed on both sides."""
    parts = [part for part in camera.refused_field.split(",") if part in LABELS]
    return ", ".join(str(LABELS[part]) for part in parts) if camera.standing == Standing.CHANGED else ""


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a stream was when its node told last."""

    label: str
    state: str
    colour: str
    reason: str
    detail: str
    since: datetime.datetime
    size: str


def stream_states(camera: Camera) -> list[StreamState]:
    """The camera's streams, the main one first; none while its node does not answer."""
    if camera.node is None or not camera.node.answers:
        return []
    labels = {"main": _("Main stream"), "sub": _("Sub-stream")}
    return [_state(labels[name], camera.streams[name]) for name in labels if name in camera.streams]


def _state(label: str, told: dict[str, Any]) -> StreamState:
    words, colour = _STATES.get(told["state"], (told["state"], "secondary"))
    since = datetime.datetime.fromtimestamp(told["since_ns"] // 1_000_000_000, datetime.UTC)
    codec = {"h264": "H.264", "h265": "H.265"}.get(told.get("codec") or "", "")
    size = f"{told['width']} × {told['height']} {codec}".strip() if told.get("width") else ""
    reason = str(_REASONS.get(told.get("reason") or "", ""))
    return StreamState(label, str(words), colour, reason, told.get("detail") or "", since, size)
