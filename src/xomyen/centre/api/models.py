"""Personal access tokens, and what was answered to requests that may come twice."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xomyen.centre.accounts.models import User
from xomyen.centre.keys import KeyedModel


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    """Tokens in their states."""

    def usable(self) -> "AccessTokenQuerySet":
        """Those that count now."""
        return self.filter(revoked__isnull=True, expires__gt=timezone.now(), user__is_active=True)


class AccessToken(KeyedModel):
    """A secret with which a program acts for a person, within scopes and for a time. Only its hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("what for"), max_length=80)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret, which has 256 bits of chance
    beginning = models.CharField(max_length=12)  # of the secret, by which people know it again
    scopes = models.JSONField(_("may be used to"), default=list)
    # Made in a session that rested on more than a password: what officers' rights ask for.
    strong = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(_("expires"))
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)  # to five minutes

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


class KeptAnswer(KeyedModel):
    """A request with an Idempotency-Key, and what was answered to it (see `repeats.py`)."""

    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)  # SHA-256, as is the next
    asked = models.CharField(max_length=64)  # address and body
    begun = models.DateTimeField(db_index=True)
    sealed = models.BinaryField(null=True)  # with the token's secret; not there while it is being answered

    class Meta:
        constraints = (models.UniqueConstraint(fields=("token", "key"), name="one_answer_of_a_key"),)
