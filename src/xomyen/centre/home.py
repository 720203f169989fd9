"""Where somebody comes to after signing in, and where browsers ask whether the centre answers."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from xomyen.centre.dates import today
from xomyen.centre.page import page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first place the person may go; one who holds no role is told so, and of the one to come or gone by."""
    places = page(request)["places"]
    if places:
        return redirect(places[0].url)
    held = request.user.appointments.select_related("unit", "post")
    day = today()
    context = {
        "coming": held.filter(valid_from__gt=day).order_by("valid_from").first(),
        "ended": held.filter(valid_to__lte=day).order_by("-valid_to").first(),
    }
    return render(request, "no_role.html", context)


@login_not_required
@never_cache
@require_GET
def well(_request: HttpRequest) -> HttpResponse:
    """Says nothing but that the centre answers; asks neither session nor database."""
    return HttpResponse(status=204)
