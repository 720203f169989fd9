"""What ends tickets in hand: whatever ends a way in, and whatever takes rights away."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.accounts.screens import key_changed
from xomyen.centre.accounts.services import access_ended
from xomyen.centre.watch.ending import end, subject_of


@receiver((access_ended, password_changed, password_set, password_reset))
def a_way_in_ended(user: User, **_rest: Any) -> None:
    """Whoever held a ticket may be the reason."""
    end(subject_of(user))


@receiver(post_save, sender=Appointment)
def role_changed(instance: Appointment, created: bool, **_rest: Any) -> None:
    """It may allow less than before; what it still allows, the page asks for again. A new one takes nothing away."""
    if not created:
        end(f"user:{instance.user_id}")


@receiver(post_delete, sender=Appointment)
def role_removed(instance: Appointment, **_rest: Any) -> None:
    end(f"user:{instance.user_id}")


@receiver(post_delete, sender=User)
def person_removed(instance: User, **_rest: Any) -> None:
    end(subject_of(instance))


@receiver(post_save, sender=PairedScreen)
def screen_changed(instance: PairedScreen, **_rest: Any) -> None:
    """Turned off, or its time has ended."""
    if instance.confirmed is not None and not instance.is_active:
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
