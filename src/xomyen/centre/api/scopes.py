"""What a token may be used for; a token never allows more than its owner's roles do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """One kind of use."""

    UNITS_READ = "units:read", _("see units, posts, documents and schemes")
    UNITS_WRITE = "units:write", _("change units, posts, schemes and documents")
    PEOPLE_READ = "people:read", _("see people and their roles")
    PEOPLE_WRITE = "people:write", _("invite and appoint people and end their roles")
    PEOPLE_MANAGE = "people:manage", _("lock and unlock people and sign them out everywhere")
    RULES_READ = "rules:read", _("see the regulations on use")
    RULES_WRITE = "rules:write", _("enact regulations on use, set how long footage is kept")
    CAMERAS_READ = "cameras:read", _("see cameras, sites and recorders")
    CAMERAS_WRITE = "cameras:write", _("enter and change cameras, sites and recorders")
    CAMERAS_TURN = "cameras:turn", _("turn cameras")
    CAMERAS_DISCOVER = "cameras:discover", _("look for cameras on the networks of recorders")
    TICKETS_ISSUE = "tickets:issue", _("get access tickets to pictures")
    WATCH_READ = "watch:read", _("see layouts of walls and bookmarks")
    WATCH_WRITE = "watch:write", _("save and remove layouts of walls and bookmarks")
    SCREENS_READ = "screens:read", _("see paired screens")
    SCREENS_WRITE = "screens:write", _("turn paired screens off")
    AUDIT_READ = "audit:read", _("read the audit log")
    AUDIT_EXPORT = "audit:export", _("export the audit log")
