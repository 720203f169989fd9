"""Chains of seals: where each stream's stands at a start, and telling the bus."""

import contextlib
import json

from xomyen.bus.messages import ChainEvent
from xomyen.proof.keys import SIGNATURE_BYTES
from xomyen.proof.seal import InvalidSeal, Statement
from xomyen.recording.chain_order import chain_key
from xomyen.recording.index import Index
from xomyen.recording.open_segment import StreamChain
from xomyen.terms.ids import new_id
from xomyen.terms.time import Clock
from xomyen.terms.words import StreamName


def load_chains(index: Index) -> dict[tuple[str, str], StreamChain]:
    """Where each stream's chain of seals stands, deleted segments included."""
    chains: dict[tuple[str, str], StreamChain] = {}
    query = index.database.execute
    for number, camera, name in query("SELECT id, camera, name FROM stream").fetchall():
        chain = chains[camera, name] = StreamChain()
        last = query("SELECT max(sequence) FROM segment WHERE stream = ?", (number,)).fetchone()[0] or 0
        head = query(
            "SELECT id, sequence, seal_hash FROM segment WHERE stream = ? AND seal_hash IS NOT NULL"
            " ORDER BY sequence DESC LIMIT 1",
            (number,),
        ).fetchone()
        buried = query(
            "SELECT seal FROM tombstone WHERE stream = ? AND seal IS NOT NULL ORDER BY start_ns DESC LIMIT 1", (number,)
        ).fetchone()
        if head is None and buried is not None:
            with contextlib.suppress(InvalidSeal):
                statement = Statement.decode(buried[0][:-SIGNATURE_BYTES])
                head = (statement.segment, statement.sequence, statement.hash())
        if head is not None:
            chain.head_segment, chain.head_sequence, chain.previous = head[0], head[1], head[2].hex()
        chain.next_sequence = max(last, chain.head_sequence) + 1
        stored = index.meta(chain_key(number))
        if stored is not None:
            # A segment that was sealed late has a smaller number than the one that its seal follows.
            newest = json.loads(stored)
            chain.length = newest["place"]
            row = query("SELECT seal_hash FROM segment WHERE id = ?", (newest["segment"],)).fetchone()
            if row is None or row[0] == bytes.fromhex(newest["seal"]):
                chain.head_segment, chain.head_sequence = newest["segment"], newest["sequence"]
                chain.previous = newest["seal"]
    return chains


def chain_heads(index: Index, clock: Clock) -> list[ChainEvent]:
    """An event for each stream that has a seal, as the index knows it: of a newer one nothing is promised yet.

    A disk may still lose it, and what was told elsewhere would speak of footage that was removed.
    """
    now_ns = clock.wall_ns()
    told = []
    for number, camera, name in index.database.execute("SELECT id, camera, name FROM stream").fetchall():
        stored = index.meta(chain_key(number))
        if stored is not None:
            head = json.loads(stored)
            told.append(
                ChainEvent(
                    id=new_id(clock),
                    camera=camera,
                    stream=StreamName(name),
                    sequence=head["sequence"],
                    segment=head["segment"],
                    seal=head["seal"],
                    at_ns=now_ns,
                )
            )
    return told
