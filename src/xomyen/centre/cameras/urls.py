"""Addresses of the pages of cameras, sites and recorders."""

from django.urls import path

from xomyen.centre.cameras import (
    class_views,
    discovery_views,
    import_views,
    mask_views,
    node_views,
    pick_views,
    place_views,
    ptz_views,
    views,
)

app_name = "cameras"
urlpatterns = [
    path("cameras/", views.camera_list, name="list"),
    path("cameras/add/", views.add_camera, name="add"),
    path("cameras/classes/", class_views.class_list, name="classes"),
    path("cameras/classes/add/", class_views.add_class, name="add-class"),
    path("cameras/classes/<uuid:key>/", class_views.edit_class, name="edit-class"),
    path("cameras/import/", import_views.give_in, name="import"),
    path("cameras/import/template/", import_views.download_template, name="import-template"),
    path("cameras/import/<uuid:batch>/", import_views.preview, name="import-preview"),
    path("cameras/pick/<slug:kind>/", pick_views.pick, name="pick"),
    path("cameras/probe/", discovery_views.probe, name="probe"),
    path("cameras/<uuid:camera>/", views.camera_page, name="camera"),
    path("cameras/<uuid:camera>/state/", views.camera_state, name="state"),
    path("cameras/<uuid:camera>/edit/", views.edit_camera, name="edit"),
    path("cameras/<uuid:camera>/masks/", mask_views.masks, name="masks"),
    path("cameras/<uuid:camera>/masks/look/", mask_views.look, name="mask-look"),
    path("cameras/<uuid:camera>/masks/look/<uuid:job>/", mask_views.look_state, name="mask-look-state"),
    path("cameras/<uuid:camera>/steer/", ptz_views.steer, name="steer"),
    path("cameras/<uuid:camera>/step/", views.step, name="step"),
    path("cameras/<uuid:camera>/try-again/", views.try_again, name="try-again"),
    path("cameras/<uuid:camera>/take-recorders/", views.take_the_recorders, name="take-recorders"),
    path("sites/", place_views.site_list, name="sites"),
    path("sites/add/", place_views.add_site, name="add-site"),
    path("sites/<uuid:site>/", place_views.site_page, name="site"),
    path("sites/<uuid:site>/edit/", place_views.edit_site, name="edit-site"),
    path("recorders/", node_views.node_list, name="nodes"),
    path("recorders/add/", node_views.add_node, name="add-node"),
    path("recorders/<uuid:node>/", node_views.node_page, name="node"),
    path("recorders/<uuid:node>/now/", node_views.node_now, name="node-now"),
    path("recorders/<uuid:node>/edit/", node_views.edit_node, name="edit-node"),
    path("recorders/<uuid:node>/discover/", discovery_views.discover, name="discover"),
    path("recorders/<uuid:node>/discover/<uuid:job>/", discovery_views.search, name="search"),
    path("recorders/<uuid:node>/probe/<uuid:job>/", discovery_views.probe_state, name="probe-state"),
    path("recorders/<uuid:node>/take-over/<uuid:camera>/", node_views.take_over, name="take-over"),
]
