"""Addresses of the API, and of the page on which one makes access tokens."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path

from xomyen.centre.api import pages
from xomyen.centre.api.core import ROOT, build
from xomyen.centre.api.endpoints import (
    accounts,
    audit,
    camera_states,
    cameras,
    classes,
    devices,
    imports,
    matters,
    me,
    nodes,
    people,
    places,
    posts,
    registers,
    regulations,
    schemes,
    screens,
    tickets,
    turning,
    unit_changes,
    watch,
)
from xomyen.centre.api.problems import answering_problems, not_there
from xomyen.centre.api.repeats import kept

api = build()
_KINDS = (
    *(unit_changes, matters, posts, registers, schemes, me, people, accounts, regulations),
    *(cameras, camera_states, imports, classes, places, nodes, devices, turning),
    *(tickets, watch, screens, audit),
)
for one in _KINDS:
    api.add_router("", one.router)

_operations, _app, _namespace = api.urls
for _pattern in _operations:
    # Every operation asks for a token by itself; a page to sign in on would be no answer to a program.
    _pattern.callback = login_not_required(answering_problems(kept(_pattern.callback)))

app_name = "tokens"
urlpatterns = [
    path("me/tokens/", pages.tokens, name="list"),
    path("me/tokens/<uuid:token>/revoke/", pages.revoke, name="revoke"),
    path(ROOT.lstrip("/"), (_operations, _app, _namespace)),
    re_path(r"^api/", not_there),
]
