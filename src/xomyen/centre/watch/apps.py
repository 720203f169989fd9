from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class WatchConfig(AppConfig):
    name = "xomyen.centre.watch"
    label = "watch"
    verbose_name = pgettext_lazy("part of the centre", "Watch")

    def ready(self) -> None:
        # They need the models.
        from xomyen.centre.link.ended import ended
        from xomyen.centre.watch import ending

        import_module("xomyen.centre.watch.signals")  # listens from here on
        ended.book = ending
