"""Units, their places in the tree over time, posts, schemes and mandate documents."""

import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from xomyen.centre.dates import DatedModel, in_force, period_is_forward, today
from xomyen.centre.folding import fold
from xomyen.centre.keys import KeyedModel
from xomyen.centre.organisation.tree import above_sql, below_sql


class UnitKind(models.TextChoices):
    """Levels of administration; the tree itself has any depth."""

    PROVINCE = "province", _("province or city")
    DISTRICT = "district", _("district")
    COMMUNE = "commune", _("commune or ward")
    GROUP = "group", _("residential group")


class UnitQuerySet(models.QuerySet["Unit"]):
    """Units in their tree as of a day."""

    def on(self, day: datetime.date) -> "UnitQuerySet":
        """Those that exist on the day."""
        return self.filter(in_force(day))

    def below(self, roots: Any, day: datetime.date | None = None) -> "UnitQuerySet":
        """The roots (ids) and all under them on the day, however deep; one query."""
        return self.filter(id__in=below_sql(roots, day or today()))

    def above(self, unit: Any, day: datetime.date | None = None) -> "UnitQuerySet":
        """The unit and all it belongs to on the day, one query."""
        return self.filter(id__in=above_sql(unit, day or today()))

    def search(self, text: str) -> "UnitQuerySet":
        """Those whose name or code has the text; marks are ignored here (`folding.matches` is exact)."""
        return self.filter(models.Q(folded__contains=fold(text)) | models.Q(code__startswith=text.strip()))


class Unit(KeyedModel, DatedModel):
    """An administrative unit or residential group, as it is called during its time.

    The key people know is code plus date: codes were given anew in 2025.
    """

    code = models.CharField(_("code"), max_length=20, validators=[RegexValidator(r"^[0-9A-Z.-]+$")])
    kind = models.CharField(_("kind"), max_length=10, choices=UnitKind.choices)
    type_name = models.CharField(_("type"), max_length=40, help_text=_("as written before the name: Xã, Phường, Thôn"))
    name = models.CharField(_("name"), max_length=120)
    folded = models.CharField(max_length=200, editable=False, db_index=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    official = models.BooleanField(_("official code"), default=True)  # False: the product issued the code

    objects = UnitQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(fields=("code", "kind", "valid_from"), name="unit_code_from_a_day"),
            period_is_forward("unit_time_runs_forward"),
        )
        indexes = (models.Index(fields=("kind", "code")),)

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.type_name} {self.name}".strip()

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(self.full_name)
        super().save(*arguments, **options)


class UnitLink(KeyedModel, DatedModel):
    """Where a unit hangs in the tree during a time."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="parent_links")
    parent = models.ForeignKey(Unit, models.PROTECT, related_name="child_links")

    history = HistoricalRecords()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("unit", "valid_from"), name="one_parent_from_a_day"),
            models.CheckConstraint(condition=~models.Q(unit=models.F("parent")), name="no_unit_is_its_own_parent"),
            period_is_forward("unit_link_time_runs_forward"),
        )


class SuccessionKind(models.TextChoices):
    MERGE = "merge", _("merged")
    SPLIT = "split", _("split")
    RENAME = "rename", _("renamed")
    ABOLISH = "abolish", _("abolished")


class Succession(KeyedModel):
    """One unit took over, wholly or in part, from another on a day."""

    predecessor = models.ForeignKey(Unit, models.PROTECT, related_name="succeeded_by")
    successor = models.ForeignKey(Unit, models.PROTECT, related_name="took_over_from")
    on = models.DateField(_("day"))
    kind = models.CharField(max_length=10, choices=SuccessionKind.choices)
    whole = models.BooleanField(_("wholly"), default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("predecessor", "successor", "on"), name="one_succession_a_day"),)


class PostKind(models.TextChoices):
    POLICE = "police", _("commune police")
    DUTY_ROOM = "duty_room", _("duty room")
    COMMAND_CENTRE = "command_centre", _("command centre")
    STEERING_BOARD = "steering_board", _("steering board")
    CULTURE_HOUSE = "culture_house", _("culture house")
    TECHNICAL = "technical", _("technical department")


class Post(KeyedModel, DatedModel):
    """Where screens and duty officers are; not a unit, but answerable for some by its jurisdictions."""

    name = models.CharField(_("name"), max_length=160)
    kind = models.CharField(_("kind"), max_length=20, choices=PostKind.choices)
    units = models.ManyToManyField(Unit, through="Jurisdiction", related_name="posts")

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (period_is_forward("post_time_runs_forward"),)

    def __str__(self) -> str:
        return self.name


class Jurisdiction(KeyedModel, DatedModel):
    """A post answers for a unit, and all under it, during a time."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="jurisdictions")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="jurisdictions")

    history = HistoricalRecords()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("post", "unit", "valid_from"), name="one_jurisdiction_from_a_day"),
            period_is_forward("jurisdiction_time_runs_forward"),
        )


class DocumentKind(models.TextChoices):
    RESOLUTION = "resolution", _("resolution")
    DECISION = "decision", _("decision")
    REGULATION = "regulation", _("regulation")
    LETTER = "letter", _("official letter")


class MandateDocument(KeyedModel, DatedModel):
    """A paper on which something rests: nghị quyết, quyết định, quy chế, công văn."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind.choices)
    number = models.CharField(_("number"), max_length=60)
    title = models.CharField(_("about"), max_length=300)
    issuer = models.CharField(_("issued by"), max_length=160)
    issued = models.DateField(_("issued on"))

    history = HistoricalRecords()

    class Meta:
        ordering = ("-issued", "number")
        constraints = (
            models.UniqueConstraint(fields=("unit", "number", "issued"), name="one_document_of_a_number_and_day"),
            period_is_forward("document_time_runs_forward"),
        )

    def __str__(self) -> str:
        return f"{self.number} ({self.issued:%d/%m/%Y})"


class Scheme(KeyedModel, DatedModel):
    """The local camera model: its founding papers and its units."""

    name = models.CharField(_("name"), max_length=200)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="schemes")
    groups = models.ManyToManyField(Unit, blank=True, related_name="part_of_schemes")
    launched = models.DateField(_("launched on"), null=True, blank=True)
    documents = models.ManyToManyField(MandateDocument, blank=True, related_name="schemes")

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (period_is_forward("scheme_time_runs_forward"),)

    def __str__(self) -> str:
        return self.name
