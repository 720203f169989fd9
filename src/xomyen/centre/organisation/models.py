"""Units, their places in the tree over time, posts, schemes and mandate documents."""

import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
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
        """Those that are or were called so, or have the code; marks are ignored here (`folding.matches` is exact)."""
        wanted = models.Q(folded__contains=fold(text)) | models.Q(code__startswith=text.strip())
        former = FormerName.objects.filter(wanted).values("unit")
        return self.filter(wanted | models.Q(id__in=former))

    def coded(self, code: str, kind: str, day: datetime.date) -> "UnitQuerySet":
        """Who has the code on the day: at most one, for codes were given anew but never twice at a time."""
        then = FormerName.objects.filter(in_force(day), code=code).values("unit")
        later = FormerName.objects.filter(valid_to__gt=day).values("unit")
        return self.on(day).filter((models.Q(code=code) & ~models.Q(id__in=later)) | models.Q(id__in=then), kind=kind)


class Unit(KeyedModel, DatedModel):
    """An administrative unit or residential group.

    The key people know is code plus date: codes were given anew in 2025. A unit that is renamed stays itself and keeps
    what it was called in `former_names`; one that is merged or divided ends, and others succeed it.
    """

    unit_path = "pk"
    code = models.CharField(_("code"), max_length=20, validators=[RegexValidator(r"^[0-9A-Z.-]+$")])
    kind = models.CharField(_("kind"), max_length=10, choices=UnitKind.choices)
    type_name = models.CharField(_("type"), max_length=40, help_text=_("as written before the name: Xã, Phường, Thôn"))
    name = models.CharField(_("name"), max_length=120)
    folded = models.CharField(max_length=200, editable=False, db_index=True)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    official = models.BooleanField(_("official code"), default=True)  # False: the product issued the code

    objects = UnitQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(fields=("code", "kind", "valid_from"), name="unit_code_from_a_day"),
            # What the product issues is never issued again.
            models.UniqueConstraint(
                fields=("code",), condition=models.Q(official=False), name="issued_code_of_one_unit_for_ever"
            ),
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


class FormerName(KeyedModel, DatedModel):
    """What a unit was called, and which code it had, during a time; `valid_from` None: since it began."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="former_names")
    code = models.CharField(max_length=20)
    type_name = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    folded = models.CharField(max_length=200, editable=False, db_index=True)

    class Meta:
        ordering = ("valid_to",)
        constraints = (
            models.UniqueConstraint(fields=("unit", "valid_to"), name="one_former_name_until_a_day"),
            period_is_forward("former_name_time_runs_forward"),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.type_name} {self.name}".strip()

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(self.full_name)
        super().save(*arguments, **options)


class UnitLink(KeyedModel, DatedModel):
    """Where a unit hangs in the tree during a time.

    After its last day a unit hangs under the one that took over its matters (or stays where it was when none did), so
    that what is still registered there is not lost from sight; lists of units take those that exist (`on`).
    """

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
    RENAME = "rename", _("became")
    ABOLISH = "abolish", _("abolished")


class Succession(KeyedModel):
    """One unit took over, wholly or in part, from another on a day."""

    predecessor = models.ForeignKey(Unit, models.PROTECT, related_name="succeeded_by")
    successor = models.ForeignKey(Unit, models.PROTECT, related_name="took_over_from")
    on = models.DateField(_("day"))
    kind = models.CharField(max_length=10, choices=SuccessionKind.choices)
    whole = models.BooleanField(_("wholly"), default=True)  # False: a part of the predecessor, the rest went elsewhere

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("predecessor", "successor", "on"), name="one_succession_a_day"),
            models.CheckConstraint(
                condition=~models.Q(predecessor=models.F("successor")), name="no_unit_succeeds_itself"
            ),
        )


class PostKind(models.TextChoices):
    POLICE = "police", _("commune police")
    DUTY_ROOM = "duty_room", _("duty room")
    COMMAND_CENTRE = "command_centre", _("command centre")
    STEERING_BOARD = "steering_board", _("steering board")
    CULTURE_HOUSE = "culture_house", _("culture house")
    TECHNICAL = "technical", pgettext_lazy("post", "technical department")


class Post(KeyedModel, DatedModel):
    """Where screens and duty officers are; not a unit, but answerable for some by its jurisdictions."""

    unit_path = "jurisdictions__unit"
    name = models.CharField(_("name"), max_length=160)
    kind = models.CharField(_("kind"), max_length=20, choices=PostKind.choices)
    folded = models.CharField(max_length=200, editable=False, db_index=True)
    units = models.ManyToManyField(Unit, through="Jurisdiction", related_name="posts")

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (period_is_forward("post_time_runs_forward"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(self.name)
        super().save(*arguments, **options)


class Jurisdiction(KeyedModel, DatedModel):
    """A post answers for a unit, and all under it, during a time."""

    unit_path = "unit"
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
    """A paper on which something rests: nghị quyết, quyết định, quy chế, công văn. Its time is that of its effect."""

    unit_path = "unit"
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind.choices)
    number = models.CharField(_("number"), max_length=60)
    title = models.CharField(_("about"), max_length=300)
    issuer = models.CharField(_("issued by"), max_length=160)
    issued = models.DateField(_("issued on"))
    folded = models.CharField(max_length=400, editable=False, db_index=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("-issued", "number")
        constraints = (
            models.UniqueConstraint(fields=("unit", "number", "issued"), name="one_document_of_a_number_and_day"),
            period_is_forward("document_time_runs_forward"),
        )

    def __str__(self) -> str:
        return f"{self.number} ({self.issued:%d/%m/%Y})"

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(f"{self.number} {self.title}")
        super().save(*arguments, **options)


class Scheme(KeyedModel, DatedModel):
    """The local camera model: its founding papers and its units."""

    unit_path = "unit"
    name = models.CharField(_("name"), max_length=200)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="schemes")
    groups = models.ManyToManyField(Unit, blank=True, related_name="part_of_schemes")
    launched = models.DateField(_("launched on"), null=True, blank=True)
    documents = models.ManyToManyField(MandateDocument, blank=True, related_name="schemes")
    folded = models.CharField(max_length=240, editable=False, db_index=True)

    history = HistoricalRecords(m2m_fields=[groups, documents])

    class Meta:
        ordering = ("name",)
        constraints = (period_is_forward("scheme_time_runs_forward"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(self.name)
        super().save(*arguments, **options)


class ChangeKind(models.TextChoices):
    CREATE = "create", _("set up")
    CORRECT = "correct", _("entry corrected")
    RENAME = "name", _("renamed")
    MOVE = "move", _("placed elsewhere")
    MERGE = "merge", _("merged")
    SPLIT = "split", _("divided")
    CLOSE = "close", _("closed")
    HAND_OVER = "hand_over", _("matters handed over")


class Change(KeyedModel):
    """A change of the tree that somebody recorded: what, from which day, by whom, on which paper."""

    kind = models.CharField(max_length=12, choices=ChangeKind.choices)
    day = models.DateField()  # from which it is in force
    summary = models.JSONField(default=dict)  # names, as they were when it was recorded
    units = models.ManyToManyField(Unit, related_name="changes")
    document = models.ForeignKey(MandateDocument, models.SET_NULL, null=True, blank=True, related_name="changes")
    basis = models.CharField(_("basis"), max_length=200, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # Each row that was made or altered, with what it was before and after: what undoing puts back.
    steps = models.JSONField(default=list)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-made_at", "-id")
