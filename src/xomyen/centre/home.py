"""Where somebody comes to after signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from xomyen.centre.page import page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first place the person may go; one who holds no role is told so."""
    places = page(request)["places"]
    return redirect(places[0].url) if places else render(request, "no_role.html")
