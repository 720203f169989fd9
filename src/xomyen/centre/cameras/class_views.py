"""Pages about classes of cameras: how long footage of each is kept."""

import uuid
from functools import partial

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.cameras import services
from xomyen.centre.cameras.forms import Styled
from xomyen.centre.cameras.models import Camera, CameraClass
from xomyen.centre.cameras.stale import STATUS, is_stale, shown_again
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require, visible

PLACE = "cameras:list"


class ClassForm(Styled, forms.ModelForm):
    """What a class is called and how long footage is kept."""

    version = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = CameraClass
        fields = services.CLASS_FIELDS
        help_texts = {"retention_days": gettext_lazy("1 to 365.")}

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        if not self.instance._state.adding:
            self.initial["version"] = services.version_of(self.instance, services.CLASS_FIELDS)
        self.style()


def may_change(person: object, camera_class: CameraClass) -> bool:
    """Whether the person sets the rules wherever this class is in use: it is common to all units."""
    cameras = Camera.objects.filter(camera_class=camera_class)
    mine = visible(person, Action.REGULATION_EDIT, cameras)
    return may(person, Action.REGULATION_EDIT) and not cameras.exclude(pk__in=mine.values("pk")).exists()


@require_GET
def class_list(request: HttpRequest) -> HttpResponse:
    """All classes."""
    require(request.user, Action.CAMERA_SEE)
    alive = Q(cameras__in=visible(request.user, Action.CAMERA_SEE, Camera.objects.exclude(acceptance="retired")))
    rows = CameraClass.objects.annotate(number=Count("cameras", filter=alive))
    can_add = may(request.user, Action.REGULATION_EDIT)
    return render(request, "cameras/classes.html", {"active_place": PLACE, "classes": rows, "can_add": can_add})


@require_http_methods(["GET", "POST"])
def add_class(request: HttpRequest) -> HttpResponse:
    """A new class."""
    require(request.user, Action.REGULATION_EDIT)
    return _form(request, CameraClass(), _("Add a class"), "")


@require_http_methods(["GET", "POST"])
def edit_class(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Other days: the cameras of the class follow."""
    found = get_object_or_404(CameraClass, pk=key)
    if not may_change(request.user, found):
        raise PermissionDenied(str(Action.REGULATION_EDIT))
    text = _(
        "Footage older than this is deleted on the recorders, including what has already been recorded."
        " This applies to %(number)s cameras."
    )
    return _form(request, found, _("Edit %(name)s") % {"name": found.name}, text % {"number": found.cameras.count()})


def _form(request: HttpRequest, camera_class: CameraClass, heading: str, explanation: str) -> HttpResponse:
    form = ClassForm(request.POST if request.method == "POST" else None, instance=camera_class)
    if request.method == "POST" and form.is_valid():
        version = None if camera_class._state.adding else form.cleaned_data["version"]
        try:
            services.save_class(form.save(commit=False), version)
        except services.Stale:
            newest = CameraClass.objects.get(pk=camera_class.pk)
            version = services.version_of(newest, services.CLASS_FIELDS)
            form = shown_again(form, partial(ClassForm, instance=newest), version=version)
        else:
            return redirect("cameras:classes")
    content = {
        "form": form,
        "heading": heading,
        "explanation": explanation,
        "back": reverse("cameras:classes"),
        "active_place": PLACE,
    }
    return render(request, "cameras/form.html", content, status=STATUS if is_stale(form) else 200)
