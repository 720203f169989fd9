"""The rows of an export, from the database."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, Min

from xomyen.centre.audit.chain import BEGINNING
from xomyen.centre.audit.export import Line
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.queries import Wanted, readable
from xomyen.centre.permissions.actions import Action

_CHUNK = 1000


class Extract:
    """What a person wants of the log, between the first and the last such row as of now."""

    def __init__(self, person: Any, wanted: Wanted) -> None:
        self._rows = wanted.narrow(readable(person, Action.AUDIT_EXPORT))
        found = self._rows.order_by().aggregate(first=Min("sequence"), last=Max("sequence"))
        self.first: int = found["first"] or 1
        self.last: int = found["last"] or 0

    @property
    def previous(self) -> str:
        """The hash before the first row."""
        before = Record.objects.filter(sequence=self.first - 1).values_list("hash", flat=True).first()
        return before or BEGINNING

    def lines(self) -> Iterator[Line]:
        """Every row in between; those not wanted, or of other units, without their content."""
        after = self.first - 1
        while after < self.last:
            until = min(after + _CHUNK, self.last)
            span = {"sequence__gt": after, "sequence__lte": until}
            wanted = {row.sequence: row for row in self._rows.filter(**span)}
            every = Record.objects.filter(**span).order_by("sequence")
            for sequence, digest, row_hash in every.values_list("sequence", "digest", "hash"):
                row = wanted.get(sequence)
                yield Line(sequence, digest, row_hash, None if row is None else row.content())
            after = until
