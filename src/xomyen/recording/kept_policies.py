"""How long each stream's footage is kept, remembered in the index: also while nobody records it."""

import json
from collections.abc import Callable

from xomyen.recording.index import Index
from xomyen.recording.index_thread import Work
from xomyen.recording.policy import StreamPolicy
from xomyen.terms.words import StreamName

_PREFIX = "keep:"  # in `meta`, with camera and stream


class KeptPolicies:
    """Lives on the event loop; `post` hands work to the index.

    Retention must not judge footage by the cameras that are recorded now: right after a start there are none, and one
    that is switched off, or was removed, was promised its days as well.
    """

    def __init__(self, post: Callable[[Work], object]) -> None:
        self._post = post
        self._known: dict[tuple[str, str], StreamPolicy] = {}

    def load(self, index: Index) -> None:
        """What earlier processes knew."""
        rows = index.database.execute("SELECT key, value FROM meta WHERE key GLOB ?", (f"{_PREFIX}*",)).fetchall()
        for key, value in rows:
            camera, _, stream = key.removeprefix(_PREFIX).partition("/")
            kept = json.loads(value)
            self._known[camera, stream] = StreamPolicy(retention_days=kept["days"], retention_bytes=kept["bytes"])

    def remember(self, camera: str, stream: StreamName, policy: StreamPolicy) -> None:
        """From now on the stream's footage is kept so long."""
        key = (camera, str(stream))
        kept = StreamPolicy(retention_days=policy.retention_days, retention_bytes=policy.retention_bytes)
        if self._known.get(key) != kept:
            self._known[key] = kept
            value = json.dumps({"days": kept.retention_days, "bytes": kept.retention_bytes})
            self._post(lambda index: index.set_meta(f"{_PREFIX}{camera}/{stream}", value))

    def all(self) -> dict[tuple[str, str], StreamPolicy]:
        """By camera and stream."""
        return dict(self._known)
