"""Addresses of this app's pages."""

app_name = "cameras"
urlpatterns: list[object] = []
