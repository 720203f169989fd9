"""Addresses of signing in elsewhere; the second is what a provider is told."""

from django.urls import path

from xomyen.centre.accounts.elsewhere import views

urlpatterns = [
    path("oidc/<slug:provider_id>/login/", views.login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", views.callback, name="openid_connect_callback"),
]
