"""Posts with their jurisdictions, schemes, and the register of mandate documents.

All raise PermissionDenied unless the person may, and ValidationError with words for people.
"""

import datetime
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, MandateDocument, Post, Scheme, Unit
from xomyen.centre.organisation.seeing import units_seen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units, require_in


def posts_seen(person: Any) -> QuerySet[Post]:
    """Posts that answer, or once answered, for a unit the person sees."""
    theirs = Jurisdiction.objects.filter(post=OuterRef("pk"), unit__in=units_seen(person).values("pk"))
    return Post.objects.filter(Exists(theirs))


def may_edit_post(person: Any, post: Post) -> bool:
    """Whether all units the post answers for now or later (or did last, when none is left) are the person's to edit."""
    rows = post.jurisdictions.all()
    lasting = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))
    counted = lasting if lasting.exists() else rows
    allowed = allowed_units(person, Action.POST_EDIT)
    return counted.filter(unit__in=allowed).exists() and not counted.exclude(unit__in=allowed).exists()


def _require_post(person: Any, post: Post) -> None:
    if not may_edit_post(person, post):
        raise PermissionDenied(str(Action.POST_EDIT))


def check_end(row: Any, end: datetime.date) -> None:
    """Raises ValidationError unless the row can hold until before this day."""
    if row.valid_from is not None and end <= row.valid_from:
        raise ValidationError(_("It would end before it begins."))
    if row.valid_to is not None and row.valid_to <= end:
        raise ValidationError(_("It already has an end date."))


@transaction.atomic
def create_post(person: Any, name: str, kind: str, units: Sequence[Unit], start: datetime.date | None = None) -> Post:
    """A post that answers for the units from its beginning on."""
    if not units:
        raise ValidationError(_("Choose the unit the post is responsible for."))
    for unit in units:
        require_in(person, Action.POST_EDIT, unit)
    post = Post.objects.create(name=name, kind=kind, valid_from=start)
    for unit in units:
        _answer(post, unit, start)
    return post


@transaction.atomic
def change_post(person: Any, post: Post, name: str, kind: str) -> Post:
    """Another name or kind."""
    _require_post(person, post)
    post.name, post.kind = name, kind
    post.save()
    return post


@transaction.atomic
def end_post(person: Any, post: Post, end: datetime.date) -> Post:
    """The post does not exist from the day `end` on; nor does it answer for any unit then."""
    _require_post(person, post)
    check_end(post, end)
    if post.jurisdictions.filter(valid_from__gte=end).exists():
        raise ValidationError(_("It is to take on a unit from a later day. End that first."))
    post.valid_to = end
    post.save()
    for jurisdiction in post.jurisdictions.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=end)):
        jurisdiction.valid_to = end
        jurisdiction.save()
    return post


@transaction.atomic
def add_jurisdiction(person: Any, post: Post, unit: Unit, start: datetime.date) -> Jurisdiction:
    """The post answers for this unit too, from the day on."""
    _require_post(person, post)
    require_in(person, Action.POST_EDIT, unit)
    return _answer(post, unit, start)


def _answer(post: Post, unit: Unit, start: datetime.date | None) -> Jurisdiction:
    day = start or today()
    if not post.holds(day):
        raise ValidationError(_("The post does not exist on that day."))
    if not unit.holds(day):
        raise ValidationError(_("%(unit)s does not exist on that day.") % {"unit": unit})
    if post.jurisdictions.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), unit=unit).exists():
        raise ValidationError(_("The post is already responsible for %(unit)s.") % {"unit": unit})
    return Jurisdiction.objects.create(post=post, unit=unit, valid_from=start, valid_to=post.valid_to)


@transaction.atomic
def end_jurisdiction(person: Any, jurisdiction: Jurisdiction, end: datetime.date) -> Jurisdiction:
    """The post does not answer for the unit from the day `end` on."""
    _require_post(person, jurisdiction.post)
    check_end(jurisdiction, end)
    jurisdiction.valid_to = end
    jurisdiction.save()
    return jurisdiction


@transaction.atomic
def save_document(person: Any, document: MandateDocument) -> MandateDocument:
    """Enters or mends a paper of a unit."""
    require_in(person, Action.SCHEME_EDIT, document.unit_id)
    stored = MandateDocument.objects.filter(pk=document.pk).first()
    if stored is not None:
        require_in(person, Action.SCHEME_EDIT, stored.unit_id)
    document.save()
    return document


@transaction.atomic
def save_scheme(person: Any, scheme: Scheme, groups: Sequence[Unit], documents: Sequence[MandateDocument]) -> Scheme:
    """Enters or mends a scheme: its groups lie in its unit, its papers are of that unit or of one above."""
    require_in(person, Action.SCHEME_EDIT, scheme.unit_id)
    stored = Scheme.objects.filter(pk=scheme.pk).first()
    if stored is not None:
        require_in(person, Action.SCHEME_EDIT, stored.unit_id)
    inside = set(Unit.objects.below(scheme.unit_id).values_list("pk", flat=True))
    if outside := [str(group) for group in groups if group.pk not in inside]:
        raise ValidationError(_("Not in the unit of the scheme: %(units)s.") % {"units": ", ".join(outside)})
    above = set(Unit.objects.above(scheme.unit_id).values_list("pk", flat=True)) | inside
    if foreign := [str(document) for document in documents if document.unit_id not in above]:
        raise ValidationError(_("Documents of other units: %(papers)s.") % {"papers": ", ".join(foreign)})
    scheme.save()
    scheme.groups.set(groups)
    scheme.documents.set(documents)
    return scheme


@transaction.atomic
def end_scheme(person: Any, scheme: Scheme, end: datetime.date) -> Scheme:
    """The scheme does not run from the day `end` on."""
    require_in(person, Action.SCHEME_EDIT, scheme.unit_id)
    check_end(scheme, end)
    scheme.valid_to = end
    scheme.save()
    return scheme
