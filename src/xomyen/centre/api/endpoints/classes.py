"""Classes of cameras: how long footage of each is kept. They are common to all units."""

import uuid
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, require_match, set_revision
from xomyen.centre.api.paging import Paged, page
from xomyen.centre.api.rows import filled, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.cameras import services
from xomyen.centre.cameras.class_views import ClassForm, may_change
from xomyen.centre.cameras.models import CameraClass
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.CAMERAS_READ), tags=["cameras"])
_WRITE = bearer(Scope.RULES_WRITE)
_Name = Annotated[str, Field(max_length=80)]
_Days = Annotated[int, Field(ge=1, le=365)]


class ClassOut(Schema):
    id: uuid.UUID
    name: str
    retention_days: int
    past_needs_purpose: bool


class ClassPage(Schema):
    items: list[ClassOut]
    next: str | None


class ClassChange(Closed):
    """What is given is changed; the cameras of the class follow, and their older footage is deleted."""

    name: _Name | None = None
    retention_days: _Days | None = None
    past_needs_purpose: bool | None = None


class NewClass(Closed):
    name: _Name
    retention_days: _Days = 30
    past_needs_purpose: bool = False


@router.get("/camera-classes", response=ClassPage)
def list_classes(request: HttpRequest, wanted: Query[Paged]) -> Any:
    """Classes of cameras, which set how long footage is kept. Scope `cameras:read`."""
    require(request.user, Action.CAMERA_SEE)
    found, following = page(CameraClass.objects.all(), wanted)
    return {"items": [_class(one) for one in found], "next": following}


@router.get("/camera-classes/{camera_class}", response=ClassOut)
def get_class(request: HttpRequest, camera_class: uuid.UUID) -> Any:
    """One class. Scope `cameras:read`."""
    require(request.user, Action.CAMERA_SEE)
    return _answer(request, get_object_or_404(CameraClass, pk=camera_class))


@router.post("/camera-classes", response={201: ClassOut}, auth=_WRITE)
def add_class(request: HttpRequest, body: NewClass) -> Any:
    """Enters a class. Scope `rules:write`."""
    require(request.user, Action.REGULATION_EDIT)
    made = filled(ClassForm(body.model_dump())).save(commit=False)
    services.save_class(made)
    return Status(201, _answer(request, made))


@router.patch("/camera-classes/{camera_class}", response=ClassOut, auth=_WRITE)
def change_class(request: HttpRequest, camera_class: uuid.UUID, body: ClassChange) -> Any:
    """Changes a class, by whoever sets the rules for all of its cameras; `If-Match` names the version that was read.

    Scope `rules:write`.
    """
    found = get_object_or_404(CameraClass, pk=camera_class)
    if not may_change(request.user, found):
        raise PermissionDenied(str(Action.REGULATION_EDIT))
    require_match(request, _revision(found))
    version = services.version_of(found, services.CLASS_FIELDS)
    values = model_to_dict(found, fields=services.CLASS_FIELDS) | body.model_dump(exclude_none=True)
    services.save_class(filled(ClassForm(values, instance=found)).save(commit=False), version)
    return _answer(request, found)


def _answer(request: HttpRequest, found: CameraClass) -> dict[str, Any]:
    set_revision(request, _revision(found))
    return _class(found)


def _revision(found: CameraClass) -> int:
    return fingerprint(found.name, found.retention_days, found.past_needs_purpose)


def _class(found: CameraClass) -> dict[str, Any]:
    return told(found, *services.CLASS_FIELDS)
