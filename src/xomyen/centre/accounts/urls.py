"""Addresses of people's pages."""

from django.urls import path

from xomyen.centre.accounts import entering, first_start, regulation_views, screen_views, views

app_name = "accounts"
urlpatterns = [
    path("account/link/", entering.LinkView.as_view(), name="link"),
    path("account/welcome/", entering.WelcomeView.as_view(), name="welcome"),
    path("account/second-factor/", entering.second_factor, name="second_factor"),
    path("account/regulations/", entering.regulations, name="regulations"),
    path("account/onward/", entering.onward_view, name="onward"),
    path("account/set-up/", first_start.UnitStep.as_view(), name="set_up"),
    path("account/set-up/officer/", first_start.OfficerStep.as_view(), name="set_up_officer"),
    path("me/", views.me, name="me"),
    path("people/", views.people, name="people"),
    path("people/invite/", views.invite_person, name="invite"),
    path("people/places/", views.places_found, name="places"),
    path("people/<uuid:key>/", views.person, name="person"),
    path("people/<uuid:key>/appoint/", views.appoint_person, name="appoint"),
    path("people/<uuid:key>/appointments/<uuid:appointment>/end/", views.end_appointment, name="end"),
    path("regulations/", regulation_views.regulation_list, name="regulation_list"),
    path("regulations/enact/", regulation_views.enact_regulation, name="enact"),
    path("regulations/<uuid:key>/", regulation_views.regulation_text, name="regulation"),
    path("pair/", screen_views.pair, name="pair"),
    path("pair/state/", screen_views.pair_state, name="pair_state"),
    path("screens/", screen_views.screen_list, name="screens"),
    path("screens/<uuid:key>/revoke/", screen_views.revoke, name="revoke_screen"),
    path("people/<uuid:key>/<slug:what>/", views.manage, name="manage"),
]
