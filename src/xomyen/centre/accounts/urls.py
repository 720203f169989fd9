"""Addresses of people's pages."""

from django.urls import path

from xomyen.centre.accounts import views

app_name = "accounts"
urlpatterns = [
    path("me/", views.me, name="me"),
    path("people/", views.people, name="people"),
]
