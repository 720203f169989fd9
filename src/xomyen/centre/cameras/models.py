"""Nodes, sites, cameras and their streams; what is wanted and what is in force."""

import uuid
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from xomyen.centre.cameras.values import are_masks, hosts_of, is_origin
from xomyen.centre.folding import fold, has_marks, matches
from xomyen.centre.keys import KeyedModel
from xomyen.centre.organisation.models import MandateDocument, Unit
from xomyen.terms.names import tidy_name


class Node(KeyedModel):
    """The machine that records a set of cameras; its key is the node's own id."""

    unit_path = "unit"
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="nodes")
    name = models.CharField(_("name"), max_length=120)
    # Where browsers reach the node's gateway, such as https://camera.xa.example:8460.
    address = models.CharField(_("address"), max_length=200, validators=[is_origin])
    created = models.DateTimeField(auto_now_add=True)

    # What the link last heard of it.
    answers = models.BooleanField(default=False, editable=False)
    since = models.DateTimeField(null=True, blank=True, editable=False)  # since when it answers, or does not
    secrets_key = models.CharField(max_length=64, blank=True, editable=False)  # base64; passwords are sealed to it

    history = HistoricalRecords(excluded_fields=["answers", "since", "secrets_key"])

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def unit_of(self) -> uuid.UUID:
        return self.unit_id


class Owner(models.TextChoices):
    """Whose a camera is."""

    COMMUNE = "commune", _("commune")
    GROUP = "group", _("residential group")
    AGENCY = "agency", _("agency or school")
    ENTERPRISE = "enterprise", _("enterprise")
    HOUSEHOLD = "household", _("household")


class Site(KeyedModel):
    """A pole, wall or gate with a position; carries one or more cameras."""

    unit_path = "unit"
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="sites")
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=160)
    folded = models.CharField(max_length=200, editable=False, db_index=True)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )

    revision = models.PositiveIntegerField(default=1, editable=False)

    history = HistoricalRecords(excluded_fields=["folded", "revision"])

    class Meta:
        ordering = ("code",)
        constraints = (models.UniqueConstraint(fields=("unit", "code"), name="one_site_of_a_code_in_a_unit"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(f"{self.code} {self.name}")
        super().save(*arguments, **options)

    def unit_of(self) -> uuid.UUID:
        return self.unit_id

    @staticmethod
    def only_public() -> models.Q:
        """What a role that sees public cameras alone may see: where at least one of them hangs."""
        return models.Q(pk__in=Camera.objects.filter(Camera.only_public()).values("site"))


class Acceptance(models.TextChoices):
    """How far a camera has come; each step is dated with who took it."""

    PLANNED = "planned", _("planned")
    SURVEYED = "surveyed", _("surveyed")
    INSTALLED = "installed", _("installed")
    ACCEPTED = "accepted", _("accepted")
    SUSPENDED = "suspended", _("suspended")
    RETIRED = "retired", _("retired")


class CameraClass(KeyedModel):
    """A class of cameras sets how long footage is kept, within the enforced maximum."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    retention_days = models.PositiveIntegerField(
        _("days kept"), default=30, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    past_needs_purpose = models.BooleanField(_("a purpose is asked before looking back"), default=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Standing(models.TextChoices):
    """How what is wanted and what the node has in force stand to each other."""

    NOWHERE = "nowhere", _("not on a recorder")
    PENDING = "pending", _("being sent to the recorder")
    AWAY = "away", _("waiting for the recorder")
    REFUSED = "refused", _("refused by the recorder")
    CHANGED = "changed", _("changed on the recorder")
    IN_FORCE = "in_force", _("in force on the recorder")


class CameraQuerySet(models.QuerySet["Camera"]):
    """Cameras as lists want them."""

    def search(self, text: str) -> "CameraQuerySet":
        """Those whose code, name or site has the text; tone marks count only where some are typed."""
        found = self.filter(folded__contains=fold(text))
        if not has_marks(text):
            return found
        rows = found.values_list("pk", "code", "name", "site__code", "site__name")
        return self.filter(pk__in=[pk for pk, *words in rows if matches(text, " ".join(words))])

    def to_bring(self) -> "CameraQuerySet":
        """Those that a node has still to be brought to."""
        return self.filter(standing__in=(Standing.PENDING, Standing.AWAY))


class Camera(KeyedModel):
    """One lens. The key is the id under which its node knows it."""

    unit_path = "site__unit"
    site = models.ForeignKey(Site, models.PROTECT, related_name="cameras", verbose_name=_("site"))
    node = models.ForeignKey(
        Node, models.PROTECT, null=True, blank=True, related_name="cameras", verbose_name=_("recorder")
    )
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=100)
    folded = models.CharField(max_length=320, editable=False, db_index=True)
    order = models.IntegerField(_("place on the wall"), default=0)

    purpose = models.CharField(_("purpose"), max_length=300)
    owner = models.CharField(_("owner"), max_length=12, choices=Owner.choices, default=Owner.COMMUNE)
    owner_name = models.CharField(_("owner's name"), max_length=160, blank=True)
    funding = models.CharField(_("funding"), max_length=160, blank=True)
    # The paper it was put up on: a resolution, a decision.
    document = models.ForeignKey(
        MandateDocument,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cameras",
        verbose_name=_("mandate document"),
    )
    camera_class = models.ForeignKey(CameraClass, models.PROTECT, related_name="cameras", verbose_name=_("class"))
    is_public = models.BooleanField(_("watches public space"), default=True)  # False: private property

    height_m = models.FloatField(_("height (m)"), null=True, blank=True, validators=[MinValueValidator(0)])
    azimuth_deg = models.FloatField(
        _("azimuth (°)"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(360)]
    )
    tilt_deg = models.FloatField(
        _("tilt (°)"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    field_of_view_deg = models.FloatField(
        _("field of view (°)"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(360)]
    )

    main_url = models.CharField(_("main stream"), max_length=500, blank=True)
    sub_url = models.CharField(_("sub-stream"), max_length=500, blank=True)
    user = models.CharField(_("camera's user"), max_length=200, blank=True)
    # Sealed to its node's key; the centre cannot read it either.
    sealed_password = models.TextField(blank=True, editable=False)
    password_set = models.DateTimeField(_("camera's password"), null=True, blank=True, editable=False)
    # What was typed was one that its maker ships it with; told to those alone who may change the camera.
    factory_password = models.BooleanField(_("manufacturer's default password"), default=False, editable=False)
    enabled = models.BooleanField(_("records"), default=True)
    # Polygons of [x, y], parts of the picture's width and height.
    masks = models.JSONField(_("privacy masks"), default=list, blank=True, validators=[are_masks])

    onvif_address = models.CharField(_("ONVIF address"), max_length=300, blank=True)
    ptz_profile = models.CharField(_("media profile for turning"), max_length=64, blank=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=80, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=80, blank=True)
    firmware = models.CharField(_("firmware"), max_length=80, blank=True)
    firmware_support_ends = models.DateField(_("firmware supported until"), null=True, blank=True)
    certificate = models.CharField(_("certificate of conformity"), max_length=120, blank=True)
    ptz = models.BooleanField(_("can be turned"), default=False)

    acceptance = models.CharField(_("state"), max_length=10, choices=Acceptance.choices, default=Acceptance.PLANNED)
    created = models.DateTimeField(auto_now_add=True)

    revision = models.PositiveIntegerField(default=1, editable=False)  # of what is wanted; grows with every change

    # What the node has: written by the link, shown beside what is wanted.
    standing = models.CharField(
        max_length=10, choices=Standing.choices, default=Standing.NOWHERE, editable=False, db_index=True
    )
    standing_since = models.DateTimeField(null=True, blank=True, editable=False)
    in_force = models.JSONField(null=True, blank=True, editable=False)  # a CameraConfig
    in_force_revision = models.PositiveBigIntegerField(default=0, editable=False)  # of the node's configuration
    refused = models.CharField(max_length=500, blank=True, editable=False)  # the node's words, English
    refused_field = models.CharField(max_length=60, blank=True, editable=False)  # what of the configuration it is about
    streams = models.JSONField(default=dict, blank=True, editable=False)  # newest CameraEvent of each stream

    objects = CameraQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=[
            *("sealed_password", "revision", "standing", "standing_since", "in_force"),
            *("in_force_revision", "refused", "refused_field", "streams", "folded"),
        ]
    )

    class Meta:
        ordering = ("order", "code")
        constraints = (models.UniqueConstraint(fields=("site", "code"), name="one_camera_of_a_code_at_a_site"),)
        indexes = (models.Index(fields=("node", "order")), models.Index(fields=("acceptance", "owner")))

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *arguments: Any, **options: Any) -> None:
        self.name = tidy_name(self.name)  # as its node keeps it
        self.folded = self.searched_text()
        super().save(*arguments, **options)

    def searched_text(self) -> str:
        return fold(f"{self.code} {self.name} {self.site.code} {self.site.name}")

    def unit_of(self) -> uuid.UUID:
        return self.site.unit_id

    # Django's own go through all choices and translate each; lists ask for these by the hundred.
    def get_owner_display(self) -> str:
        return str(Owner(self.owner).label)

    def get_acceptance_display(self) -> str:
        return str(Acceptance(self.acceptance).label)

    def get_standing_display(self) -> str:
        return str(Standing(self.standing).label)

    @property
    def can_be_steered(self) -> bool:
        """Whether all is known that turning it needs. An earlier password is not sent to what may be another place."""
        known = self.ptz and self.onvif_address and self.ptz_profile and self.in_force and self.node_id
        return bool(known) and self.in_force.get("sealed_password", "") == self.sealed_password

    def hosts(self) -> frozenset[str]:
        """The machines to which its password is sent."""
        return hosts_of(self.main_url, self.sub_url, self.onvif_address)

    @staticmethod
    def only_public() -> models.Q:
        """What a role that sees public cameras alone may see."""
        return models.Q(is_public=True, acceptance=Acceptance.ACCEPTED)


class Removal(KeyedModel):
    """A node that a camera was taken from and that has still to let go of it; it may be away for long."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="removals")
    node = models.ForeignKey(Node, models.CASCADE, related_name="removals")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("camera", "node"), name="one_removal_of_a_camera_from_a_node"),)


class AcceptanceStep(KeyedModel):
    """A camera came to a state: when, by whom, and on which paper."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=10, choices=Acceptance.choices)
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        ordering = ("at",)


class ImportBatch(KeyedModel):
    """A table of cameras that was read and is shown before anything of it is taken in."""

    by = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+")  # where sites lie that name no unit
    file_name = models.CharField(max_length=200)
    made = models.DateTimeField(auto_now_add=True)
    rows = models.JSONField(default=list)  # dicts of text by column; passwords already sealed
    taken_in = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-made",)
