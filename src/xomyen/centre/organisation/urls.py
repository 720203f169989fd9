"""Addresses of this app's pages."""

app_name = "organisation"
urlpatterns: list[object] = []
