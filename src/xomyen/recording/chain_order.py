"""How far a chain of seals is in the index: what `meta` keeps of it, as JSON.

`place` counts the seals as they were made; `segment`, `sequence` and `seal` are those of the newest one. Volumes
commit by themselves, so a seal may be committed before the one that it names: `waiting` has the places that are
missing so far, each with the seal that follows it ("" when that is missing too). After a power cut they stay missing.
"""

import json
from typing import Any

_MOST_WAITING = 1000  # more than the power cuts of years leave


def chain_key(stream: int) -> str:
    """Where `meta` has a stream's chain, by the stream's number."""
    return f"chain:{stream}"


def with_seal(stored: str | None, place: int, segment: str, sequence: int, seal: str) -> str:
    """What is to be kept once this seal (hex hash of its statement) is committed."""
    before: dict[str, Any] = json.loads(stored) if stored is not None else {"place": 0}
    newest = int(before["place"])
    waiting: dict[str, str] = before.get("waiting", {})
    waiting.pop(str(place), None)
    for missing in range(max(newest + 1, place - _MOST_WAITING), place):
        waiting[str(missing)] = ""
    if str(place - 1) in waiting:
        waiting[str(place - 1)] = seal
    while len(waiting) > _MOST_WAITING:
        del waiting[min(waiting, key=int)]
    head = {"place": place, "segment": segment, "sequence": sequence, "seal": seal} if newest < place else before
    return json.dumps({**head, "waiting": waiting})


def seals_ahead(stored: str | None) -> set[str]:
    """Seals (hex hashes) that were committed before the one they name, which was not committed since.

    Its volume has yet to sync it, or lost it with the power and sealed what was promised anew.
    """
    return set(json.loads(stored).get("waiting", {}).values()) if stored is not None else set()
