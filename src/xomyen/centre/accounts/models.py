"""People and the roles they hold."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from xomyen.centre.dates import DatedModel, period_is_forward
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
    created = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    # Of last_login there is a row in the audit log; a history of it would say nothing.
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

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
