"""The saved layouts of posts: everybody there chooses one, some keep them."""

import uuid
from typing import Annotated, Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods
from pydantic import BaseModel, ConfigDict, Field

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch import keeping, services
from xomyen.centre.watch.models import Layout
from xomyen.centre.watch.views.asking import for_scripts, read, refusing, told


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    post: uuid.UUID
    name: Annotated[str, Field(min_length=1, max_length=60)]
    size: Literal[1, 4, 9, 16, 25]
    cells: Annotated[list[uuid.UUID], Field(max_length=services.MOST_ON_A_WALL)]


@require_http_methods(["GET", "POST"])
@for_scripts
def layouts(request: HttpRequest) -> HttpResponse:
    """Those of the posts one belongs to or watches over; POST saves one, in place of that of the same name."""
    if request.method == "POST":
        return _save(request, read(request, _Asked))
    mine = list(services.layouts_of(request.user))
    # Cameras beyond what this person may watch are not told of.
    seen = keeping.cameras_among(request.user, (cell for layout in mine for cell in layout.cells))
    posts = services.posts_kept_by(request.user)
    return told(
        {
            "layouts": [_line(layout, seen) for layout in mine],
            "posts": [{"id": str(post.pk), "name": post.name} for post in posts],
        }
    )


def _save(request: HttpRequest, asked: _Asked) -> HttpResponse:
    require(request.user, Action.LAYOUT_EDIT)
    post = get_object_or_404(services.posts_with(request.user, Action.VIEW_LIVE), pk=asked.post)
    with refusing():
        saved = keeping.save_layout(request.user, post, asked.name, asked.size, asked.cells)
    return told(_line(saved, set(saved.cells)), 201)


@require_http_methods(["DELETE"])
def layout(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Takes one away."""
    found = get_object_or_404(services.layouts_of(request.user), pk=key)
    try:
        keeping.remove_layout(request.user, found)
    except PermissionDenied:
        return HttpResponse(status=403)
    return HttpResponse(status=204)


def _line(layout: Layout, seen: set[str]) -> dict[str, Any]:
    return {
        "id": str(layout.pk),
        "post": str(layout.post_id),
        "post_name": layout.post.name,
        "name": layout.name,
        "size": layout.size,
        "cells": [cell for cell in layout.cells if cell in seen],
    }
