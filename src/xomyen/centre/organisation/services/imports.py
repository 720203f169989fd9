"""Brings the official units into the database: those of today, those before 1 July 2025, and what became what."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction

from xomyen.centre.audit.services import record
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import FormerName, Succession, Unit, UnitKind, UnitLink
from xomyen.centre.organisation.services.register import REFORM, Listed, Lists, read_lists

_BATCH = 2_000
_BEFORE = REFORM - datetime.timedelta(days=1)
Told = Callable[[str, int], None]  # what was written, and how many of it


@dataclass(slots=True)
class Imported:
    """What an import did."""

    units: int = 0
    kept: int = 0  # were there already; what people made of them stays
    links: int = 0
    successions: int = 0
    conflicts: list[str] = field(default_factory=list)  # another unit has the code at that time: left out


def import_units(told: Told = lambda _what, _count: None) -> Imported:
    """Adds what is missing, all or nothing; a second run adds nothing and changes nothing that people entered.

    Raises InvalidConfiguration when the lists are not installed.
    """
    lists = read_lists()
    with transaction.atomic():
        run = _Import(lists)
        told("units", run.put_units())
        told("former names", run.put_former_names())
        told("places in the tree", run.put_links())
        told("predecessors", run.put_successions())
        if run.done.units or run.done.links:
            # One record for all: rows that come by the thousand have no history of their own.
            record("unit.imported", details={"units": run.done.units})
    return run.done


class _Import:
    """One run: the units found or made so far, by their keys in the lists."""

    def __init__(self, lists: Lists) -> None:
        self.done = Imported()
        self._lists = lists
        self._old: dict[str, Unit] = {}
        self._new: dict[str, Unit] = {}
        self._begun: list[Unit] = []  # entered by hand without a beginning; the lists know it
        self._fresh: list[Unit] = []
        self._known: dict[tuple[str, str], list[Unit]] = {}
        for unit in Unit.objects.exclude(kind=UnitKind.GROUP):
            self._known.setdefault((unit.kind, unit.code), []).append(unit)
        for former in FormerName.objects.select_related("unit"):
            self._known.setdefault((former.unit.kind, former.code), []).append(former.unit)

    def put_units(self) -> int:
        """The units of both lists; those that went on are one unit with the name of today."""
        went_on = {new: old for old, new in self._lists.same.items()}
        for key, listed in self._lists.new.items():
            unit = self._unit(listed, None if key in went_on else REFORM, None, REFORM)
            if unit is not None:
                self._new[key] = unit
                if key in went_on:
                    self._old[went_on[key]] = unit
        for key, listed in self._lists.old.items():
            if key not in self._lists.same and (unit := self._unit(listed, None, REFORM, _BEFORE)) is not None:
                self._old[key] = unit
        Unit.objects.bulk_update(self._begun, ["valid_from"])
        Unit.objects.bulk_create(self._fresh, batch_size=_BATCH)
        self.done.units = len(self._fresh)
        return self.done.units

    def _unit(
        self, listed: Listed, start: datetime.date | None, end: datetime.date | None, then: datetime.date
    ) -> Unit | None:
        """The unit that had the code `then`, or a new one; None when another unit has the code."""
        full_name = f"{listed.type_name} {listed.name}"
        for unit in self._known.get((listed.kind, listed.code), ()):
            if not unit.holds(then):
                continue
            if start is not None and unit.valid_from is None and unit.folded == fold(full_name):
                unit.valid_from = start
                self._begun.append(unit)
            if (end != REFORM and unit.valid_from == start) or end == REFORM == unit.valid_to:
                self.done.kept += 1
                return unit
            self.done.conflicts.append(f"{listed.code} {full_name}")
            return None
        made = Unit(
            code=listed.code,
            kind=listed.kind,
            type_name=listed.type_name,
            name=listed.name,
            folded=fold(full_name),
            latitude=listed.latitude,
            longitude=listed.longitude,
            valid_from=start,
            valid_to=end,
        )
        self._fresh.append(made)
        return made

    def put_former_names(self) -> int:
        """What units that went on were called before."""
        known = set(FormerName.objects.values_list("unit_id", flat=True))
        fresh = []
        for old, new in self._lists.same.items():
            before, unit = self._lists.old[old], self._new.get(new)
            if unit is None or unit.pk in known or before.called == self._lists.new[new].called:
                continue
            words = {"code": before.code, "type_name": before.type_name, "name": before.name}
            folded = fold(f"{before.type_name} {before.name}")
            fresh.append(FormerName(unit=unit, folded=folded, valid_to=REFORM, **words))
        FormerName.objects.bulk_create(fresh)
        return len(fresh)

    def put_links(self) -> int:
        """Where each hung before and hangs since; a unit that ended hangs under the one that has most of it."""
        wanted: list[UnitLink] = []
        for units, listed, dates in (
            (self._old, self._lists.old, {"valid_to": REFORM}),
            (self._new, self._lists.new, {"valid_from": REFORM}),
        ):
            for key, one in listed.items():
                if one.parent is not None and key in units and one.parent in units:
                    wanted.append(UnitLink(unit=units[key], parent=units[one.parent], **dates))
        wanted += [
            UnitLink(unit=self._old[part.old], parent=self._new[part.new], valid_from=REFORM)
            for part in self._lists.taken_over
            if part.main and part.old in self._old and part.new in self._new
        ]
        placed = set(UnitLink.objects.values_list("unit_id", "valid_from"))
        lasting = set(UnitLink.objects.filter(valid_to=None).values_list("unit_id", flat=True))
        fresh = [
            link
            for link in wanted
            if (link.unit_id, link.valid_from) not in placed
            and (link.valid_to is not None or link.unit_id not in lasting)
        ]
        UnitLink.objects.bulk_create(fresh, batch_size=_BATCH)
        self.done.links = len(fresh)
        return self.done.links

    def put_successions(self) -> int:
        """What became what."""
        known = set(Succession.objects.filter(on=REFORM).values_list("predecessor_id", "successor_id"))
        fresh = []
        for part in self._lists.taken_over:
            old, new = self._old.get(part.old), self._new.get(part.new)
            if old is not None and new is not None and (old.pk, new.pk) not in known:
                fresh.append(Succession(predecessor=old, successor=new, on=REFORM, kind=part.kind, whole=part.whole))
        Succession.objects.bulk_create(fresh, batch_size=_BATCH)
        self.done.successions = len(fresh)
        return self.done.successions
