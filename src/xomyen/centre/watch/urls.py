"""Addresses of the pages with pictures; those of the wall and the player are the same as on a node."""

from django.urls import path

from xomyen.centre.watch.views import bookmarks, cameras, grants, layouts, pages, tickets
from xomyen.centre.watch.views import map as maps

app_name = "watch"
urlpatterns = [
    path("live", pages.wall, name="wall"),
    path("camera/<uuid:camera>", pages.player, name="player"),
    path("together", pages.together, name="together"),
    path("map", maps.map_page, name="map"),
    path("watch/map/places", maps.map_places, name="map_places"),
    path("watch/map/tiles", maps.map_tiles, name="map_tiles"),
    path("bookmarks", bookmarks.bookmark_list, name="bookmark_list"),
    path("watch/tickets", tickets.tickets, name="tickets"),
    path("watch/grants", grants.grants, name="grants"),
    # At the top, for the pages there: a worker has no say over what lies above it.
    path("screen-worker.js", grants.worker, name="screen_worker"),
    path("watch/cameras", cameras.cameras, name="cameras"),
    path("watch/layouts", layouts.layouts, name="layouts"),
    path("watch/layouts/<uuid:key>", layouts.layout, name="layout"),
    path("watch/bookmarks", bookmarks.bookmarks, name="bookmarks"),
    path("watch/bookmarks/<uuid:key>", bookmarks.bookmark, name="bookmark"),
]
