"""Hands what is still registered at a unit that ended to the unit that goes on."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from xomyen.centre.cameras.models import Site
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Change, ChangeKind, Jurisdiction, Unit
from xomyen.centre.organisation.services.matters import open_matters
from xomyen.centre.organisation.services.recording import Entry, Recorder
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require_in


@transaction.atomic
def hand_over(unit: Unit, successor: Unit, person: Any) -> Change:
    """Sites, machines, schemes and jurisdictions go to the successor today; appointments are decided one by one.

    Raises ValidationError when the successor does not exist or has sites of the same codes, PermissionDenied.
    """
    for one in sorted((unit, successor), key=lambda one: one.pk):
        one.refresh_from_db(from_queryset=Unit.objects.select_for_update())
        require_in(person, Action.UNIT_EDIT, one)
    day = today()
    if not successor.holds(day):
        raise ValidationError(_("%(unit)s does not exist on that day.") % {"unit": successor})
    matters = open_matters(unit)
    codes = {site.code for site in matters.sites}
    if taken := sorted(Site.objects.filter(unit=successor, code__in=codes).values_list("code", flat=True)):
        raise ValidationError(
            _("%(unit)s has sites of these codes already: %(codes)s. Give one of each another code first.")
            % {"unit": successor, "codes": ", ".join(taken)}
        )
    recorder = Recorder()
    recorder.touch(unit, successor)
    for row in (*matters.sites, *matters.nodes, *matters.schemes):
        recorder.alter(row, unit_id=successor.pk)
    for jurisdiction in matters.jurisdictions:
        _hand_over_jurisdiction(recorder, jurisdiction, successor)
    return recorder.keep(ChangeKind.HAND_OVER, Entry(person, day), units=[str(unit)], to=[str(successor)])


def _hand_over_jurisdiction(recorder: Recorder, jurisdiction: Jurisdiction, successor: Unit) -> None:
    day = today()
    until = jurisdiction.valid_to
    post = jurisdiction.post
    if jurisdiction.valid_from is not None and jurisdiction.valid_from >= day:
        recorder.alter(jurisdiction, unit_id=successor.pk)
        return
    recorder.alter(jurisdiction, valid_to=day)
    if not post.jurisdictions.filter(in_force(day), unit=successor).exists():
        recorder.add(Jurisdiction(post=post, unit=successor, valid_from=day, valid_to=until))
