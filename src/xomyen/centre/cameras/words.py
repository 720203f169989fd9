"""What nodes answer, in words for people."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xomyen.centre.cameras.desired import LABELS
from xomyen.centre.cameras.models import Camera, Standing
from xomyen.terms.words import RESTING, CameraState

_REFUSALS = {
    "name": gettext_lazy("Another camera on this recorder already has this name. Choose another name or code."),
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
    return str(known) if known else _("The recorder did not accept it. Its own message is below.")


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
    detail = told.get("detail") or ""
    if told["state"] == CameraState.CONNECTING and detail == RESTING:
        words, reason, detail = _("ready"), _("read from the camera only while somebody watches"), ""
    return StreamState(label, str(words), colour, reason, detail, since, size)


_TROUBLE = {
    "not_running": gettext_lazy("The recorder does not answer. Try again when it is back."),
    "unknown_job": gettext_lazy("This search is over. Begin a new one."),
    "devices_busy": gettext_lazy("The recorder is busy with other searches. Try again in a minute."),
    "ptz_held": gettext_lazy("Somebody else is controlling this camera. Wait until they are done."),
    "camera_request_refused": gettext_lazy("The camera refused this; it may not be able to turn that way."),
    "camera_action_not_supported": gettext_lazy("This camera cannot do that, or has no such position."),
    "unknown_camera": gettext_lazy("The recorder does not have this camera yet; type the password."),
    "camera_connection_refused": gettext_lazy("Nothing answers at this address and port. Check both."),
    "camera_no_route": gettext_lazy("The recorder cannot reach this address. Check the address and the network."),
    "camera_wrong_password": gettext_lazy("The camera does not take this user name and password."),
    "camera_stream_not_found": gettext_lazy("The camera has no stream at this path. Check the part after the /."),
    "camera_not_rtsp": gettext_lazy("What answers there is not a camera stream. Check the port; it is usually 554."),
    "camera_codec_not_supported": gettext_lazy("The stream is neither H.264 nor H.265. Set one in the camera."),
    "camera_no_keyframe": gettext_lazy(
        "No complete picture arrived in time. Set the camera to send a keyframe every 2 seconds."
    ),
    "camera_timeout": gettext_lazy("The camera did not answer in time."),
    "camera_busy": gettext_lazy("The camera already has as many viewers as it allows. Close other connections to it."),
}


def device_trouble(code: str, message: str) -> str:
    """Why a camera or a search failed and what to do; the node's own words where there is no better."""
    known = _TROUBLE.get(code)
    if known is not None:
        return str(known)
    return _("The recorder could not do this. Its own message: %(message)s") % {"message": message}
