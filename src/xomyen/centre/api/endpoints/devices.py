"""What is asked of recorders: how they are, which cameras they find, what a stream is like; no pictures."""

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from xomyen.bus.device_messages import JobState
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.camera_schemas import CameraOut
from xomyen.centre.api.endpoints.cameras import answer, camera_seen
from xomyen.centre.api.endpoints.nodes import node_seen
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.rows import filled
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.audit.services import record
from xomyen.centre.cameras import nodes
from xomyen.centre.cameras.forms import TakeOverForm
from xomyen.centre.cameras.models import Acceptance, Camera, Node, Owner
from xomyen.centre.cameras.values import hosts_of, stream_parts
from xomyen.centre.cameras.words import device_trouble
from xomyen.centre.link import devices
from xomyen.centre.link.ask import configuration
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.CAMERAS_DISCOVER), tags=["devices"])
_LOOK_S = 2.0
_Text = Annotated[str, Field(max_length=500)]
_Secret = Annotated[str, Field(max_length=200)]
_User = Annotated[str, Field(max_length=200)]


class PartOut(Schema):
    """A process of the recorder."""

    name: str
    running: bool
    restarts: int


class StrangerOut(Schema):
    """A camera that the recorder has and the centre does not."""

    id: uuid.UUID
    name: str


class NodeNowOut(Schema):
    answers: bool
    parts: list[PartOut]
    strangers: list[StrangerOut]


class TakingOver(Closed):
    """What a camera that only its recorder knows still needs."""

    site: uuid.UUID
    code: _Text
    name: _Text
    purpose: _Text
    owner: Owner = Owner("commune")
    owner_name: _Text = ""
    camera_class: uuid.UUID
    is_public: bool = True
    acceptance: Acceptance = Acceptance("planned")


class Searching(Closed):
    """Where to look, and with which user and password to ask what is found. Without addresses: what answers by itself.

    An address is 192.168.1.20, 192.168.1.0/24 or 192.168.1.20-192.168.1.40.
    """

    addresses: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=64)] = []
    user: _User = ""
    password: _Secret = ""


class Probing(Closed):
    """A stream's address; user and password beside it or in it."""

    url: _Text
    user: _User = ""
    password: _Secret = ""


class ProfileOut(Schema):
    """A stream that a device offers."""

    token: str
    name: str
    codec: str | None
    width: int
    height: int
    url: str
    ptz: bool


class DeviceOut(Schema):
    address: str
    onvif_url: str
    name: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    profiles: list[ProfileOut]
    fault: str  # code of why it told no more


class MeasuredOut(Schema):
    """What a stream is like."""

    codec: str
    width: int
    height: int
    frame_rate: float | None
    gop_s: float | None
    bit_rate: int | None


class JobOut(Schema):
    """A search or a look at a stream; ask again until its phase is no longer `running`."""

    job: uuid.UUID
    kind: str
    phase: str
    done: int  # of `total`
    total: int
    fault: str
    trouble: str  # the same in the caller's language
    devices: list[DeviceOut]
    measured: MeasuredOut | None


@router.get("/nodes/{node}/now", response=NodeNowOut, auth=bearer(Scope.CAMERAS_READ))
def get_node_now(request: HttpRequest, node: uuid.UUID) -> Any:
    """What a recorder says of itself now. Scope `cameras:read`."""
    told = nodes.look(node_seen(request, node))
    return {
        "answers": not told.away,
        "parts": told.health.parts if told.health else [],
        "strangers": [{"id": one.config.id, "name": one.config.name} for one in told.strangers],
    }


@router.post("/nodes/{node}/strangers/{camera}/take-over", response={201: CameraOut}, auth=bearer(Scope.CAMERAS_WRITE))
def take_over(request: HttpRequest, node: uuid.UUID, camera: uuid.UUID, body: TakingOver) -> Any:
    """Gives a camera that only its recorder knows a place, a purpose and an owner. Scope `cameras:write`."""
    found = node_seen(request, node)
    require(request.user, Action.CAMERA_EDIT, found)
    if Camera.objects.filter(pk=camera).exists():
        raise Http404
    known = configuration(found.pk, lambda asked: asked.camera(str(camera)), _LOOK_S)
    taken = filled(TakeOverForm(body.model_dump(), person=request.user, node=found)).save(commit=False)
    nodes.take_over(taken, known, request.user)
    return Status(201, answer(request, camera_seen(request, taken.pk)))


@router.post("/nodes/{node}/searches", response={201: JobOut})
def search_cameras(request: HttpRequest, node: uuid.UUID, body: Searching) -> Any:
    """Begins to look for cameras on the recorder's networks. Scope `cameras:discover`."""
    found = _searched(request, node)
    begun = devices.begin_search(
        found, tuple(body.addresses), devices.credentials(found, body.user.strip(), body.password)
    )
    record("camera.discover", thing=found, details={"addresses": " ".join(body.addresses)})
    return Status(201, _job(begun))


@router.post("/nodes/{node}/probes", response={201: JobOut})
def probe_stream(request: HttpRequest, node: uuid.UUID, body: Probing) -> Any:
    """Begins to measure a stream; pictures of it are shown on the pages alone. Scope `cameras:discover`."""
    found = _searched(request, node)
    url, user, password = stream_parts(body.url)
    if not url:
        raise Problem(422, "address_missing")
    known = devices.credentials(found, body.user.strip() or user, body.password or password)
    begun = devices.begin_probe(found, url, known)
    record("camera.probe", thing=found, details={"host": " ".join(hosts_of(url))})
    return Status(201, _job(begun))


@router.get("/nodes/{node}/jobs/{job}", response=JobOut)
def get_job(request: HttpRequest, node: uuid.UUID, job: uuid.UUID) -> Any:
    """How far a search or a look at a stream has come. Scope `cameras:discover`."""
    return _job(devices.job(_searched(request, node), job))


def _searched(request: HttpRequest, key: uuid.UUID) -> Node:
    found = node_seen(request, key)
    require(request.user, Action.CAMERA_DISCOVER, found)
    return found


def _job(state: JobState) -> dict[str, Any]:
    names = ("job", "kind", "phase", "done", "total", "fault", "devices")
    trouble = device_trouble(state.fault, state.message) if state.fault else ""
    return {name: getattr(state, name) for name in names} | {"trouble": trouble, "measured": state.seen}
