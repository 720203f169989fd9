"""Addresses of this app's pages."""

app_name = "audit"
urlpatterns: list[object] = []
