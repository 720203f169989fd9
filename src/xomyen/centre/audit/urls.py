"""Addresses of this app's pages."""

from django.urls import path

from xomyen.centre.audit import views

app_name = "audit"
urlpatterns = [
    path("audit/", views.records, name="list"),
    path("audit/export/", views.export, name="export"),
]
