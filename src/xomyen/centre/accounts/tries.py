"""How often something secret was guessed wrongly: counted in the database, for all processes together."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from xomyen.centre.accounts.models import Try
from xomyen.centre.accounts.services import digest


@dataclass(frozen=True, slots=True)
class Bound:
    """So many wrong tries within a time, of one kind."""

    kind: str
    most: int
    within: datetime.timedelta


SECOND_FACTOR = Bound("second_factor", 5, datetime.timedelta(minutes=15))
"""Of a person, from wherever: six digits stand few guesses. Passkeys cannot be guessed and are not counted."""
NAME = Bound("name", 30, datetime.timedelta(hours=1))
"""Of a user name, from all addresses together; so loose that one address alone does not reach it."""
_KEPT = max(SECOND_FACTOR.within, NAME.within)


def begin(bound: Bound, whose: str) -> Try | None:
    """Counts a try as wrong before it is looked at, so that many at once do not slip through; None: no more now."""
    now = timezone.now()
    Try.objects.filter(at__lt=now - _KEPT).delete()
    # Of names only a digest: somebody may have typed a password in their place.
    key = digest(f"{bound.kind}:{whose}")
    made = Try.objects.create(key=key, at=now)
    if Try.objects.filter(key=key, at__gt=now - bound.within).count() <= bound.most:
        return made
    # What is refused says nothing about the secret: it makes the wait no longer.
    made.delete()
    return None


def was_right(begun: Try) -> None:
    """The try counts no more."""
    begun.delete()
