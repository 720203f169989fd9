"""The app of keeping a centre in order; it has no tables."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationConfig(AppConfig):
    name = "xomyen.centre.operation"
    label = "operation"
    verbose_name = _("Operation")
