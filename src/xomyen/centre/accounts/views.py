"""Pages about people: the register, one person, inviting and appointing."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.centre.accounts import services
from xomyen.centre.accounts.forms import AppointmentForm, PersonForm
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.people import (
    STATES,
    Wanted,
    appoint,
    end,
    invite,
    listed,
    places,
    seen_appointments,
    seen_people,
)
from xomyen.centre.dates import in_force, today
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.permissions.giving import may_end, may_manage, roles_given
from xomyen.centre.permissions.roles import RULES, Role
from xomyen.centre.watch.ending import still_open, subject_of

_PER_PAGE = 50
_LINK = "link_to_hand_over"
_PLACE = "accounts:people"


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Oneself: name, roles in force, what protects the account, sessions, what was accepted."""
    person = request.user
    kinds = Authenticator.objects.filter(user=person).values_list("type", flat=True)
    context = {
        "held": person.appointments.filter(in_force(today())).select_related("unit", "post"),
        "factors": set(kinds),
        "sessions": UserSession.objects.purge_and_list(person),
        "accepted": person.acceptances.select_related("regulation__unit")[:20],
    }
    return render(request, "accounts/me.html", context)


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """The people of the units one may look into."""
    require(request.user, Action.USER_SEE)
    asked = request.GET
    wanted = Wanted(
        asked.get("q", "").strip(), asked.get("at", "").strip(), asked.get("role", ""), asked.get("state", "")
    )
    page = Paginator(listed(request.user, wanted), _PER_PAGE).get_page(asked.get("page"))
    kept = asked.copy()
    kept.pop("page", None)
    context = {
        "people": page,
        "wanted": wanted,
        "narrowed": any((wanted.text, wanted.place, wanted.role, wanted.state)),
        "roles": [role for role in RULES if role != Role.SCREEN],
        "states": [(state, _state_word(state)) for state in STATES],
        "query": kept.urlencode(),
        "may_invite": bool(roles_given(request.user)),
        "active_place": _PLACE,
    }
    return render(request, "accounts/people.html", context)


def _state_word(state: str) -> str:
    words = {
        "active": _("in service"),
        "invited": _("invited, not yet signed in"),
        "locked": _("locked"),
        "former": _("without a role"),
    }
    return words[state]


def _seen(request: HttpRequest, key: Any) -> User:
    """The person, or 404 as for one who is not there."""
    return get_object_or_404(seen_people(request.user), pk=key)


@never_cache
@require_GET
def person(request: HttpRequest, key: Any) -> HttpResponse:
    """One person: roles now, before and to come; sessions; what may be done."""
    shown = _seen(request, key)
    appointments = list(
        seen_appointments(request.user)
        .filter(user=shown)
        .select_related("unit", "post", "made_by")
        .order_by("-valid_to", "role")
    )
    now = today()
    context = {
        "person": shown,
        "now": [(one, may_end(request.user, one)) for one in appointments if one.holds(now)],
        "coming": [
            (one, may_end(request.user, one)) for one in appointments if one.valid_from and one.valid_from > now
        ],
        "past": [one for one in appointments if one.valid_to and one.valid_to <= now],
        "manageable": may_manage(request.user, shown),
        "appointable": shown.pk != request.user.pk and bool(roles_given(request.user)),
        "signed_in_at": UserSession.objects.filter(user=shown).count(),
        "factors": services.has_second_factor(shown),
        "open": still_open(request.user, subject_of(shown)),
        "tokens": shown.access_tokens.usable().count(),
        "link": request.session.pop(_LINK, None) if request.session.get(_LINK, {}).get("for") == str(key) else None,
        "active_place": _PLACE,
    }
    return render(request, "accounts/person.html", context)


def _hand_over(request: HttpRequest, person: User, path: str) -> HttpResponse:
    """To the person's page, which shows the link this once."""
    request.session[_LINK] = {"for": str(person.pk), "url": request.build_absolute_uri(path)}
    return redirect("accounts:person", person.pk)


@require_http_methods(["GET", "POST"])
def invite_person(request: HttpRequest) -> HttpResponse:
    """Somebody new, with a first role."""
    if not roles_given(request.user):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else None
    form, role = PersonForm(data), AppointmentForm(request.user, data)
    if data is not None and form.is_valid() and role.is_valid():
        made = form.save(commit=False)
        return _hand_over(request, made, invite(request.user, made, *role.appointed()))
    context = {"form": form, "role": role, "active_place": _PLACE, **_found(request, role)}
    return render(request, "accounts/invite.html", context, status=200)


@require_http_methods(["GET", "POST"])
def appoint_person(request: HttpRequest, key: Any) -> HttpResponse:
    """One more role for somebody."""
    shown = _seen(request, key)
    if shown.pk == request.user.pk or not roles_given(request.user):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else None
    form = AppointmentForm(request.user, data)
    if data is not None and form.is_valid():
        made = appoint(request.user, shown, *form.appointed())
        messages.success(request, _("Appointed: %(role)s.") % {"role": made})
        return redirect("accounts:person", shown.pk)
    context = {"person": shown, "role": form, "active_place": _PLACE, **_found(request, form)}
    return render(request, "accounts/appoint.html", context)


def _found(request: HttpRequest, form: AppointmentForm) -> dict[str, Any]:
    units, posts = places(request.user, "")
    return {"units": units, "posts": posts, "chosen": form.data.get("place", ""), "chosen_place": form.chosen()}


@require_GET
def places_found(request: HttpRequest) -> HttpResponse:
    """Part of a page: where one may appoint, by name or code."""
    require(request.user, Action.USER_EDIT)
    units, posts = places(request.user, request.GET.get("where", "").strip())
    return render(request, "accounts/places.html", {"units": units, "posts": posts})


@require_POST
def end_appointment(request: HttpRequest, key: Any, appointment: Any) -> HttpResponse:
    """Ends a role at once."""
    shown = _seen(request, key)
    ended = get_object_or_404(
        seen_appointments(request.user).select_related("unit", "post"), pk=appointment, user=shown
    )
    end(request.user, ended)
    messages.success(request, _("The role has ended: %(role)s.") % {"role": ended})
    # Whose last role here has ended may be out of sight.
    return redirect("accounts:person", shown.pk) if seen_people(request.user).filter(pk=shown.pk) else redirect(_PLACE)


@require_POST
def manage(request: HttpRequest, key: Any, what: str) -> HttpResponse:
    """Locking and unlocking, signing out everywhere, a new way in, a lost telephone."""
    shown = _seen(request, key)
    if not may_manage(request.user, shown):
        raise PermissionDenied
    if what == "link":
        services.sign_out_everywhere(shown)
        return _hand_over(request, shown, services.invitation_link(shown, request.user))
    done = {
        "lock": (services.lock, _("The account is locked and signed out everywhere.")),
        "unlock": (services.unlock, _("The account is unlocked.")),
        "sign-out": (services.sign_out_everywhere, _("Signed out everywhere.")),
        "second-factor": (
            services.forget_second_factor,
            _("The second factor is removed. At the next sign-in a new one has to be set up."),
        ),
    }.get(what)
    if done is None:
        raise Http404
    done[0](shown)
    messages.success(request, done[1])
    return redirect("accounts:person", shown.pk)
