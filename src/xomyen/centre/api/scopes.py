"""What a token may be used for; a token never allows more than its owner's roles do."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """One kind of use."""

    UNITS_READ = "units:read", _("see units")
    PEOPLE_READ = "people:read", _("see people and their roles")
    PEOPLE_WRITE = "people:write", _("appoint people and end their roles")
    CAMERAS_READ = "cameras:read", _("see cameras, sites and recorders")
    CAMERAS_WRITE = "cameras:write", _("enter and change cameras and sites")
    TICKETS_ISSUE = "tickets:issue", _("get access tickets to pictures")
    AUDIT_READ = "audit:read", _("read the audit log")
