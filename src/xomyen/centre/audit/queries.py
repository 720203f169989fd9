"""Which records somebody may read, and how they are narrowed down and paged through."""

import base64
import binascii
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q, QuerySet

from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.words import Kind
from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import Unit
from xomyen.centre.organisation.tree import below_sql, lines_above
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units, roots
from xomyen.centre.permissions.roles import roles_with


def readable(person: Any, action: Action = Action.AUDIT_READ) -> QuerySet[Record]:
    """The records a person may read (or export): those of their units, and nobody's where nobody stands above them."""
    found = Q(unit__in=allowed_units(person, action))
    if _is_topmost(person, action):
        found |= Q(unit__isnull=True)
    return Record.objects.filter(found)


def _is_topmost(person: Any, action: Action) -> bool:
    """Whether the person holds the action at a unit above which nobody holds it.

    What belongs to no unit, such as an attempt to sign in with an unknown name, is read by these.
    """
    own = roots(person, action)
    if not own:
        return False
    others = Appointment.objects.filter(in_force(today()), role__in=roles_with(action), user__is_active=True)
    held = set(others.exclude(unit=None).values_list("unit_id", flat=True))
    held |= set(
        others.exclude(post=None)
        .filter(in_force(today(), "post__"), in_force(today(), "post__jurisdictions__"))
        .values_list("post__jurisdictions__unit_id", flat=True)
    )
    lines = lines_above(own, today())
    return any(held.isdisjoint(lines.get(unit, set()) - {unit}) for unit in own)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for, as typed; empty: all."""

    who: str = ""
    kind: str = ""
    unit: str = ""  # name, code or id; with all under it
    camera: str = ""  # name, code or id
    from_ns: int | None = None
    to_ns: int | None = None

    def narrow(self, rows: QuerySet[Record]) -> QuerySet[Record]:
        """The rows among these that are wanted."""
        if self.who:
            # The command line, and people of other issuers, have a name in the log alone.
            rows = rows.filter(Q(person__in=_people(self.who)) | Q(person_folded__contains=fold(self.who)))
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.unit:
            key = _as_id(self.unit)
            found = Unit.objects.filter(pk=key) if key else Unit.objects.search(self.unit)
            rows = rows.filter(unit__in=below_sql(list(found.values_list("id", flat=True)), today()))
        if self.camera:
            rows = rows.filter(thing__in=_cameras(self.camera), thing_type="camera")
        if self.from_ns is not None:
            rows = rows.filter(at_ns__gte=self.from_ns)
        if self.to_ns is not None:
            rows = rows.filter(at_ns__lt=self.to_ns)
        return rows

    def said(self) -> dict[str, Any]:
        """The same for the record of the reading."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


def _as_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _people(text: str) -> list[str]:
    """Ids of all people and screens that have, or had, a name with the text; of whoever is gone, too."""
    key = _as_id(text)
    if key is not None:
        return [str(key)]
    wanted = fold(text)
    found = set(User.objects.filter(folded__contains=wanted).values_list("pk", flat=True))
    found |= set(User.history.filter(folded__contains=wanted).order_by().values_list("id", flat=True).distinct())
    found |= {pk for pk, name in PairedScreen.objects.values_list("pk", "name") if wanted in fold(name)}
    return sorted(map(str, found))


def _cameras(text: str) -> list[str]:
    """Ids of all cameras that have a name with the text, or had it when they were removed."""
    key = _as_id(text)
    if key is not None:
        return [str(key)]
    wanted = fold(text)
    found = {str(pk) for pk in Camera.objects.filter(folded__contains=wanted).values_list("pk", flat=True)}
    gone = Record.objects.filter(kind=Kind.CHANGE, action="camera.removed").values_list("thing", "thing_label")
    return sorted(found | {thing for thing, label in gone if wanted in fold(label)})


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the marks by which to go on; no row is counted."""

    rows: list[Record]
    older: str  # mark of the page after; empty: this is the last
    newer: str  # mark of the page before; empty: this is the first


def page_of(rows: QuerySet[Record], size: int, mark: str = "") -> Page:
    """A page of the rows. A mark that nobody was given begins anew."""
    place = _place(mark)
    if place is None:
        found = list(rows.order_by("-at_ns", "-sequence")[: size + 1])
        return Page(found[:size], _mark("o", found[size - 1]) if len(found) > size else "", "")
    direction, at_ns, sequence = place
    if direction == "o":
        behind = Q(at_ns__lt=at_ns) | Q(at_ns=at_ns, sequence__lt=sequence)
        found = list(rows.filter(behind).order_by("-at_ns", "-sequence")[: size + 1])
        shown = found[:size]
        newer = _mark("n", shown[0]) if shown else ""
        return Page(shown, _mark("o", shown[-1]) if len(found) > size else "", newer)
    before = Q(at_ns__gt=at_ns) | Q(at_ns=at_ns, sequence__gt=sequence)
    found = list(rows.filter(before).order_by("at_ns", "sequence")[: size + 1])
    shown = found[:size][::-1]
    older = _mark("o", shown[-1]) if shown else ""
    return Page(shown, older, _mark("n", shown[0]) if len(found) > size else "")


def _mark(direction: str, row: Record) -> str:
    return base64.urlsafe_b64encode(f"{direction}{row.at_ns}.{row.sequence}".encode()).decode().rstrip("=")


def _place(mark: str) -> tuple[str, int, int] | None:
    try:
        text = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)).decode("ascii")
        direction, (at_ns, sequence) = text[:1], (int(part) for part in text[1:].split("."))
    except (ValueError, binascii.Error):
        return None
    if direction not in ("o", "n") or not (0 <= at_ns < 2**63 and 0 <= sequence < 2**63):
        return None
    return direction, at_ns, sequence
