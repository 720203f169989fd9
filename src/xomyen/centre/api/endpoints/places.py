"""Sites: where cameras hang."""

import uuid
from typing import Annotated, Any

from django.forms.models import model_to_dict
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import require_match, set_revision
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.rows import filled, listed, seen, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Sought
from xomyen.centre.cameras import services
from xomyen.centre.cameras.forms import SiteForm
from xomyen.centre.cameras.models import Site
from xomyen.centre.dates import today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, visible

router = Router(auth=bearer(Scope.CAMERAS_READ), tags=["cameras"])
_WRITE = bearer(Scope.CAMERAS_WRITE)


class SiteOut(Schema):
    id: uuid.UUID
    unit: uuid.UUID
    code: str
    name: str
    latitude: float | None
    longitude: float | None
    revision: int


class SitePage(Schema):
    items: list[SiteOut]
    next: str | None


class PlaceFilter(Paged):
    q: Sought = ""
    unit: uuid.UUID | None = None  # with all under it


class SiteChange(Schema):
    """What is given is changed."""

    model_config = ConfigDict(extra="forbid")
    unit: uuid.UUID | None = None
    code: Annotated[str, Field(max_length=20)] | None = None
    name: Annotated[str, Field(max_length=160)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class NewSite(SiteChange):
    """A site to be entered."""

    unit: uuid.UUID
    code: Annotated[str, Field(max_length=20)]
    name: Annotated[str, Field(max_length=160)]


@router.get("/sites", response=SitePage)
def list_sites(request: HttpRequest, wanted: Query[PlaceFilter]) -> Any:
    """The sites one sees. Scope `cameras:read`."""
    require(request.user, Action.CAMERA_SEE)
    rows = visible(request.user, Action.CAMERA_SEE, Site.objects.filter(folded__contains=fold(wanted.q)))
    return listed(in_unit(rows, wanted.unit), wanted, _site)


@router.get("/sites/{site}", response=SiteOut)
def get_site(request: HttpRequest, site: uuid.UUID) -> Any:
    """One site. Scope `cameras:read`."""
    return _answer(request, _seen(request, site))


@router.post("/sites", response={201: SiteOut}, auth=_WRITE)
def add_site(request: HttpRequest, body: NewSite) -> Any:
    """Enters a site. Scope `cameras:write`."""
    require(request.user, Action.CAMERA_EDIT)
    site = filled(SiteForm(body.model_dump(exclude_unset=True), person=request.user)).save(commit=False)
    services.save_site(site, None)
    return Status(201, _answer(request, site))


@router.patch("/sites/{site}", response=SiteOut, auth=_WRITE)
def change_site(request: HttpRequest, site: uuid.UUID, body: SiteChange) -> Any:
    """Changes a site, or moves it to another unit; `If-Match` names the version that was read.

    Scope `cameras:write`.
    """
    found = _seen(request, site)
    require(request.user, Action.CAMERA_EDIT, found)
    require_match(request, found.revision)
    revision = found.revision
    values = model_to_dict(found, fields=[*SiteForm.Meta.fields]) | body.model_dump(exclude_unset=True)
    form = filled(SiteForm(values, instance=found, person=request.user))
    services.save_site(form.save(commit=False), revision)
    return _answer(request, _seen(request, site))


def in_unit(rows: Any, unit: uuid.UUID | None) -> Any:
    return rows if unit is None else rows.filter(unit__in=below_sql(unit, today()))


def _seen(request: HttpRequest, key: uuid.UUID) -> Site:
    found: Site = seen(request, Action.CAMERA_SEE, Site.objects.all(), key)
    return found


def _answer(request: HttpRequest, site: Site) -> dict[str, Any]:
    set_revision(request, site.revision)
    return _site(site)


def _site(site: Site) -> dict[str, Any]:
    return told(site, "code", "name", "latitude", "longitude", "revision", unit=site.unit_id)
