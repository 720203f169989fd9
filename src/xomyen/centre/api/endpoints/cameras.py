"""Cameras: read, entered and changed by the rules of the pages."""

import uuid
from typing import Any

from django.forms.models import model_to_dict
from django.http import HttpRequest
from ninja import Query, Router, Status

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import require_match, set_revision
from xomyen.centre.api.endpoints.camera_schemas import CameraChange, CameraOut, CameraPage, NewCamera, shown
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.rows import filled, seen
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Sought
from xomyen.centre.cameras import services
from xomyen.centre.cameras.forms import CameraForm
from xomyen.centre.cameras.lists import Asked, narrowed
from xomyen.centre.cameras.models import Acceptance, Camera, Owner, Standing
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, visible

router = Router(auth=bearer(Scope.CAMERAS_READ), tags=["cameras"])
_WRITE = bearer(Scope.CAMERAS_WRITE)


class CameraFilter(Paged):
    q: Sought = ""  # code, name or site
    unit: uuid.UUID | None = None  # with all under it
    node: uuid.UUID | None = None
    site: uuid.UUID | None = None
    document: uuid.UUID | None = None  # put up on this mandate document
    owner: Owner | None = None
    acceptance: Acceptance | None = None  # retired ones are listed only when asked for
    standing: Standing | None = None


@router.get("/cameras", response=CameraPage)
def list_cameras(request: HttpRequest, wanted: Query[CameraFilter]) -> Any:
    """The cameras one sees. Scope `cameras:read`."""
    require(request.user, Action.CAMERA_SEE)
    asked = Asked(
        text=wanted.q,
        unit=wanted.unit,
        state=wanted.acceptance or "",
        owner=wanted.owner or "",
        node=wanted.node,
        document=wanted.document,
        standing=wanted.standing or "",
    )
    rows = narrowed(visible(request.user, Action.CAMERA_SEE, Camera.objects.all()), asked)
    if wanted.site is not None:
        rows = rows.filter(site=wanted.site)
    found, following = page(rows.select_related("site"), wanted)
    return {"items": shown(request.user, found), "next": following}


@router.get("/cameras/{camera}", response=CameraOut)
def get_camera(request: HttpRequest, camera: uuid.UUID) -> Any:
    """One camera. Scope `cameras:read`."""
    return answer(request, camera_seen(request, camera))


@router.post("/cameras", response={201: CameraOut}, auth=_WRITE)
def add_camera(request: HttpRequest, body: NewCamera) -> Any:
    """Enters a camera. Scope `cameras:write`."""
    require(request.user, Action.CAMERA_EDIT)
    values = {"is_public": True, "enabled": True, "order": 0, "owner": "commune", "acceptance": "planned"}
    form = CameraForm(values | body.model_dump(exclude_unset=True), instance=Camera(), person=request.user)
    camera = filled(form).save()
    services.add_camera(camera, request.user)
    return Status(201, answer(request, camera_seen(request, camera.pk)))


@router.patch("/cameras/{camera}", response=CameraOut, auth=_WRITE)
def change_camera(request: HttpRequest, camera: uuid.UUID, body: CameraChange) -> Any:
    """Changes what is wanted of a camera; `If-Match` names the version that was read. Scope `cameras:write`."""
    found = camera_seen(request, camera)
    require(request.user, Action.CAMERA_EDIT, found)
    require_match(request, found.revision)
    revision = found.revision
    values = model_to_dict(found, fields=[*CameraForm.Meta.fields]) | body.model_dump(exclude_unset=True)
    form = filled(CameraForm(values, instance=found, person=request.user))
    services.change_camera(form.save(), revision)
    return answer(request, camera_seen(request, camera))


def camera_seen(request: HttpRequest, key: uuid.UUID) -> Camera:
    """The camera, 404 for those who may not see it."""
    rows = Camera.objects.select_related("site", "node", "camera_class")
    found: Camera = seen(request, Action.CAMERA_SEE, rows, key)
    return found


def answer(request: HttpRequest, camera: Camera) -> dict[str, Any]:
    """The camera with its ETag."""
    set_revision(request, camera.revision)
    return shown(request.user, [camera])[0]
