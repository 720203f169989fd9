"""Saves and removes layouts of walls and bookmarks; every refusal is a ValidationError with words for people."""

import datetime
import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xomyen.centre.audit.services import record
from xomyen.centre.cameras.models import Camera
from xomyen.centre.organisation.models import Post
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch.models import Bookmark, Layout
from xomyen.centre.watch.services import posts_kept_by, watched

_CLOCKS_DIFFER = datetime.timedelta(minutes=1)


def cameras_among(person: Any, cells: Iterable[str]) -> set[str]:
    """Which of these cameras the person may watch; others are not told of."""
    wanted = set(cells)
    if not wanted:
        return set()
    return {str(key) for key in watched(person).filter(pk__in=wanted).order_by().values_list("pk", flat=True)}


def require_keeper(person: Any, post: Post) -> None:
    """Raises PermissionDenied unless the person keeps the layouts of the post."""
    require(person, Action.LAYOUT_EDIT)
    if not posts_kept_by(person).filter(pk=post.pk).exists():
        raise PermissionDenied(str(Action.LAYOUT_EDIT))


def save_layout(person: Any, post: Post, name: str, size: int, cells: Iterable[uuid.UUID]) -> Layout:
    """Saves a layout of the post, in place of that of the same name; raises PermissionDenied, too."""
    require_keeper(person, post)
    wanted = [str(cell) for cell in dict.fromkeys(cells)]
    seen = cameras_among(person, wanted)
    kept = [cell for cell in wanted if cell in seen]
    if not kept:
        raise ValidationError(_("A layout needs at least one camera."), "no_cameras")
    values = {"size": size, "cells": kept, "made_by": person}
    try:
        with transaction.atomic():
            layout, _made = Layout.objects.update_or_create(post=post, name=name, defaults=values)
    except IntegrityError as error:
        raise ValidationError(_("Somebody else has just saved a layout of this name."), "taken") from error
    return layout


def remove_layout(person: Any, layout: Layout) -> None:
    """Takes a layout away. Raises PermissionDenied."""
    require_keeper(person, layout.post)
    layout.delete()


def add_bookmark(person: Any, camera: Camera, at: datetime.datetime, note: str) -> Bookmark:
    """Marks a moment of a camera that the person may watch the past of."""
    if at > timezone.now() + _CLOCKS_DIFFER:
        raise ValidationError(_("This time is in the future."), "future")
    with transaction.atomic():
        made = Bookmark.objects.create(camera=camera, at=at, note=note, made_by=person)
        record("camera.bookmark", thing=camera, details={"at": moment(made)})
    return made


def remove_bookmark(person: Any, bookmark: Bookmark) -> None:
    """Takes a bookmark away; raises PermissionDenied unless the person made it."""
    if bookmark.made_by_id != person.pk:
        raise PermissionDenied(str(Action.BOOKMARK))
    with transaction.atomic():
        record("camera.bookmark_removed", thing=bookmark.camera, details={"at": moment(bookmark)})
        bookmark.delete()


def moment(bookmark: Bookmark) -> str:
    """The marked moment, in UTC to the millisecond."""
    return bookmark.at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
