"""Addresses of the pages with pictures; those of the wall and the player are the same as on a node."""

from django.urls import path

from xomyen.centre.watch import views

app_name = "watch"
urlpatterns = [
    path("live", views.wall, name="wall"),
    path("camera/<uuid:camera>", views.player, name="player"),
    path("watch/tickets", views.tickets, name="tickets"),
]
