"""How cameras look in the API."""

import datetime
import uuid
from typing import Annotated, Any

from ninja import Schema
from pydantic import ConfigDict, Field

from xomyen.centre.api.rows import told
from xomyen.centre.cameras.models import Acceptance, Camera, Owner
from xomyen.centre.cameras.values import onvif_without_user, without_secrets
from xomyen.centre.organisation.models import MandateDocument
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible


class Technical(Schema):
    """What only those see who may change the camera."""

    main_url: str
    sub_url: str
    user: str
    password_set: bool
    factory_password: bool  # one that makers ship cameras with
    masks: list[list[list[float]]]
    onvif_address: str
    ptz_profile: str
    serial_number: str
    firmware: str
    firmware_support_ends: datetime.date | None
    certificate: str


class CameraOut(Schema):
    id: uuid.UUID
    site: uuid.UUID
    unit: uuid.UUID
    node: uuid.UUID | None
    code: str
    name: str
    order: int
    purpose: str
    owner: str
    owner_name: str
    funding: str
    document: uuid.UUID | None  # on which it was put up, if one sees it
    camera_class: uuid.UUID
    is_public: bool
    acceptance: str
    enabled: bool
    ptz: bool
    manufacturer: str
    model: str
    height_m: float | None
    azimuth_deg: float | None
    tilt_deg: float | None
    field_of_view_deg: float | None
    revision: int  # of what is wanted
    standing: str  # how what is wanted stands to what the recorder has
    standing_since: datetime.datetime | None
    refused: str  # by the recorder, in its words
    technical: Technical | None


class CameraPage(Schema):
    items: list[CameraOut]
    next: str | None


_Name = Annotated[str, Field(max_length=500)]
_Degrees = Annotated[float, Field(ge=-360, le=360)]


class CameraChange(Schema):
    """What is given is changed; the rest stays. The password is kept sealed to the recorder and never told."""

    model_config = ConfigDict(extra="forbid")
    site: uuid.UUID | None = None
    node: uuid.UUID | None = None
    code: _Name | None = None
    name: _Name | None = None
    order: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    purpose: _Name | None = None
    owner: Owner | None = None
    owner_name: _Name | None = None
    funding: _Name | None = None
    document: uuid.UUID | None = None
    camera_class: uuid.UUID | None = None
    is_public: bool | None = None
    main_url: _Name | None = None
    sub_url: _Name | None = None
    user: _Name | None = None
    password: Annotated[str, Field(max_length=200)] | None = None
    no_password: bool | None = None
    enabled: bool | None = None
    masks: list[list[list[float]]] | None = None
    height_m: Annotated[float, Field(ge=0, le=1000)] | None = None
    azimuth_deg: _Degrees | None = None
    tilt_deg: _Degrees | None = None
    field_of_view_deg: _Degrees | None = None
    ptz: bool | None = None
    onvif_address: _Name | None = None
    ptz_profile: _Name | None = None
    manufacturer: _Name | None = None
    model: _Name | None = None
    serial_number: _Name | None = None
    firmware: _Name | None = None
    firmware_support_ends: datetime.date | None = None
    certificate: _Name | None = None


class NewCamera(CameraChange):
    """A camera to be entered."""

    site: uuid.UUID
    code: _Name
    name: _Name
    purpose: _Name
    camera_class: uuid.UUID
    acceptance: Acceptance = Acceptance("planned")


_PLAIN = (
    *("code", "name", "order", "purpose", "owner", "is_public", "acceptance", "enabled", "ptz", "height_m"),
    *("azimuth_deg", "tilt_deg", "field_of_view_deg", "revision", "standing", "standing_since"),
)
_INSIDE = ("owner_name", "funding", "manufacturer", "model")
"""What only those see who see the recorder or may change the camera; `node` as well."""
_TECHNICAL = (
    *("main_url", "sub_url", "user", "masks", "onvif_address", "ptz_profile", "serial_number", "firmware"),
    *("firmware_support_ends", "certificate", "factory_password"),
)


def shown(person: Any, cameras: list[Camera]) -> list[dict[str, Any]]:
    """Cameras as the person may know them; as many queries for all as for one."""
    own = Camera.objects.filter(pk__in=[one.pk for one in cameras])
    editable, inside = (
        set(visible(person, action, own).values_list("pk", flat=True))
        for action in (Action.CAMERA_EDIT, Action.NODE_SEE)
    )
    named = MandateDocument.objects.filter(pk__in={one.document_id for one in cameras if one.document_id})
    papers = set(visible(person, Action.UNIT_SEE, named).values_list("pk", flat=True))
    return [_shown(one, one.pk in editable, one.pk in editable | inside, papers) for one in cameras]


def _shown(camera: Camera, technical: bool, inside: bool, papers: set[uuid.UUID]) -> dict[str, Any]:
    found = told(
        camera,
        *_PLAIN,
        site=camera.site_id,
        unit=camera.site.unit_id,
        node=camera.node_id if inside else None,
        document=camera.document_id if camera.document_id in papers else None,
        camera_class=camera.camera_class_id,
        refused=camera.refused if technical else "",
        technical=None,
    )
    found |= {name: getattr(camera, name) if inside else "" for name in _INSIDE}
    if technical:
        values = {name: getattr(camera, name) for name in _TECHNICAL}
        # One that comes back as it was told is kept as it is (CameraForm).
        values |= {name: without_secrets(values[name]) for name in ("main_url", "sub_url")}
        values["onvif_address"] = onvif_without_user(values["onvif_address"])
        found["technical"] = values | {"password_set": bool(camera.sealed_password)}
    return found
