"""Personal access tokens."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from xomyen.centre.accounts.models import User
from xomyen.centre.keys import KeyedModel


class AccessToken(KeyedModel):
    """A secret with which a program acts for a person, within scopes and for a time. Only its hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("what for"), max_length=80)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret, which has 256 bits of chance
    beginning = models.CharField(max_length=12)  # of the secret, by which people know it again
    scopes = models.JSONField(_("may be used to"), default=list)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(_("expires"))
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)  # to five minutes

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"
