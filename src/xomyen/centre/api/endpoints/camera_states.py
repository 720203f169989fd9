"""How far a camera has come, what its recorder has of it, and who changed what of it."""

import datetime
import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.camera_schemas import CameraOut
from xomyen.centre.api.endpoints.cameras import answer, camera_seen
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.rows import listed, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.cameras import services
from xomyen.centre.cameras.desired import differences, records
from xomyen.centre.cameras.history import changes_of
from xomyen.centre.cameras.models import Acceptance, AcceptanceStep, Camera, Standing
from xomyen.centre.cameras.words import clashes, refusal, stream_states
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require

router = Router(auth=bearer(Scope.CAMERAS_READ), tags=["cameras"])
_WRITE = bearer(Scope.CAMERAS_WRITE)
_WITH_REASON = (Acceptance.SUSPENDED, Acceptance.RETIRED)


class StepOut(Schema):
    """A state that the camera came to."""

    id: uuid.UUID
    state: str
    at: datetime.datetime
    by: str  # name of who took the step; this and the note for those who see the recorder
    note: str


class StepPage(Schema):
    items: list[StepOut]
    next: str | None


class Step(Closed):
    """The next state, and why."""

    state: Acceptance
    note: Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")] = ""


class DifferenceOut(Schema):
    """What is wanted otherwise than the recorder has it, in words."""

    label: str
    wanted: str
    in_force: str


class StreamOut(Schema):
    """A stream as its recorder told last, in words."""

    label: str
    state: str
    reason: str
    since: datetime.datetime
    size: str


class StateOut(Schema):
    """How what is wanted stands to what the recorder has; words are in the caller's language."""

    standing: str
    since: datetime.datetime | None
    records: bool
    differences: list[DifferenceOut]
    refusal: str
    changed_on_both_sides: str
    streams: list[StreamOut]
    next_steps: list[str]  # the states to which one may bring it


class CameraChangeOut(Schema):
    """A save, and the names of what it changed."""

    at: datetime.datetime
    by: str
    what: list[str]


@router.get("/cameras/{camera}/state", response=StateOut)
def get_camera_state(request: HttpRequest, camera: uuid.UUID) -> Any:
    """How a camera is, and what its recorder has of it. Scope `cameras:read`."""
    found = camera_seen(request, camera)
    compared = found.in_force and found.standing != Standing.NOWHERE
    return {
        "standing": found.standing,
        "since": found.standing_since,
        "records": records(found),
        "differences": differences(found) if compared and may(request.user, Action.CAMERA_EDIT, found) else [],
        "refusal": refusal(found),
        "changed_on_both_sides": clashes(found),
        "streams": stream_states(found),
        "next_steps": services.steps_open_to(request.user, found),
    }


@router.get("/cameras/{camera}/steps", response=StepPage)
def list_steps(request: HttpRequest, camera: uuid.UUID, wanted: Query[Paged]) -> Any:
    """By which steps a camera came to its state, and who took them. Scope `cameras:read`."""
    found = camera_seen(request, camera)
    inside = _inside(request, found)

    def shown(step: AcceptanceStep) -> dict[str, Any]:
        return told(step, "state", "at", by=str(step.by or "") if inside else "", note=step.note if inside else "")

    return listed(AcceptanceStep.objects.filter(camera=found).select_related("by"), wanted, shown)


@router.get("/cameras/{camera}/changes", response=list[CameraChangeOut])
def list_camera_changes(request: HttpRequest, camera: uuid.UUID) -> Any:
    """The last 20 changes of a camera, for those who see its recorder or may change it. Scope `cameras:read`."""
    found = camera_seen(request, camera)
    if not _inside(request, found):
        require(request.user, Action.CAMERA_EDIT, found)
    return changes_of(found)


@router.post("/cameras/{camera}/steps", response=CameraOut, auth=_WRITE)
def take_step(request: HttpRequest, camera: uuid.UUID, body: Step) -> Any:
    """Brings a camera to its next state: survey, installation, acceptance, suspension. Scope `cameras:write`."""
    found = camera_seen(request, camera)
    if body.state not in services.steps_open_to(request.user, found):
        require(request.user, Action.CAMERA_EDIT, found)
        raise Problem(409, "no_such_step")
    if body.state in _WITH_REASON and not body.note.strip():
        raise Problem(422, "reason_missing")
    services.take_step(found, body.state, request.user, body.note.strip())
    return answer(request, camera_seen(request, camera))


@router.post("/cameras/{camera}/try-again", response=CameraOut, auth=_WRITE)
def try_again(request: HttpRequest, camera: uuid.UUID) -> Any:
    """Sends what is wanted to the recorder once more. Scope `cameras:write`."""
    found = _editable(request, camera)
    services.try_again(found)
    return answer(request, camera_seen(request, camera))


@router.post("/cameras/{camera}/take-recorders", response=CameraOut, auth=_WRITE)
def take_the_recorders(request: HttpRequest, camera: uuid.UUID) -> Any:
    """Wants what the recorder has, where both sides were changed. Scope `cameras:write`."""
    found = _editable(request, camera)
    services.take_the_nodes(found)
    return answer(request, camera_seen(request, camera))


def _inside(request: HttpRequest, camera: Camera) -> bool:
    """As on the camera's page: whether the person may know more of it than that it is there."""
    return may(request.user, Action.NODE_SEE, camera) or may(request.user, Action.CAMERA_EDIT, camera)


def _editable(request: HttpRequest, key: uuid.UUID) -> Camera:
    found = camera_seen(request, key)
    require(request.user, Action.CAMERA_EDIT, found)
    return found
