"""The one writer of the chain: moves entries that wait into it, in order, a batch per transaction."""

import asyncio
import time

from django.conf import settings
from django.db import transaction

from xomyen.centre.audit.chain import BEGINNING, SignedHead, digest_of, link
from xomyen.centre.audit.models import Head, Pending, Record
from xomyen.centre.audit.off_loop import in_database
from xomyen.proof.keys import SigningKey

_BATCH = 500
_LOOK_S = 0.5


async def write_chain() -> None:
    """Duty: takes up what waits, for the life of the process."""
    while True:
        if not await in_database(chain_pending):
            await asyncio.sleep(_LOOK_S)


def chain_pending(limit: int = _BATCH) -> int:
    """Moves up to `limit` entries into the chain and signs its new head; how many it took.

    Rows, head and the removal of the entries are one transaction: whoever dies in between has done nothing. A second
    writer waits for the head's lock (SQLite has one lock for all), then goes on from the new head.
    """
    if not Pending.objects.exists():
        return 0
    with transaction.atomic():
        Head.objects.get_or_create(pk=1, defaults={"hash": BEGINNING})
        head = Head.objects.select_for_update().get(pk=1)
        waiting = list(Pending.objects.order_by("number")[:limit])
        # An event that a node sent again may wait while the chain has it already.
        known = set(Record.objects.filter(id__in=[one.id for one in waiting]).values_list("id", flat=True))
        rows = []
        for pending in waiting:
            if pending.id in known:
                continue
            head.sequence += 1
            row = Record.of(pending, head.sequence)
            row.digest = digest_of(row.content())
            row.hash = head.hash = link(head.hash, row.digest)
            rows.append(row)
        Record.objects.bulk_create(rows)
        Pending.objects.filter(number__in=[one.number for one in waiting]).delete()
        if rows:
            _sign(head)
    return len(waiting)


def _sign(head: Head) -> None:
    key = SigningKey.load_or_create(settings.FOLDER.issuer_key)
    signed = SignedHead.sign(key, head.sequence, head.hash, time.time_ns())
    head.at_ns, head.key, head.signature = signed.at_ns, signed.key, signed.signature
    head.save()
