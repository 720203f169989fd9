"""Pages about sites: where cameras hang."""

import uuid
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.cameras import lists, services
from xomyen.centre.cameras.forms import SiteForm, units_for
from xomyen.centre.cameras.models import Camera, Site
from xomyen.centre.cameras.stale import STATUS, is_stale, shown_again
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require, visible
from xomyen.centre.watch import places

PLACE = "cameras:list"
_COUNTRY = (102.1, 8.3, 109.5, 23.4)  # degrees: west, south, east, north


@require_GET
def site_list(request: HttpRequest) -> HttpResponse:
    """All sites one may see."""
    require(request.user, Action.CAMERA_SEE)
    text = request.GET.get("q", "").strip()[:100]
    page = lists.page_of_sites(request.user, text, request.GET.get("page"))
    query = lists.Asked(text=text).address()
    return render(request, "cameras/sites.html", {"active_place": PLACE, "page": page, "text": text, "query": query})


def _seen(request: HttpRequest, site: uuid.UUID) -> Site:
    rows = visible(request.user, Action.CAMERA_SEE, Site.objects.select_related("unit"))
    found: Site = get_object_or_404(rows, pk=site)
    return found


@require_GET
def site_page(request: HttpRequest, site: uuid.UUID) -> HttpResponse:
    """One site and its cameras."""
    found = _seen(request, site)
    cameras = visible(request.user, Action.CAMERA_SEE, Camera.objects.filter(site=found)).select_related("node")
    can_edit = may(request.user, Action.CAMERA_EDIT, found)
    content = {"active_place": PLACE, "site": found, "cameras": cameras, "can_edit": can_edit}
    return render(request, "cameras/site.html", content)


@require_http_methods(["GET", "POST"])
def add_site(request: HttpRequest) -> HttpResponse:
    """A new site; `then=camera` goes on to its first camera."""
    require(request.user, Action.CAMERA_EDIT)
    form = SiteForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        site = form.save(commit=False)
        services.save_site(site, None)
        if request.GET.get("then") == "camera":
            # What a search for cameras has found stays with it.
            known = request.GET.copy()
            del known["then"]
            known["site"] = str(site.pk)
            return redirect(f"{reverse('cameras:add')}?{known.urlencode()}")
        return redirect("cameras:site", site.pk)
    content = {
        "form": form,
        "heading": _("Add a site"),
        "back": reverse("cameras:sites"),
        "active_place": PLACE,
        "start": _ground(request.user),
    }
    return render(request, "cameras/site_form.html", content)


def _ground(person: Any, site: Site | None = None) -> dict[str, Any]:
    """With what the form's map begins: where the site is, else the person's cameras, else their units."""
    box = None
    # Of a form that came back one of the two may be missing.
    if site is not None and site.latitude is not None and site.longitude is not None:
        box = [site.longitude, site.latitude] * 2
    box = box or places.box_of(places.placed(person)) or _box_of_units(person) or list(_COUNTRY)
    tiles = reverse("watch:map_tiles") if settings.CENTRE.map_file else ""
    return {"map": reverse("watch:map_places"), "tiles": tiles, "box": box, "site": str(site.pk) if site else ""}


def _box_of_units(person: Any) -> list[float] | None:
    edges = Min("longitude"), Min("latitude"), Max("longitude"), Max("latitude")
    found = units_for(person, Action.CAMERA_EDIT).order_by().aggregate(**dict(zip("wsen", edges, strict=True)))
    return None if found["w"] is None or found["s"] is None else list(found.values())


@require_http_methods(["GET", "POST"])
def edit_site(request: HttpRequest, site: uuid.UUID) -> HttpResponse:
    """Changes a site."""
    found = _seen(request, site)
    require(request.user, Action.CAMERA_EDIT, found)
    form = SiteForm(request.POST or None, instance=found, person=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_site(form.save(commit=False), form.cleaned_data.get("revision") or 0)
        except services.Stale:
            newest = _seen(request, site)
            make = partial(SiteForm, instance=newest, person=request.user)
            form = shown_again(form, make, revision=newest.revision)
        else:
            messages.success(request, _("Saved."))
            return redirect("cameras:site", site)
    content = {
        "form": form,
        "heading": _("Edit %(site)s") % {"site": found.name},
        "back": reverse("cameras:site", args=[site]),
        "active_place": PLACE,
        "start": _ground(request.user, found),
    }
    return render(request, "cameras/site_form.html", content, status=STATUS if is_stale(form) else 200)
