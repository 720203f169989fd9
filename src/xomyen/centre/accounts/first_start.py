"""The guided set-up of a centre that nobody uses yet: the unit, the first officer, then their second factor."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from xomyen.centre.accounts.entering import SET_UP
from xomyen.centre.accounts.forms import FirstOfficerForm, TypedUnitForm
from xomyen.centre.accounts.models import Appointment, EntryLink, User
from xomyen.centre.accounts.services import AFTERWARDS, enter, nobody_yet, use
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Unit, UnitLink
from xomyen.centre.organisation.services.imports import import_units
from xomyen.centre.permissions.roles import Role

_UNIT = "set_up_unit"
_FOUND_AT_MOST = 20


def appoint_first(link: EntryLink, unit: Unit, person: User) -> bool:
    """Makes the first person of the unit; False if somebody else was first.

    Head and administrator, and the technical department too: nothing is recorded before a camera is accepted, and
    nobody else is there yet who could do that.
    """
    with transaction.atomic():
        if not use(link) or not nobody_yet():
            return False
        if unit._state.adding:
            unit.save()
        person.save()
        for role in (Role.POLICE_HEAD, Role.TECHNICIAN, Role.ADMINISTRATOR):
            Appointment.objects.create(user=person, role=role, unit=unit, valid_from=today())
        return True


def first_camera() -> str:
    """Where the first camera is added."""
    try:
        return reverse("cameras:add")
    except NoReverseMatch:
        return reverse("home")


@method_decorator([login_not_required, never_cache], name="dispatch")
class SetUpView(View):
    """What both steps share: only who followed the link, and only while there is nobody."""

    link: EntryLink

    def dispatch(self, request: HttpRequest, *arguments: Any, **keywords: Any) -> Any:
        key = request.session.get(SET_UP)
        link = EntryLink.objects.filter(pk=key, used__isnull=True).first() if key and nobody_yet() else None
        if link is None:
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        self.link = link
        return super().dispatch(request, *arguments, **keywords)


class UnitStep(SetUpView):
    """The unit whose people work here: found in the official list, which is brought in when asked for, or typed in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, TypedUnitForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        if "list" in request.POST:
            import_units()
            return redirect("accounts:set_up")
        chosen = request.POST.get("unit")
        if chosen:
            unit = Unit.objects.on(today()).filter(pk=chosen).first()
            if unit is None:
                return self._page(request, TypedUnitForm())
            request.session[_UNIT] = {"id": str(unit.pk)}
            return redirect("accounts:set_up_officer")
        form = TypedUnitForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        request.session[_UNIT] = form.cleaned_data
        return redirect("accounts:set_up_officer")

    def _page(self, request: HttpRequest, form: TypedUnitForm) -> HttpResponse:
        wanted = request.GET.get("q", "").strip()
        known = Unit.objects.on(today())
        # Communes of many provinces share a name.
        above = Prefetch("parent_links", UnitLink.objects.filter(in_force(today())).select_related("parent"), "above")
        sought = known.search(wanted).order_by("kind", "code").prefetch_related(above)
        found = list(sought[: _FOUND_AT_MOST + 1]) if wanted else []
        context = {
            "form": form,
            "wanted": wanted,
            "found": found[:_FOUND_AT_MOST],
            "more": len(found) > _FOUND_AT_MOST,
            "imported": known.exists(),
        }
        return render(request, "accounts/set_up_unit.html", context)


class OfficerStep(SetUpView):
    """The first officer: name, user name, password."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, FirstOfficerForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        unit = self._unit(request)
        form = FirstOfficerForm(request.POST)
        if unit is None or not form.is_valid():
            return self._page(request, form)
        person = form.person()
        person.language = request.LANGUAGE_CODE
        if not appoint_first(self.link, unit, person):
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        for key in (SET_UP, _UNIT):
            request.session.pop(key, None)
        enter(request, person, "password")
        request.session[AFTERWARDS] = first_camera()
        return redirect("accounts:onward")

    def _unit(self, request: HttpRequest) -> Unit | None:
        kept = request.session.get(_UNIT)
        if not kept:
            return None
        if "id" in kept:
            return Unit.objects.filter(pk=kept["id"]).first()
        return TypedUnitForm(kept).unit()

    def _page(self, request: HttpRequest, form: FirstOfficerForm) -> HttpResponse:
        unit = self._unit(request)
        if unit is None:
            return redirect("accounts:set_up")
        return render(request, "accounts/set_up_officer.html", {"form": form, "unit": unit})
