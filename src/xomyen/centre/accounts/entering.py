"""Pages on the way in: links that let in once, choosing a password, second factor, regulations."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.accounts.elsewhere.invited import INVITED
from xomyen.centre.accounts.entry import address_of, is_strong
from xomyen.centre.accounts.forms import NewPasswordForm
from xomyen.centre.accounts.models import EntryLink, LinkPurpose, User
from xomyen.centre.accounts.regulations import accept, outstanding
from xomyen.centre.accounts.services import (
    AFTERWARDS,
    OWNER_LINK,
    access_ended,
    enter,
    has_second_factor,
    nobody_yet,
    use,
    valid_link,
)
from xomyen.centre.audit.services import record

SET_UP = "set_up"


def onward(request: HttpRequest) -> str:
    """Where the person wanted to go before being led here; never another site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("home")


@method_decorator([login_not_required, never_cache], name="dispatch")
class LinkView(View):
    """A link that lets in once. Its code stands behind the #, which a script of the page sends."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/link.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        link = valid_link(request.POST.get("code", ""))
        if link is None:
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        if link.purpose == LinkPurpose.SET_UP:
            if not nobody_yet():
                return render(request, "accounts/link.html", {"failed": True}, status=410)
            request.session[SET_UP] = str(link.pk)
            return redirect("accounts:set_up")
        if link.purpose == LinkPurpose.INVITATION:
            request.session[INVITED] = str(link.pk)
            return redirect("accounts:welcome")
        if link.user is None or not use(link):
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        enter(request, link.user, OWNER_LINK)
        return redirect("home")


@method_decorator([login_not_required, never_cache], name="dispatch")
class WelcomeView(View):
    """Somebody invited chooses a password; only then is the link used up."""

    link: EntryLink

    def dispatch(self, request: HttpRequest, *arguments: Any, **keywords: Any) -> Any:
        key = request.session.get(INVITED)
        link = EntryLink.objects.select_related("user").filter(pk=key, used__isnull=True).first() if key else None
        if link is None:
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        self.link = link
        return super().dispatch(request, *arguments, **keywords)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, NewPasswordForm(self.link.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewPasswordForm(self.link.user, request.POST)
        if not form.is_valid():
            return self._page(request, form)
        if not use(self.link):
            return render(request, "accounts/link.html", {"failed": True}, status=410)
        with transaction.atomic():
            user = form.save()
            if user.last_login is None:
                # Somebody new goes on in the language chosen on the way in.
                user.language = request.LANGUAGE_CODE
                user.save(update_fields=["language"])
            # Sessions end by the other password itself; what programs hold ends here.
            access_ended.send(User, user=user)
            record("account.password_changed", user, thing=user, request=request, details={"how": "link"})
        request.session.pop(INVITED, None)
        enter(request, user, "password")
        return redirect("home")

    def _page(self, request: HttpRequest, form: NewPasswordForm) -> HttpResponse:
        return render(request, "accounts/welcome.html", {"form": form, "person": self.link.user})


@never_cache
@require_GET
def second_factor(request: HttpRequest) -> HttpResponse:
    """Which kinds there are, for people whose role asks for one; who has one is led on."""
    if is_strong(request):
        return redirect(onward(request))
    if has_second_factor(request.user):
        return redirect("mfa_reauthenticate")
    return render(request, "accounts/second_factor.html")


@never_cache
@require_http_methods(["GET", "POST"])
def regulations(request: HttpRequest) -> HttpResponse:
    """The regulations that the person has yet to accept, one after the other."""
    waiting = list(outstanding(request.user))
    if request.method == "POST" and waiting:
        wanted = [one for one in waiting if str(one.pk) == request.POST.get("regulation")]
        if not wanted or not request.POST.get("read"):
            messages.error(request, _("Confirm that you have read the regulation and will comply with it."))
            return render(request, "accounts/regulation.html", _reading(request, waiting))
        accept(request.user, wanted[0], address_of(request))
        waiting.remove(wanted[0])
    if not waiting:
        return redirect(onward(request))
    return render(request, "accounts/regulation.html", _reading(request, waiting))


def _reading(request: HttpRequest, waiting: list[Any]) -> dict[str, Any]:
    earlier = request.user.acceptances.filter(regulation__unit=waiting[0].unit).select_related("regulation").first()
    return {"regulation": waiting[0], "more": len(waiting) - 1, "next": onward(request), "before": earlier}


@require_GET
def onward_view(request: HttpRequest) -> HttpResponse:
    """Where the person was going before something was missing."""
    where = request.session.pop(AFTERWARDS, None)
    if where:
        messages.success(request, _("The unit and your account are set up. Now add the first camera, or do it later."))
    return redirect(where or "home")
