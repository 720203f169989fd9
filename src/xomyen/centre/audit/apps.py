from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "xomyen.centre.audit"
    label = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        from xomyen.centre.audit.signals import connect  # needs the models

        connect()
