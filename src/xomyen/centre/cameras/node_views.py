"""Pages about recorders: which there are, how each is, and cameras that only it knows."""

import uuid
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.cameras import lists, nodes, services
from xomyen.centre.cameras.forms import NewNodeForm, NodeForm, TakeOverForm
from xomyen.centre.cameras.models import Acceptance, Camera, Node
from xomyen.centre.cameras.stale import STATUS, is_stale, shown_again
from xomyen.centre.link.ask import configuration, local_address, local_node
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require, visible
from xomyen.terms.errors import NotRunning, UnknownCamera

PLACE = "cameras:nodes"
_PARTS = {
    "bus": pgettext_lazy("part of a recorder", "Messages"),
    "recorder": pgettext_lazy("part of a recorder", "Recording"),
    "gateway": pgettext_lazy("part of a recorder", "Pictures"),
    "devices": pgettext_lazy("part of a recorder", "Finding and turning cameras"),
}


@require_GET
def node_list(request: HttpRequest) -> HttpResponse:
    """All recorders one may see."""
    require(request.user, Action.NODE_SEE)
    text = request.GET.get("q", "").strip()[:100]
    page = lists.page_of_nodes(request.user, text, request.GET.get("page"))
    query = lists.Asked(text=text).address()
    return render(request, "cameras/nodes.html", {"active_place": PLACE, "page": page, "text": text, "query": query})


def seen(request: HttpRequest, node: uuid.UUID) -> Node:
    """The recorder, 404 for those who may not see it."""
    rows = visible(request.user, Action.NODE_SEE, Node.objects.select_related("unit"))
    found: Node = get_object_or_404(rows, pk=node)
    return found


@require_GET
def node_page(request: HttpRequest, node: uuid.UUID) -> HttpResponse:
    """One recorder and its cameras; what it says of itself is asked for by the page."""
    found = seen(request, node)
    cameras = visible(request.user, Action.CAMERA_SEE, Camera.objects.filter(node=found))
    cameras = cameras.exclude(acceptance=Acceptance.RETIRED).order_by("order", "code", "pk")
    full = Camera.objects.select_related("site", "node").defer("in_force", "sealed_password", "masks")
    content = {
        "active_place": PLACE,
        "node": found,
        "page": lists.page_of(cameras, request.GET.get("page"), full),
        "can_edit": may(request.user, Action.NODE_EDIT, found),
        "can_discover": may(request.user, Action.CAMERA_DISCOVER, found),
    }
    return render(request, "cameras/node.html", content)


@require_GET
def node_now(request: HttpRequest, node: uuid.UUID) -> HttpResponse:
    """What the recorder says of itself now."""
    found = seen(request, node)
    told = nodes.look(found)
    parts = [
        {"label": _PARTS.get(part.name, part.name), "running": part.running, "restarts": part.restarts}
        for part in (told.health.parts if told.health else ())
    ]
    content = {"node": found, "found": told, "parts": parts, "can_take": may(request.user, Action.CAMERA_EDIT, found)}
    return render(request, "cameras/_node_now.html", content)


@require_http_methods(["GET", "POST"])
def add_node(request: HttpRequest) -> HttpResponse:
    """Adds a recorder by its id; the one of this machine is filled in."""
    require(request.user, Action.NODE_EDIT)
    form = NewNodeForm(request.POST or None, person=request.user, initial=_of_this_machine())
    if request.method == "POST" and form.is_valid():
        node = form.save(commit=False)
        node.pk = form.cleaned_data["node"]
        node.save(force_insert=True)
        soon.now(node.pk)
        return redirect("cameras:node", node.pk)
    return render(
        request,
        "cameras/form.html",
        {
            "form": form,
            "heading": _("Add a recorder"),
            "explanation": _(
                "The recorder keeps recording as before; once it is added, the centre knows it and can reach it."
            ),
            "back": reverse("cameras:nodes"),
            "active_place": PLACE,
        },
    )


def _of_this_machine() -> dict[str, object]:
    here = local_node()
    if here is None or Node.objects.filter(pk=here).exists():
        return {}
    try:
        return {"node": here, "address": local_address(), "unit": nodes.own_unit()}
    except NotRunning:
        return {"node": here, "unit": nodes.own_unit()}


@require_http_methods(["GET", "POST"])
def edit_node(request: HttpRequest, node: uuid.UUID) -> HttpResponse:
    """Changes what a recorder is called, where it belongs and where browsers reach it."""
    found = seen(request, node)
    require(request.user, Action.NODE_EDIT, found)
    form = NodeForm(request.POST or None, instance=found, person=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            nodes.save_node(form.save(commit=False), form.cleaned_data["version"])
        except services.Stale:
            newest = seen(request, node)
            version = services.version_of(newest, nodes.NODE_FIELDS)
            form = shown_again(form, partial(NodeForm, instance=newest, person=request.user), version=version)
        else:
            messages.success(request, _("Saved."))
            return redirect("cameras:node", node)
    content = {
        "form": form,
        "heading": _("Edit %(node)s") % {"node": Node.objects.get(pk=node)},
        "back": reverse("cameras:node", args=[node]),
        "active_place": PLACE,
    }
    return render(request, "cameras/form.html", content, status=STATUS if is_stale(form) else 200)


@require_http_methods(["GET", "POST"])
def take_over(request: HttpRequest, node: uuid.UUID, camera: uuid.UUID) -> HttpResponse:
    """Gives a camera that only its recorder knows a place, a purpose and an owner."""
    found = seen(request, node)
    require(request.user, Action.CAMERA_EDIT, found)
    if Camera.objects.filter(pk=camera).exists():
        raise Http404
    try:
        record = configuration(found.pk, lambda asked: asked.camera(str(camera)), 2.0)
    except UnknownCamera as error:
        raise Http404 from error
    except NotRunning:
        messages.error(request, _("The recorder does not answer. Try again when it is back."))
        return redirect("cameras:node", node)
    form = TakeOverForm(request.POST or None, person=request.user, node=found, initial={"name": record.config.name})
    if request.method == "POST" and form.is_valid():
        taken = form.save(commit=False)
        nodes.take_over(taken, record, request.user)
        return redirect("cameras:camera", taken.pk)
    return render(
        request,
        "cameras/form.html",
        {
            "form": form,
            "heading": _("Take over %(camera)s") % {"camera": record.config.name},
            "explanation": _(
                "Its streams and password stay as they are on the recorder. If it is not entered as accepted, it stops "
                "recording until it is."
            ),
            "back": reverse("cameras:node", args=[node]),
            "active_place": PLACE,
        },
    )
