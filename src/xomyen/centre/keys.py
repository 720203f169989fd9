"""Primary keys: UUIDv7, so that rows sort by the time they were made and ids mean the same on every node."""

import uuid

from django.db import models

from xomyen.terms.ids import new_id


def new_key() -> uuid.UUID:
    return uuid.UUID(new_id())


class KeyedModel(models.Model):
    """A row with a UUIDv7 as its key."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)

    class Meta:
        abstract = True
