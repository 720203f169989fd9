"""What a node remembers about access: what was revoked, and one-time sign-in codes, in one small SQLite file."""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from xomyen.access.errors import SignInCodeInvalid
from xomyen.access.tickets import LONGEST_LIFE_S, Grant
from xomyen.terms.time import NS_PER_SECOND, Clock

_SCHEMA = """
-- Tickets that no longer count; forgotten when they would have expired anyway.
CREATE TABLE IF NOT EXISTS revoked (
    ticket    TEXT PRIMARY KEY,
    expires_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Subjects whose access was ended: what was issued to them up to then no longer counts. Forgotten when the last such
-- ticket would have expired anyway.
CREATE TABLE IF NOT EXISTS ended (
    subject  TEXT PRIMARY KEY,
    upto_s   INTEGER NOT NULL,       -- by the issuer's clock, as the time of issue in the tickets is
    expires_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- One-time codes: whoever brings one gets a ticket for its grant, once.
CREATE TABLE IF NOT EXISTS sign_in_code (
    hash      BLOB PRIMARY KEY,      -- SHA-256 of the code; the code itself is nowhere
    expires_s INTEGER NOT NULL,
    grant_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
_CODE_BYTES = 24
_LONGEST_CODE = 100  # characters
_LONGEST_CODE_LIFE_S = 86_400


class AccessStore:
    """Revocations and sign-in codes; several processes may have it open. Safe from any thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Opens the file, made private to this user when it is not there."""
        self._clock = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        # Every request looks up a ticket, on the event loop: it must not wait for a write that waits for the disk.
        self._reading = threading.Lock()
        self._reader = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock, self._reading:
            self._database.close()
            self._reader.close()

    def _now_s(self) -> int:
        return self._clock.wall_ns() // NS_PER_SECOND

    def revoke(self, ticket_id: str, expires_s: int | None = None) -> None:
        """The ticket counts no longer, from the next check on. Without its expiry it is remembered for a year."""
        now_s = self._now_s()
        with self._lock, self._database:
            self._database.execute("DELETE FROM revoked WHERE expires_s < ?", (now_s,))
            self._database.execute(
                "INSERT OR REPLACE INTO revoked VALUES (?, ?)",
                (ticket_id, now_s + LONGEST_LIFE_S if expires_s is None else expires_s),
            )

    def is_revoked(self, ticket_id: str) -> bool:
        with self._reading:
            row = self._reader.execute("SELECT 1 FROM revoked WHERE ticket = ?", (ticket_id,)).fetchone()
        return row is not None

    def end(self, ended: Iterable[tuple[str, int, int]]) -> None:
        """Tickets issued to a subject up to a second count no longer, from the next check on; on disk when it returns.

        Each is the subject, that second by the issuer's clock, and when the last such ticket expires. Told again,
        or told late of an earlier end, nothing changes.
        """
        now_s = self._now_s()
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("DELETE FROM ended WHERE expires_s < ?", (now_s,))
            self._database.executemany(
                "INSERT INTO ended VALUES (?, ?, ?) ON CONFLICT (subject) DO UPDATE SET"
                " upto_s = max(upto_s, excluded.upto_s), expires_s = max(expires_s, excluded.expires_s)",
                [(subject, upto_s, min(expires_s, now_s + LONGEST_LIFE_S)) for subject, upto_s, expires_s in ended],
            )

    def is_ended(self, subject: str, issued_s: int) -> bool:
        with self._reading:
            row = self._reader.execute(
                "SELECT 1 FROM ended WHERE subject = ? AND upto_s >= ?", (subject, issued_s)
            ).fetchone()
        return row is not None

    def new_sign_in_code(self, grant: Grant, lifetime_s: int = 900) -> str:
        """A code that can be redeemed once within `lifetime_s` seconds (at most a day)."""
        if not 0 < lifetime_s <= _LONGEST_CODE_LIFE_S:
            raise ValueError("a sign-in code lives at most a day")
        code = secrets.token_urlsafe(_CODE_BYTES)
        now_s = self._now_s()
        with self._lock, self._database:
            self._database.execute("DELETE FROM sign_in_code WHERE expires_s <= ?", (now_s,))
            self._database.execute(
                "INSERT INTO sign_in_code VALUES (?, ?, ?)",
                (_code_hash(code), now_s + lifetime_s, grant.model_dump_json()),
            )
        return code

    def redeem(self, code: str) -> Grant:
        """What the code grants; it is used up by this. Raises SignInCodeInvalid."""
        if not code or len(code) > _LONGEST_CODE:
            raise SignInCodeInvalid
        with self._lock:
            # One statement: of two that bring the same code at once, one gets the row.
            row = self._database.execute(
                "DELETE FROM sign_in_code WHERE hash = ? RETURNING expires_s, grant_json", (_code_hash(code),)
            ).fetchone()
        if row is None or row[0] <= self._now_s():
            raise SignInCodeInvalid
        return Grant.model_validate_json(row[1])


def _code_hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
