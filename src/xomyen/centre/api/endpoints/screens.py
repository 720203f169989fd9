"""Paired screens: which there are, and turning one off."""

import datetime
import uuid
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status

from xomyen.centre.accounts import screens
from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.accounts import OpenOut, open_shown
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.rows import listed, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.SCREENS_READ), tags=["screens"])


class ScreenOut(Schema):
    """A screen that shows the pictures of its unit, or of the units its post answers for."""

    id: uuid.UUID
    name: str
    unit: uuid.UUID | None
    post: uuid.UUID | None
    paired_at: datetime.datetime
    last_seen: datetime.datetime | None  # to a minute
    turned_off: datetime.datetime | None


class ScreenPage(Schema):
    items: list[ScreenOut]
    next: str | None


class ScreenFilter(Paged):
    turned_off: bool = False  # instead, those that were turned off within eight days


@router.get("/screens", response=ScreenPage)
def list_screens(request: HttpRequest, wanted: Query[ScreenFilter]) -> Any:
    """The screens at places where one may pair. Scope `screens:read`."""
    require(request.user, Action.SCREEN_PAIR)
    rows = screens.lately_revoked(request.user) if wanted.turned_off else screens.seen_screens(request.user)
    return listed(rows, wanted, _shown)


@router.get("/screens/{screen}/still-open", response=list[OpenOut])
def list_still_open(request: HttpRequest, screen: uuid.UUID) -> Any:
    """The recorders that do not know yet that a screen was turned off. Scope `screens:read`."""
    require(request.user, Action.SCREEN_PAIR)
    rows = screens.lately_revoked(request.user) | screens.seen_screens(request.user)
    found: PairedScreen = get_object_or_404(rows, pk=screen)
    return open_shown(request.user, found)


@router.get("/screens/{screen}", response=ScreenOut)
def get_screen(request: HttpRequest, screen: uuid.UUID) -> Any:
    """One screen. Scope `screens:read`."""
    return _shown(_seen(request, screen))


@router.post("/screens/{screen}/revoke", response={204: None}, auth=bearer(Scope.SCREENS_WRITE))
def revoke_screen(request: HttpRequest, screen: uuid.UUID) -> Any:
    """Turns a screen off at once. Scope `screens:write`."""
    screens.revoke(request.user, _seen(request, screen))
    return Status(204, None)


def _seen(request: HttpRequest, key: uuid.UUID) -> PairedScreen:
    require(request.user, Action.SCREEN_PAIR)
    found: PairedScreen = get_object_or_404(screens.seen_screens(request.user), pk=key)
    return found


def _shown(screen: PairedScreen) -> dict[str, Any]:
    dates = {"paired_at": screen.confirmed, "turned_off": screen.revoked}
    return told(screen, "name", "last_seen", unit=screen.unit_id, post=screen.post_id, **dates)
