from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class WatchConfig(AppConfig):
    name = "xomyen.centre.watch"
    label = "watch"
    verbose_name = pgettext_lazy("part of the centre", "Watch")

    def ready(self) -> None:
        from xomyen.centre.watch import signals  # noqa: F401  # listens from here on
