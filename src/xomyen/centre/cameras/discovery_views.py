"""Pages that find cameras on a recorder's networks and look at a stream before it is saved."""

import contextlib
import re
import uuid
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.bus.device_messages import DeviceFound, JobState, ProfileFound
from xomyen.centre.accounts.entry import shows_pictures
from xomyen.centre.audit.services import record
from xomyen.centre.cameras import looking
from xomyen.centre.cameras.factory_passwords import is_factory_password
from xomyen.centre.cameras.forms import Styled
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.cameras.node_views import PLACE, seen
from xomyen.centre.cameras.values import hosts_of, stream_parts, urls_in_force, without_secrets
from xomyen.centre.cameras.words import device_trouble
from xomyen.centre.link import devices
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require, visible
from xomyen.terms.errors import XomyenError

WATCH_S = 20.0
"""How long the picture of a stream moves once it was measured: to see where the camera looks, and turn it."""
_SESSION = "probe"
_NAMED = 6  # cameras beside a device
_SPACES = re.compile(r"[\s,;]+")


class SearchForm(Styled, forms.Form):
    """Where to look, and with which user and password to ask what is found."""

    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy(
            "Leave empty to find cameras that announce themselves. Or enter 192.168.1.20, 192.168.1.0/24 or a range "
            "from-to."
        ),
    )
    user = forms.CharField(label=gettext_lazy("User name on the cameras"), required=False, max_length=200)
    password = forms.CharField(
        label=gettext_lazy("Password on the cameras"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Cameras list their streams only for those who have the password."),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.style()

    def clean_addresses(self) -> tuple[str, ...]:
        found = tuple(one for one in _SPACES.split(self.cleaned_data["addresses"]) if one)
        if len(found) > 64 or any(len(one) > 64 for one in found):
            raise ValidationError(_("Give at most 64 addresses or ranges."))
        return found


def _node(request: HttpRequest, node: uuid.UUID) -> Node:
    found = seen(request, node)
    require(request.user, Action.CAMERA_DISCOVER, found)
    return found


@require_http_methods(["GET", "POST"])
def discover(request: HttpRequest, node: uuid.UUID) -> HttpResponse:
    """Begins to look for cameras."""
    found = _node(request, node)
    form = SearchForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            known = devices.credentials(found, values["user"], values["password"])
            begun = devices.begin_search(found, values["addresses"], known)
        except XomyenError as error:
            form.add_error(None, device_trouble(error.code, error.message))
        else:
            record("camera.discover", thing=found, details={"addresses": " ".join(values["addresses"])})
            # The password that was typed once serves for the cameras that are added next; it is sealed already.
            request.session["scan"] = {
                "node": str(found.pk),
                "user": known.user,
                "sealed": known.sealed_password,
                "factory_password": bool(known.sealed_password) and is_factory_password(values["password"], known.user),
            }
            return redirect("cameras:search", node, uuid.UUID(begun.job))
    return render(request, "cameras/discover.html", {"active_place": PLACE, "node": found, "form": form})


@require_GET
def search(request: HttpRequest, node: uuid.UUID, job: uuid.UUID) -> HttpResponse:
    """What was found until now; the page asks again while the search runs."""
    found = _node(request, node)
    content: dict[str, Any] = {"active_place": PLACE, "node": found, "job": job}
    try:
        state = devices.job(found, job)
    except XomyenError as error:
        content["trouble"] = device_trouble(error.code, error.message)
    else:
        cameras = cameras_of(found)
        content |= {
            "state": state,
            "percent": min(100, 100 * state.done // state.total) if state.total else None,
            "devices": [device_shown(device, cameras) for device in state.devices],
            "trouble": device_trouble(state.fault, state.message) if state.fault else "",
        }
    inner = request.headers.get("HX-Request") == "true"
    return render(request, "cameras/_search.html" if inner else "cameras/search.html", content)


def cameras_of(node: Node) -> list[Camera]:
    """The cameras with which found devices are compared."""
    rows = Camera.objects.filter(node=node).exclude(acceptance="retired")
    return list(rows.only("code", "name", "main_url", "sub_url", "onvif_address"))


def _known(device: DeviceFound, cameras: list[Camera]) -> dict[str, Camera]:
    """Cameras of the centre that are this device or a part of it, by what they share with it.

    Several may stand behind one address, such as those of a recorder of another make: streams tell them apart.
    """
    offered = {profile.url for profile in device.profiles if profile.url}
    found = {url: camera for camera in cameras for url in (camera.main_url, camera.sub_url) if url in offered}
    if found:
        return found
    own = {camera.onvif_address: camera for camera in cameras if camera.onvif_address == device.onvif_url != ""}
    if own or offered:
        return own
    return {camera.main_url: camera for camera in cameras if device.address in hosts_of(camera.main_url)}


def device_shown(device: DeviceFound, cameras: list[Camera]) -> dict[str, Any]:
    """A device with the streams to choose from: the widest first, the narrowest as sub-stream; those in use last."""
    known = _known(device, cameras)
    named = sorted(set(known.values()), key=str)
    usable = [profile for profile in device.profiles if profile.url and profile.codec is not None]
    usable.sort(key=lambda profile: (profile.url in known, -profile.width * profile.height))
    free = [profile for profile in usable if profile.url not in known]
    return {
        "device": device,
        "streams": [(profile.url, _label(profile, known.get(profile.url))) for profile in usable],
        "all_in_use": bool(usable) and not free,
        "sub": free[-1].url if len(free) > 1 else "",
        "ptz_profile": next((profile.token for profile in device.profiles if profile.ptz), ""),
        "cameras": named[:_NAMED],
        "more": len(named[_NAMED:]),
        "trouble": device_trouble(device.fault, device.message) if device.fault else "",
    }


def _label(profile: ProfileFound, camera: Camera | None) -> str:
    codec = profile.codec.value.upper().replace("H26", "H.26") if profile.codec else ""
    label = f"{profile.width} × {profile.height} {codec} {profile.name}".strip()
    return f"{label} – {camera}" if camera else label


@shows_pictures
@require_POST
def probe(request: HttpRequest) -> HttpResponse:
    """Begins to look at the stream that stands in the form of a camera."""
    require(request.user, Action.CAMERA_DISCOVER)
    content: dict[str, Any] = {}
    try:
        node = get_object_or_404(visible(request.user, Action.NODE_SEE, Node.objects.all()), pk=_key(request, "node"))
        require(request.user, Action.CAMERA_DISCOVER, node)
        camera = _of_page(request)
        address = request.POST.get("main_url", "").strip()
        if camera is not None and address == without_secrets(camera.main_url):
            address = camera.main_url
        url, user, password = stream_parts(address)
        if not url:
            raise ValidationError(_("Write the address of the main stream first."))
        typed = request.POST.get("password", "") or password
        if camera is not None and not typed and hosts_of(url) <= hosts_of(*urls_in_force(camera.in_force)):
            known = devices.credentials(node, "", "", camera)
        else:  # what is kept for a camera goes to that camera alone
            known = devices.credentials(node, request.POST.get("user", "").strip() or user, typed)
        _end_earlier(request, node)
        begun = devices.begin_probe(node, url, known, looking.guarded(request.user, node, camera), watch_s=WATCH_S)
        host = " ".join(hosts_of(url))
        record("camera.probe", thing=camera or node, details={"host": host})
        form = str(camera.pk) if camera else ""
        known_as = {"job": begun.job, "node": str(node.pk)}
        request.session[_SESSION] = {**known_as, "host": host, "url": without_secrets(url), "camera": form}
        content = {"node": node, "job": begun.job, "state": begun}
    except ValidationError as error:
        content["trouble"] = " ".join(error.messages)
    except XomyenError as error:
        content["trouble"] = device_trouble(error.code, error.message)
    return render(request, "cameras/_probe.html", content)


def _end_earlier(request: HttpRequest, node: Node) -> None:
    """A node looks at few streams at once: the one that this page looked at before is looked at no longer."""
    before = request.session.get(_SESSION) or {}
    if before.get("node") == str(node.pk):
        with contextlib.suppress(XomyenError):
            devices.stop(node, uuid.UUID(before["job"]))


def _key(request: HttpRequest, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get(name, ""))
    except ValueError as error:
        raise ValidationError(_("Choose the recorder first: it connects to the camera.")) from error


def _of_page(request: HttpRequest) -> Camera | None:
    """The camera whose form it is, if one may change it: its password serves when none is typed."""
    try:
        key = uuid.UUID(request.POST.get("camera", ""))
    except ValueError:
        return None
    found: Camera | None = visible(request.user, Action.CAMERA_EDIT, Camera.objects.filter(pk=key)).first()
    if found is not None and not may(request.user, Action.VIEW_LIVE, found):
        raise PermissionDenied(str(Action.VIEW_LIVE))
    return found


@shows_pictures
@require_GET
def probe_state(request: HttpRequest, node: uuid.UUID, job: uuid.UUID) -> HttpResponse:
    """How far the look at a stream has come."""
    found = _node(request, node)
    content: dict[str, Any] = {"node": found, "job": job}
    try:
        state = devices.job(found, job)
    except XomyenError as error:
        content["trouble"] = device_trouble(error.code, error.message)
    else:
        content["state"] = state
        # Who sees no live pictures here sees none while setting up either; what was measured says enough.
        begun = request.session.get(_SESSION) or {}
        own = begun.get("job") == str(job) and may(request.user, Action.VIEW_LIVE, found)
        content["pictures"] = own and bool(state.still) and not state.withheld
        over = state.phase != "running" and state.seen is not None
        content["withheld"] = own and state.withheld and over
        if content["pictures"] or content["withheld"]:
            _note(request, found, begun, state)
        content["trouble"] = device_trouble(state.fault, state.message) if state.fault else ""
    return render(request, "cameras/_probe.html", content)


def _note(request: HttpRequest, node: Node, begun: dict[str, str], state: JobState) -> None:
    """Puts on record, once, whether a picture was shown."""
    if begun.get("noted"):
        return
    camera = Camera.objects.filter(pk=begun["camera"]).first() if begun.get("camera") else None
    details = {"host": begun.get("host", ""), "reached": state.reached, "picture_shown": not state.withheld}
    record("camera.probe", thing=camera or node, details=details)
    if not state.withheld:
        for masked in looking.unmasked(begun["url"], node, camera):
            record("camera.unmasked", thing=masked, details={"masks": len(masked.masks)})
    request.session[_SESSION] = {**begun, "noted": "yes"}
