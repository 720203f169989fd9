"""People and the roles they hold, what they agreed to, links that let in once, and screens without a person."""

import datetime
import hashlib
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from xomyen.centre.dates import DatedModel, period_is_forward, today
from xomyen.centre.folding import fold
from xomyen.centre.keys import KeyedModel
from xomyen.centre.organisation.models import Post, Unit
from xomyen.centre.permissions.roles import Role


class UserManager(BaseUserManager["User"]):
    """Makes people; nobody is made with rights, those come from appointments."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        person = self.model(username=username, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class User(KeyedModel, AbstractBaseUser):
    """A person who signs in. No rights of its own: they come from appointments."""

    username = models.CharField(
        _("user name"), max_length=60, unique=True, validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]{2,}$")]
    )
    full_name = models.CharField(_("full name"), max_length=120)
    folded = models.CharField(max_length=160, editable=False, db_index=True)
    rank = models.CharField(_("rank and position"), max_length=120, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(
        _("language"), max_length=5, default="vi", choices=[("vi", "Tiếng Việt"), ("en", "English")]
    )
    is_active = models.BooleanField(_("active"), default=True)
    # Part of what sessions are checked against: one more, and every session of the person has ended.
    session_round = models.PositiveIntegerField(default=0, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    # Of last_login there is a row in the audit log; a history of it would say nothing.
    history = HistoricalRecords(excluded_fields=["password", "last_login", "session_round"])

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ("full_name",)

    class Meta:
        ordering = ("full_name",)

    def __str__(self) -> str:
        return self.full_name or self.username

    def save(self, *arguments: Any, **options: Any) -> None:
        self.folded = fold(f"{self.full_name} {self.username}")
        super().save(*arguments, **options)

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        """The given name, which is how people in Viet Nam are addressed; it comes last."""
        return self.full_name.rpartition(" ")[2]

    def get_session_auth_hash(self) -> str:
        """What a session keeps of the person: another password or another round ends it."""
        return salted_hmac("xomyen.session", f"{self.password}\n{self.session_round}", algorithm="sha256").hexdigest()

    # Django's own permissions are not used (see xomyen.centre.permissions): nobody has any by them.
    is_staff = False
    is_superuser = False

    def has_perm(self, _permission: str, _thing: Any = None) -> bool:
        return False

    def has_module_perms(self, _label: str) -> bool:
        return False


class Appointment(KeyedModel, DatedModel):
    """A role held at a unit, or at a post, for a time. Rights flow down the tree."""

    user = models.ForeignKey(User, models.CASCADE, related_name="appointments")
    role = models.CharField(_("role"), max_length=20, choices=[c for c in Role.choices if c[0] != Role.SCREEN])
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="appointments")
    post = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="appointments")
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    history = HistoricalRecords()

    class Meta:
        ordering = ("role",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(unit__isnull=False, post__isnull=True)
                | models.Q(unit__isnull=True, post__isnull=False),
                name="appointed_at_a_unit_or_a_post",
            ),
            period_is_forward("appointment_time_runs_forward"),
        )

    def __str__(self) -> str:
        return f"{self.get_role_display()} – {self.unit or self.post}"

    def save(self, *arguments: Any, **options: Any) -> None:
        super().save(*arguments, **options)
        # Roles are kept on the person's object while it lives (permissions.decide.held_by).
        self.user._held_roles = None


class Regulation(KeyedModel, DatedModel):
    """One version of a unit's regulation on use (quy chế); it holds for the unit and all under it."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="regulations")
    version = models.PositiveIntegerField(_("version"))
    number = models.CharField(_("number"), max_length=60, blank=True, help_text=_("of the decision that enacts it"))
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("text"))
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    unit_path = "unit"

    class Meta:
        ordering = ("unit", "-version")
        constraints = (
            models.UniqueConstraint(fields=("unit", "version"), name="one_regulation_of_a_version"),
            period_is_forward("regulation_time_runs_forward"),
        )

    def __str__(self) -> str:
        return self.title


class Acceptance(KeyedModel):
    """Somebody read a version of a regulation and agreed to keep it; never changed nor taken back."""

    # The record stays when the person is deleted, with the name they had.
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="acceptances")
    name = models.CharField(max_length=120)
    regulation = models.ForeignKey(Regulation, models.PROTECT, related_name="acceptances")
    at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ("-at",)
        constraints = (models.UniqueConstraint(fields=("user", "regulation"), name="accepted_once"),)


class LinkPurpose(models.TextChoices):
    """What following a link does."""

    SIGN_IN = "sign_in", _("sign in once")
    INVITATION = "invitation", _("choose a password")
    SET_UP = "set_up", _("set up the centre")


class EntryLink(KeyedModel):
    """A link that lets in once; only a digest of its code is kept."""

    purpose = models.CharField(max_length=12, choices=LinkPurpose.choices)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="entry_links")
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)
    # Nobody: made by whoever owns the machine, at its command line.
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) | models.Q(purpose=LinkPurpose.SET_UP),
                name="a_link_is_for_somebody",
            ),
        )


class Try(models.Model):
    """Once that somebody tried to guess something secret (see `tries.py`)."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = (models.Index(fields=("key", "at"), name="tries_of_a_key"),)


class Remembered(models.Model):
    """Something that all processes remember together until its end (see `shared.py`)."""

    key = models.CharField(max_length=64, primary_key=True)
    value = models.JSONField(null=True)
    ends = models.DateTimeField(db_index=True)

    @staticmethod
    def digest(key: str) -> str:
        """What is kept of a key."""
        return hashlib.sha256(key.encode()).hexdigest()


class PairedScreenQuerySet(models.QuerySet["PairedScreen"]):
    """Screens in their states."""

    def waiting(self) -> "PairedScreenQuerySet":
        """Those that show a code which nobody has confirmed, and which can still be."""
        return self.filter(confirmed__isnull=True, revoked__isnull=True, code_expires__gt=timezone.now())

    def paired(self) -> "PairedScreenQuerySet":
        return self.filter(confirmed__isnull=False, revoked__isnull=True)


class PairedScreen(KeyedModel, DatedModel):
    """A screen on a wall that shows pictures without anybody signed in: its rights are those of Role.SCREEN.

    Its browser holds a secret in a cookie, of which the digest is kept here.
    """

    name = models.CharField(_("name"), max_length=120, blank=True)
    code = models.CharField(_("code"), max_length=8, unique=True, null=True, blank=True)
    code_expires = models.DateTimeField()
    digest = models.CharField(max_length=64, unique=True)
    # The thumbprint of its browser's own key (RFC 7638), by which nodes know it while the centre is out of reach.
    key = models.CharField(max_length=43, blank=True, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="screens")
    post = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="screens")
    confirmed = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    last_seen = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = PairedScreenQuerySet.as_manager()
    # What pages ask of whoever looks.
    is_authenticated = True
    is_anonymous = False
    is_screen = True
    rank = ""

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(confirmed__isnull=True)
                | models.Q(unit__isnull=False, post__isnull=True)
                | models.Q(unit__isnull=True, post__isnull=False),
                name="a_paired_screen_is_at_a_unit_or_a_post",
            ),
            period_is_forward("screen_time_runs_forward"),
        )

    def __str__(self) -> str:
        return self.name or str(_("screen"))

    @property
    def is_active(self) -> bool:
        """Whether it may show pictures."""
        return self.confirmed is not None and self.revoked is None and self.holds(today())

    @property
    def appointments(self) -> models.QuerySet["PairedScreen"]:
        """Its one role and place, as `permissions.decide.held_by` reads those of a person."""
        return PairedScreen.objects.filter(pk=self.pk).annotate(role=models.Value(str(Role.SCREEN)))

    @property
    def place(self) -> Unit | Post | None:
        return self.unit or self.post

    @property
    def seen_lately(self) -> bool:
        """Whether it asked for something within two minutes."""
        return self.last_seen is not None and timezone.now() - self.last_seen < datetime.timedelta(minutes=2)
