"""What all processes of the centre remember together for a while: counted attempts, codes that were used."""

import datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.utils import timezone

from xomyen.centre.accounts.models import Remembered


class SharedCache(BaseCache):
    """A Django cache in the database, of JSON: what somebody wrote there can be wrong, but is not run (no pickle).

    Of keys only a digest is kept: names and codes stand in them.
    """

    def __init__(self, _location: str, parameters: dict[str, Any]) -> None:
        super().__init__(parameters)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keeps the value if there is none; of several at once one alone is told True."""
        digested, ends = self._key(key, version), self._end(timeout)
        Remembered.objects.filter(ends__lte=timezone.now()).delete()
        _kept, made = Remembered.objects.get_or_create(key=digested, defaults={"value": value, "ends": ends})
        return bool(made)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        found = Remembered.objects.filter(key=self._key(key, version), ends__gt=timezone.now()).first()
        return default if found is None else found.value

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        kept = {"value": value, "ends": self._end(timeout)}
        Remembered.objects.update_or_create(key=self._key(key, version), defaults=kept)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        found = Remembered.objects.filter(key=self._key(key, version), ends__gt=timezone.now())
        return bool(found.update(ends=self._end(timeout)))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(Remembered.objects.filter(key=self._key(key, version)).delete()[0])

    def clear(self) -> None:
        Remembered.objects.all().delete()

    def _key(self, key: Any, version: int | None) -> str:
        return Remembered.digest(self.make_key(key, version))

    def _end(self, timeout: Any) -> datetime.datetime:
        ends = self.get_backend_timeout(timeout)
        if ends is None:
            return datetime.datetime.max.replace(tzinfo=datetime.UTC)
        return datetime.datetime.fromtimestamp(ends, datetime.UTC)
