"""Pages of posts, schemes and mandate documents."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import fold, has_marks, matches
from xomyen.centre.organisation.forms import registers as forms
from xomyen.centre.organisation.models import Jurisdiction, MandateDocument, Scheme, Unit
from xomyen.centre.organisation.seeing import seen_among, unit_seen_or_404, units_seen
from xomyen.centre.organisation.services.registers import may_edit_post, posts_seen
from xomyen.centre.organisation.views.tree import PLACE
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, may_in, require, require_in, visible

_ROWS = 30


def _listed(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """The page of a register that was asked for: found by words, ended ones when wanted."""
    text = request.GET.get("q", "").strip()[:100]
    ended = bool(request.GET.get("ended"))
    if text:
        rows = rows.filter(folded__contains=fold(text))
        if has_marks(text):
            called = "title" if rows.model is MandateDocument else "name"
            bare = rows.prefetch_related(None).select_related(None).order_by()
            named = bare.values_list("pk", called)
            rows = rows.filter(pk__in=[key for key, name in named if matches(text, name)])
    if not ended:
        rows = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))
    page = Paginator(rows, _ROWS).get_page(request.GET.get("page"))
    return {"page": page, "q": text, "ended": ended, "today": today(), "active_place": PLACE}


def _seen(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(unit__in=units_seen(request.user).values("pk"))


def _form(request: HttpRequest, form: Any, to: str, heading: str, button: str, back: str, back_label: str) -> Any:
    """Shows the form, or does what it says and goes to the row's page."""
    if request.method == "POST" and (row := form.carried_out()) is not None:
        return redirect(to, row.pk)
    context = {"form": form, "heading": heading, "button": button, "back": back, "back_label": back_label}
    return render(request, "organisation/form.html", context | {"active_place": PLACE})


def _unit_asked(request: HttpRequest) -> Unit | None:
    """The unit of the address (`?unit=…`), when the person sees it."""
    try:
        key = uuid.UUID(request.GET.get("unit", ""))
    except ValueError:
        return None
    return Unit.objects.filter(pk=key).first() if seen_among(request.user, [key]) else None


@require_GET
def posts(request: HttpRequest) -> HttpResponse:
    """Posts that answer for one's units."""
    require(request.user, Action.UNIT_SEE)
    held = Jurisdiction.objects.filter(in_force(today())).select_related("unit")
    rows = posts_seen(request.user).prefetch_related(Prefetch("jurisdictions", held, to_attr="now"))
    context = _listed(request, rows) | {"can_add": may(request.user, Action.POST_EDIT)}
    return render(request, "organisation/posts.html", context)


@require_GET
def post(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One post and the units it answers or answered for."""
    found = get_object_or_404(posts_seen(request.user), pk=pk)
    rows = list(found.jurisdictions.select_related("unit").order_by("valid_to", "unit__code"))
    seen = seen_among(request.user, [row.unit_id for row in rows])
    context = {
        "post": found,
        "jurisdictions": [(row, row.unit_id in seen) for row in rows],
        "ended": found.valid_to is not None and found.valid_to <= today(),
        "today": today(),
        "can_edit": may_edit_post(request.user, found),
        "active_place": PLACE,
    }
    return render(request, "organisation/post.html", context)


@require_http_methods(["GET", "POST"])
def add_post(request: HttpRequest) -> HttpResponse:
    """A new post."""
    require(request.user, Action.POST_EDIT)
    form = forms.PostForm(request.user, _unit_asked(request), request.POST or None)
    back = reverse("organisation:posts")
    return _form(request, form, "organisation:post", _("Add a post"), _("Add"), back, _("Posts"))


@require_http_methods(["GET", "POST"])
def change_post(request: HttpRequest, pk: uuid.UUID, sort: str) -> HttpResponse:
    """A post's name, its end, or another unit for which it answers."""
    found = get_object_or_404(posts_seen(request.user), pk=pk)
    if not may_edit_post(request.user, found):
        raise PermissionDenied(str(Action.POST_EDIT))
    form, heading, button = {
        "edit": (forms.PostChangeForm, _("Edit %(post)s"), _("Save")),
        "end": (forms.EndForm, _("End %(post)s"), _("End")),
        "answer": (forms.JurisdictionForm, _("Add a unit to %(post)s"), _("Add")),
    }[sort]
    back = reverse("organisation:post", args=[found.pk])
    filled = form(request.user, found, request.POST or None)
    return _form(request, filled, "organisation:post", heading % {"post": found}, button, back, str(found))


@require_http_methods(["GET", "POST"])
def end_jurisdiction(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The post's last day for a unit."""
    rows = Jurisdiction.objects.filter(post__in=posts_seen(request.user)).select_related("post", "unit")
    found = get_object_or_404(rows, pk=pk)
    if not may_edit_post(request.user, found.post):
        raise PermissionDenied(str(Action.POST_EDIT))
    heading = _("End the responsibility of %(post)s for %(unit)s") % {"post": found.post, "unit": found.unit}
    form = forms.EndForm(request.user, found, request.POST or None)
    back = reverse("organisation:post", args=[found.post_id])
    return _form(request, form, "organisation:post", heading, _("End"), back, str(found.post))


@require_GET
def schemes(request: HttpRequest) -> HttpResponse:
    """Schemes of one's units."""
    require(request.user, Action.UNIT_SEE)
    rows = _seen(request, Scheme.objects.select_related("unit").prefetch_related("groups"))
    units = visible(request.user, Action.SCHEME_EDIT, Unit.objects.on(today())).filter(kind__in=("commune", "province"))
    only = list(units.order_by("code")[:2])
    context = _listed(request, rows) | {
        "can_add": may(request.user, Action.SCHEME_EDIT),
        "only_unit": only[0] if len(only) == 1 else None,
    }
    return render(request, "organisation/schemes.html", context)


@require_GET
def scheme(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One scheme: its unit, groups and founding papers."""
    found = get_object_or_404(_seen(request, Scheme.objects.select_related("unit")), pk=pk)
    context = {
        "scheme": found,
        "groups": found.groups.all(),
        "documents": found.documents.all(),
        "ended": found.valid_to is not None and found.valid_to <= today(),
        "can_edit": may_in(request.user, Action.SCHEME_EDIT, found.unit),
        "active_place": PLACE,
    }
    return render(request, "organisation/scheme.html", context)


@require_http_methods(["GET", "POST"])
def add_scheme(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A new scheme of a unit."""
    unit = unit_seen_or_404(request.user, pk)
    require_in(request.user, Action.SCHEME_EDIT, unit)
    form = forms.SchemeForm(request.user, unit, request.POST or None)
    back = reverse("organisation:unit", args=[unit.pk])
    heading = _("Add a scheme of %(unit)s") % {"unit": unit}
    return _form(request, form, "organisation:scheme", heading, _("Add"), back, str(unit))


@require_http_methods(["GET", "POST"])
def change_scheme(request: HttpRequest, pk: uuid.UUID, sort: str) -> HttpResponse:
    """A scheme's facts, or its end."""
    found = get_object_or_404(_seen(request, Scheme.objects.select_related("unit")), pk=pk)
    require_in(request.user, Action.SCHEME_EDIT, found.unit)
    form, heading, button = {
        "edit": (forms.SchemeForm, _("Edit %(scheme)s"), _("Save")),
        "end": (forms.EndForm, _("End %(scheme)s"), _("End")),
    }[sort]
    back = reverse("organisation:scheme", args=[found.pk])
    filled = form(request.user, found, request.POST or None)
    return _form(request, filled, "organisation:scheme", heading % {"scheme": found}, button, back, str(found))


@require_GET
def documents(request: HttpRequest) -> HttpResponse:
    """The register of mandate documents."""
    require(request.user, Action.UNIT_SEE)
    rows = _seen(request, MandateDocument.objects.select_related("unit"))
    context = _listed(request, rows) | {"can_add": may(request.user, Action.SCHEME_EDIT)}
    return render(request, "organisation/documents.html", context)


@require_GET
def document(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One paper, and what rests on it."""
    found = get_object_or_404(_seen(request, MandateDocument.objects.select_related("unit")), pk=pk)
    context = {
        "document": found,
        "schemes": _seen(request, found.schemes.all()),
        "can_edit": may_in(request.user, Action.SCHEME_EDIT, found.unit),
        "active_place": PLACE,
    }
    return render(request, "organisation/document.html", context)


@require_http_methods(["GET", "POST"])
def add_document(request: HttpRequest) -> HttpResponse:
    """A new paper."""
    require(request.user, Action.SCHEME_EDIT)
    form = forms.DocumentForm(request.user, _unit_asked(request), request.POST or None)
    back = reverse("organisation:documents")
    return _form(request, form, "organisation:document", _("Add a document"), _("Add"), back, _("Mandate documents"))


@require_http_methods(["GET", "POST"])
def change_document(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Mends a paper's entry, or says until when it is in force."""
    found = get_object_or_404(_seen(request, MandateDocument.objects.select_related("unit")), pk=pk)
    require_in(request.user, Action.SCHEME_EDIT, found.unit)
    form = forms.DocumentForm(request.user, found, request.POST or None)
    back = reverse("organisation:document", args=[found.pk])
    heading = _("Edit %(document)s") % {"document": found.number}
    return _form(request, form, "organisation:document", heading, _("Save"), back, str(found))
