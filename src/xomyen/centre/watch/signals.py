"""What ends tickets in hand: whatever ends a way in, and whatever takes rights away."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.accounts.screens import key_changed
from xomyen.centre.accounts.services import access_ended
from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, UnitLink
from xomyen.centre.watch.ending import end, narrowed, subject_of
from xomyen.centre.watch.models import Reach
from xomyen.centre.watch.narrowing import FIELDS, IN, elsewhere, held_less, stored

_BEFORE = "_rights_before"  # on a row from just before it is saved until just after


@receiver((access_ended, password_changed, password_set, password_reset))
def a_way_in_ended(user: User, **_rest: Any) -> None:
    """Whoever held a ticket may be the reason."""
    end(subject_of(user))


def about_to_be_saved(sender: Any, instance: Any, raw: bool, update_fields: Any, **_rest: Any) -> None:
    """Reads what the row was, where it was there and something is saved by which rights are given."""
    before = None
    saved = None if update_fields is None else {name.removesuffix("_id") for name in update_fields}
    if not raw and not instance._state.adding and (saved is None or saved & set(FIELDS[sender])):
        before = stored(sender, instance.pk)
    setattr(instance, _BEFORE, before)


def place_changed(sender: Any, instance: Any, **_rest: Any) -> None:
    """Of a camera, or of what it belongs to."""
    before = getattr(instance, _BEFORE)
    for reach, places in IN[sender](instance, before) if before else ():
        narrowed(reach, places)


for model in FIELDS:
    pre_save.connect(about_to_be_saved, model)
for model in IN:
    post_save.connect(place_changed, model)


@receiver(post_delete, sender=Camera)
def camera_removed(instance: Camera, **_rest: Any) -> None:
    narrowed(Reach.UNIT, [instance.unit_of()])


@receiver(post_delete, sender=UnitLink)
def link_removed(instance: UnitLink, **_rest: Any) -> None:
    if instance.holds(today()):
        narrowed(Reach.UNIT, [instance.parent_id])


@receiver(post_delete, sender=Jurisdiction)
def jurisdiction_removed(instance: Jurisdiction, **_rest: Any) -> None:
    if instance.holds(today()):
        narrowed(Reach.POST, [instance.post_id])


@receiver(post_save, sender=Appointment)
def role_changed(instance: Appointment, **_rest: Any) -> None:
    """It may allow less than before; what it still allows, the page asks for again. A new one takes nothing away."""
    before = getattr(instance, _BEFORE)
    if before and (elsewhere(instance, before, "user", "role", "unit", "post") or held_less(instance, before)):
        end(f"user:{before['user']}")


@receiver(post_delete, sender=Appointment)
def role_removed(instance: Appointment, **_rest: Any) -> None:
    end(f"user:{instance.user_id}")


@receiver(post_delete, sender=User)
def person_removed(instance: User, **_rest: Any) -> None:
    end(subject_of(instance))


@receiver(post_save, sender=PairedScreen)
def screen_changed(instance: PairedScreen, **_rest: Any) -> None:
    """Turned off, or its time has ended, or it hangs elsewhere."""
    if instance.confirmed is None:
        return
    before = getattr(instance, _BEFORE)
    known = before is not None and before["confirmed"] is not None
    less = known and (elsewhere(instance, before, "unit", "post") or held_less(instance, before))
    if less or not instance.is_active:
        end(subject_of(instance))


@receiver(key_changed)
def key_of_a_screen_changed(screen: PairedScreen, **_rest: Any) -> None:
    """What was granted to the key before is not to count beside what the new one gets."""
    end(subject_of(screen))


@receiver(post_delete, sender=PairedScreen)
def screen_removed(instance: PairedScreen, **_rest: Any) -> None:
    """One that nobody had confirmed was given nothing."""
    if instance.confirmed is not None:
        end(subject_of(instance))
