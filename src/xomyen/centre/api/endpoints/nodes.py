"""Recorders: which there are, entered and changed by the rules of the pages."""

import datetime
import uuid
from typing import Annotated, Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.conditional import fingerprint, require_match, set_revision
from xomyen.centre.api.endpoints.places import PlaceFilter, in_unit
from xomyen.centre.api.rows import filled, listed, seen, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.cameras.forms import NewNodeForm, NodeForm
from xomyen.centre.cameras.lists import called
from xomyen.centre.cameras.models import Node
from xomyen.centre.cameras.nodes import NODE_FIELDS, save_node
from xomyen.centre.cameras.services import version_of
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, visible

router = Router(auth=bearer(Scope.CAMERAS_READ), tags=["recorders"])
_WRITE = bearer(Scope.CAMERAS_WRITE)


class NodeOut(Schema):
    """A recorder."""

    id: uuid.UUID
    unit: uuid.UUID
    name: str
    address: str
    answers: bool
    since: datetime.datetime | None


class NodePage(Schema):
    items: list[NodeOut]
    next: str | None


class NodeChange(Closed):
    """What is given is changed."""

    unit: uuid.UUID | None = None
    name: Annotated[str, Field(max_length=120)] | None = None
    address: Annotated[str, Field(max_length=200)] | None = None  # https://camera.giakhe.example:8460


class NewNode(NodeChange):
    """A recorder that is made known to the centre."""

    id: uuid.UUID  # as its file node.json says
    unit: uuid.UUID
    name: Annotated[str, Field(max_length=120)]
    address: Annotated[str, Field(max_length=200)]


@router.get("/nodes", response=NodePage)
def list_nodes(request: HttpRequest, wanted: Query[PlaceFilter]) -> Any:
    """The recorders one sees. Scope `cameras:read`."""
    require(request.user, Action.NODE_SEE)
    rows = visible(request.user, Action.NODE_SEE, Node.objects.all())
    return listed(in_unit(called(rows, wanted.q), wanted.unit), wanted, _node)


@router.get("/nodes/{node}", response=NodeOut)
def get_node(request: HttpRequest, node: uuid.UUID) -> Any:
    """One recorder. Scope `cameras:read`."""
    return _answer(request, node_seen(request, node))


@router.post("/nodes", response={201: NodeOut}, auth=_WRITE)
def add_node(request: HttpRequest, body: NewNode) -> Any:
    """Makes a recorder known. Scope `cameras:write`."""
    require(request.user, Action.NODE_EDIT)
    values = body.model_dump() | {"node": body.id}
    node = filled(NewNodeForm(values, person=request.user)).save(commit=False)
    node.pk = body.id
    with transaction.atomic():
        node.save(force_insert=True)
        soon.after_commit([node.pk])
    return Status(201, _answer(request, node))


@router.patch("/nodes/{node}", response=NodeOut, auth=_WRITE)
def change_node(request: HttpRequest, node: uuid.UUID, body: NodeChange) -> Any:
    """Changes what a recorder is called, where it belongs and is reached; `If-Match` as for sites.

    Scope `cameras:write`.
    """
    found = node_seen(request, node)
    require(request.user, Action.NODE_EDIT, found)
    require_match(request, _revision(found))
    version = version_of(found, NODE_FIELDS)
    values = model_to_dict(found, fields=NODE_FIELDS) | body.model_dump(exclude_unset=True)
    form = filled(NodeForm(values, instance=found, person=request.user))
    save_node(form.save(commit=False), version)
    return _answer(request, found)


def node_seen(request: HttpRequest, key: uuid.UUID) -> Node:
    """The recorder, 404 for those who may not see it."""
    found: Node = seen(request, Action.NODE_SEE, Node.objects.all(), key)
    return found


def _answer(request: HttpRequest, node: Node) -> dict[str, Any]:
    set_revision(request, _revision(node))
    return _node(node)


def _revision(node: Node) -> int:
    return fingerprint(node.unit_id, node.name, node.address)


def _node(node: Node) -> dict[str, Any]:
    return told(node, "name", "address", "answers", "since", unit=node.unit_id)
