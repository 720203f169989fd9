"""Addresses of this app's pages."""

from django.urls import path

from xomyen.centre.organisation.views import changes, registers, tree, unit

app_name = "organisation"
urlpatterns = [
    path("units/", tree.tree, name="tree"),
    path("units/open/", changes.matters, name="matters"),
    path("units/changes/<uuid:pk>/undo/", changes.undo_change, name="undo"),
    path("units/<uuid:pk>/", unit.unit, name="unit"),
    path("units/<uuid:pk>/children/", tree.children, name="children"),
    path("units/<uuid:pk>/schemes/add/", registers.add_scheme, name="add_scheme"),
    path("units/<uuid:pk>/change/<slug:sort>/", changes.change, name="change"),
    path("posts/", registers.posts, name="posts"),
    path("posts/add/", registers.add_post, name="add_post"),
    path("posts/<uuid:pk>/", registers.post, name="post"),
    path("posts/<uuid:pk>/edit/", registers.change_post, {"sort": "edit"}, name="edit_post"),
    path("posts/<uuid:pk>/end/", registers.change_post, {"sort": "end"}, name="end_post"),
    path("posts/<uuid:pk>/units/add/", registers.change_post, {"sort": "answer"}, name="add_jurisdiction"),
    path("posts/units/<uuid:pk>/end/", registers.end_jurisdiction, name="end_jurisdiction"),
    path("schemes/", registers.schemes, name="schemes"),
    path("schemes/<uuid:pk>/", registers.scheme, name="scheme"),
    path("schemes/<uuid:pk>/edit/", registers.change_scheme, {"sort": "edit"}, name="edit_scheme"),
    path("schemes/<uuid:pk>/end/", registers.change_scheme, {"sort": "end"}, name="end_scheme"),
    path("documents/", registers.documents, name="documents"),
    path("documents/add/", registers.add_document, name="add_document"),
    path("documents/<uuid:pk>/", registers.document, name="document"),
    path("documents/<uuid:pk>/edit/", registers.change_document, name="edit_document"),
]
