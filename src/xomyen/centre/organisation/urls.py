"""Addresses of this app's pages."""

from django.urls import path

from xomyen.centre.organisation.views import tree, unit

app_name = "organisation"
urlpatterns = [
    path("units/", tree.tree, name="tree"),
    path("units/<uuid:pk>/children/", tree.children, name="children"),
    path("units/<uuid:pk>/", unit.unit, name="unit"),
]
