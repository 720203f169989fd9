"""The audit log: entries that wait for the chain, the chain itself, and its head."""

import json
import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from xomyen.centre.audit.chain import SignedHead
from xomyen.centre.audit.words import Kind, kind_of
from xomyen.centre.folding import fold
from xomyen.centre.keys import new_key
from xomyen.proof.seal import canonical_json


class AppendOnly(TypeError):
    """Somebody tried to change or delete what may only grow."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are added and read, nothing else."""

    def update(self, **_values: Any) -> int:
        raise AppendOnly("the audit log is not changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly("nothing is deleted from the audit log")


class Entry(models.Model):
    """What a record says. Names and ids stand here as text: nothing that is deleted elsewhere is lost here."""

    id = models.UUIDField(default=new_key, unique=True, editable=False)  # of the event; an event counts once
    at_ns = models.BigIntegerField(_("time"))  # when it happened, UTC
    action = models.CharField(_("action"), max_length=60)
    person = models.CharField(max_length=200, blank=True)  # id of the user or screen; empty: the system itself
    person_name = models.CharField(_("person"), max_length=200, blank=True)
    thing_type = models.CharField(max_length=60, blank=True)
    thing = models.CharField(max_length=200, blank=True)
    thing_label = models.CharField(_("object"), max_length=300, blank=True)
    unit = models.UUIDField(null=True, blank=True)  # whose matter it is; decides who may read it
    unit_label = models.CharField(_("unit"), max_length=200, blank=True)
    purpose = models.CharField(_("purpose"), max_length=500, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    source = models.CharField(max_length=36, blank=True)  # id of the node that told of it; empty: the centre
    # Canonical JSON as text: a database that orders keys anew would change what was hashed.
    details_json = models.TextField(default="{}", blank=True)

    class Meta:
        abstract = True

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.details_json)
        return found

    @staticmethod
    def encode(details: dict[str, Any]) -> str:
        return canonical_json(details).decode()


ENTRY_FIELDS = tuple(field.attname for field in Entry._meta.local_fields)
"""What moves from an entry that waits into the chain."""


class Pending(Entry):
    """An entry written in the transaction of the deed itself; the worker moves it into the chain."""

    number = models.BigAutoField(primary_key=True)

    class Meta:
        ordering = ("number",)


class Record(Entry):
    """A row of the chain."""

    unit_path = "unit"
    sequence = models.BigIntegerField(primary_key=True)  # from 1, without holes
    digest = models.CharField(max_length=64)  # of the content
    hash = models.CharField(max_length=64)  # of the hash before and the digest
    # For searching alone, and no part of what is hashed.
    kind = models.CharField(max_length=12, choices=Kind.choices, editable=False)
    person_folded = models.CharField(max_length=200, editable=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ("-at_ns", "-sequence")
        indexes = [
            models.Index(fields=("-at_ns", "-sequence"), name="audit_by_time"),
            models.Index(fields=("unit", "-at_ns", "-sequence"), name="audit_by_unit"),
            models.Index(fields=("person", "-at_ns", "-sequence"), name="audit_by_person"),
            models.Index(fields=("kind", "-at_ns", "-sequence"), name="audit_by_kind"),
            models.Index(fields=("thing", "-at_ns", "-sequence"), name="audit_by_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"

    @classmethod
    def of(cls, pending: Pending, sequence: int) -> "Record":
        """The row an entry becomes, not hashed yet."""
        values = {name: getattr(pending, name) for name in ENTRY_FIELDS}
        folded = fold(pending.person_name)[:200]
        return cls(**values, sequence=sequence, kind=kind_of(pending.action), person_folded=folded)

    def content(self) -> dict[str, Any]:
        """What is hashed, in the form that exports show."""
        return {
            "version": 1,
            "sequence": self.sequence,
            "id": str(self.id),
            "at_ns": self.at_ns,
            "action": self.action,
            "person": {"id": self.person, "name": self.person_name},
            "thing": {"type": self.thing_type, "id": self.thing, "label": self.thing_label},
            "unit": {"id": "" if self.unit is None else str(self.unit), "label": self.unit_label},
            "purpose": self.purpose,
            "address": self.address,
            "source": self.source,
            "details": self.details,
        }

    def save(self, *arguments: Any, **options: Any) -> None:
        raise AppendOnly("rows come into the audit log by its writer alone")

    def delete(self, *arguments: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("nothing is deleted from the audit log")

    def unit_of(self) -> uuid.UUID | None:
        return self.unit


class Head(models.Model):
    """The one row that says where the chain stands; whoever writes the chain holds its lock."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    at_ns = models.BigIntegerField(default=0)
    key = models.CharField(max_length=64, blank=True)  # fingerprint of the key that signed
    signature = models.CharField(max_length=128, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_head_of_the_audit_log"),)

    def signed(self) -> SignedHead:
        return SignedHead(self.sequence, self.hash, self.at_ns, self.key, self.signature)


class NodeReading(models.Model):
    """Up to where this centre has read a node's event stream (see `gaps.py`)."""

    node = models.UUIDField(primary_key=True)
    read_to = models.BigIntegerField()  # number of an event, of whatever kind
    at_ns = models.BigIntegerField()
