"""The changes of a unit as people read them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from xomyen.centre.organisation.models import Change, ChangeKind, Unit
from xomyen.centre.organisation.services.recording import why_not_undone

_LAST = 50


@dataclass(frozen=True, slots=True)
class Told:
    """A change in words."""

    change: Change
    text: str
    can_be_undone: bool


def told(change: Change) -> str:
    """What was done, with the names as they were then."""
    summary = change.summary
    units, to = ", ".join(summary.get("units", ())), ", ".join(summary.get("to", ()))
    words = {"units": units, "to": to, "parent": summary.get("parent", ""), "before": summary.get("before", "")}
    match change.kind:
        case ChangeKind.CREATE:
            text = _("%(to)s was set up under %(parent)s")
        case ChangeKind.CORRECT:
            text = _("The entry was corrected: %(units)s") if units == to else _("Corrected: %(units)s to %(to)s")
        case ChangeKind.RENAME:
            text = _("%(units)s was renamed %(to)s")
        case ChangeKind.MOVE:
            text = (
                _("%(units)s went from %(before)s to %(parent)s")
                if words["before"]
                else _("%(units)s was placed under %(parent)s")
            )
        case ChangeKind.MERGE:
            text = _("%(to)s took in %(units)s") if summary["goes_on"] else _("%(units)s merged into %(to)s")
        case ChangeKind.SPLIT:
            text = (
                _("%(to)s was taken out of %(units)s")
                if summary.get("goes_on")
                else _("%(units)s was divided into %(to)s")
            )
        case ChangeKind.CLOSE:
            text = _("%(units)s ended, %(to)s took over") if to else _("%(units)s ended")
        case _other:
            text = _("Matters of %(units)s were handed over to %(to)s")
    return text % words


def told_changes(unit: Unit) -> list[Told]:
    """The changes recorded of this unit, the newest first."""
    changes = unit.changes.select_related("made_by", "undone_by", "document")[:_LAST]
    # Only the newest that stands can be undone.
    newest = next((one for one in changes if one.undone_at is None), None)
    undoable = newest if newest is not None and not why_not_undone(newest) else None
    return [Told(change, told(change), change == undoable) for change in changes]
