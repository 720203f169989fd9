from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "xomyen.centre.api"
    label = "api"
    verbose_name = _("API")

    def ready(self) -> None:
        from xomyen.centre.api import signals  # noqa: F401  # listens from here on
