"""Layouts of walls and bookmarks."""

import uuid
from enum import StrEnum
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.folding import fold
from xomyen.centre.keys import KeyedModel
from xomyen.centre.organisation.models import Post


class Layout(KeyedModel):
    """Which cameras stand where on the wall of a post; everybody there chooses among the post's layouts."""

    SIZES = (1, 4, 9, 16, 25)

    unit_path = "post__units"
    post = models.ForeignKey(Post, models.CASCADE, related_name="layouts", verbose_name=_("post"))
    name = models.CharField(_("name"), max_length=60)
    size = models.PositiveSmallIntegerField(_("pictures"), choices=[(size, str(size)) for size in SIZES])
    cells = models.JSONField(_("cameras in their order"), default=list)  # ids as text
    made_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    changed = models.DateTimeField(auto_now=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("post__name", "name")
        constraints = (models.UniqueConstraint(fields=("post", "name"), name="one_layout_of_a_name_at_a_post"),)

    def __str__(self) -> str:
        return self.name


class Bookmark(KeyedModel):
    """A moment of a camera's recording that somebody wants to find again."""

    unit_path = "camera__site__unit"
    camera = models.ForeignKey(Camera, models.CASCADE, related_name="bookmarks", verbose_name=_("camera"))
    at = models.DateTimeField(_("moment"))
    note = models.TextField(_("note"), max_length=300, validators=[MaxLengthValidator(300)])
    folded = models.CharField(max_length=400, editable=False)
    made_by = models.ForeignKey(
        "accounts.User", models.SET_NULL, null=True, related_name="+", verbose_name=_("marked by")
    )
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("camera", "-at")),)

    def __str__(self) -> str:
        return self.note

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(self.note)
        super().save(*arguments, **options)

    def unit_of(self) -> uuid.UUID:
        return self.camera.site.unit_id


class AccessEnd(models.Model):
    """Whose access has ended, of all or of a part: tickets from before it are not to count at the nodes any more."""

    subject = models.CharField(max_length=60, primary_key=True)  # as tickets name it
    # The latest end; empty until what was being saved is in the database: a ticket made meanwhile is older then.
    at = models.DateTimeField(null=True)


class TicketsAt(models.Model):
    """That somebody was given tickets for a node, so that an end of their access is told there."""

    subject = models.CharField(max_length=60)
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    begun = models.DateTimeField()  # when the first was issued
    until = models.DateTimeField(db_index=True)  # when the last runs out
    told = models.DateTimeField(null=True)  # the end that the node has acknowledged

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "node"), name="tickets_of_a_subject_at_a_node"),)


class Reach(StrEnum):
    """Whose tickets rest on something that allows less than before."""

    UNIT = "unit"  # whose role reaches the unit
    PUBLIC = "public"  # of these, who sees public cameras alone
    PAST = "past"  # of these, who looks back
    POST = "post"  # who has a role at the post


class Narrowed(models.Model):
    """That rights have narrowed somewhere; whom that concerns is found out once all that was changed is saved.

    A merger of provinces narrows a thousand times, and ends everybody's tickets once.
    """

    reach = models.CharField(max_length=6)  # a Reach
    place = models.UUIDField()  # of a unit or post, as it was before
