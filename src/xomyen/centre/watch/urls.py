"""Addresses of this app's pages."""

app_name = "watch"
urlpatterns: list[object] = []
