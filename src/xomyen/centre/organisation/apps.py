from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganisationConfig(AppConfig):
    name = "xomyen.centre.organisation"
    label = "organisation"
    verbose_name = _("Organisation")
