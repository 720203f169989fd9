"""What the gateway works with, handed to it by the process that runs it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client

from xomyen.access.store import AccessStore
from xomyen.access.tickets import TicketChecker
from xomyen.node.gateway.alarm_board import AlarmBoard
from xomyen.node.gateway.directory import CameraDirectory
from xomyen.proof.keys import SigningKey
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import NoFootage
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import Clock

SESSION_LIFETIME_S = 7 * 86_400  # without being used
SESSION_LONGEST_S = 30 * 86_400  # from signing in, however much it is used


def session_cookie(secure: bool) -> str:
    """What the session's cookie is called: over TLS browsers keep it to this one host (RFC 6265bis, 4.1.3.2)."""
    return "__Host-xomyen_session" if secure else "xomyen_session"


class IndexDoor:
    """The recording index, opened when first asked for: a new node has none until its first picture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: IndexReader | None = None
        self._lock = threading.Lock()

    def open(self) -> IndexReader:
        """The reader. Raises NoFootage while nothing was ever recorded."""
        with self._lock:
            if self._reader is None:
                try:
                    self._reader = IndexReader(self._path)
                except NoFootage as error:
                    raise NoFootage("Nothing was recorded yet.") from error
            return self._reader

    def close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader = None


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """Everything passed in; the application owns none of it and closes none of it."""

    folder: NodeFolder
    node: str  # id
    index: IndexDoor
    bus: Client
    checker: TicketChecker
    store: AccessStore
    issuer: SigningKey  # signs the tickets of those who sign in here
    signing_key: SigningKey  # signs manifests
    cameras: CameraDirectory
    clock: Clock
    alarms: AlarmBoard = field(default_factory=AlarmBoard)
    secure: bool = False  # served over TLS, by us or by a proxy before us
    hsts_subdomains: bool = True  # over TLS, browsers use it for names below this host's too
    behind_proxy: bool = False  # one on this machine, whose X-Forwarded-For says who asks
    origins: frozenset[str] = frozenset()  # pages of other origins that may use this node, such as the centre's
    session_lifetime_s: int = SESSION_LIFETIME_S
    session_longest_s: int = SESSION_LONGEST_S
    metrics_token: str = ""  # lets others than this machine read /metrics; empty: nobody
    transcoders: int = 2  # at once
    static: Path = Path(__file__).parent.parent / "static"

    @property
    def hsts(self) -> str:
        """For how long browsers ask for nothing here without TLS; empty: there is none."""
        return "max-age=31536000" + "; includeSubDomains" * self.hsts_subdomains if self.secure else ""

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return session_cookie(self.secure)
