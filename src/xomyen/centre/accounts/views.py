"""Pages about people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from xomyen.centre.accounts.models import Appointment
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require, roots


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Oneself: name, roles in force."""
    held = request.user.appointments.filter(in_force(today())).select_related("unit", "post")
    return render(request, "accounts/me.html", {"held": held})


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Who holds which role in the units one may look into."""
    require(request.user, Action.USER_SEE)
    units = below_sql(roots(request.user, Action.USER_SEE), today())
    held = (
        Appointment.objects.filter(in_force(today()), unit__in=units)
        .select_related("user", "unit", "post")
        .order_by("user__full_name")
    )
    return render(request, "accounts/people.html", {"held": held, "active_place": "accounts:people"})
