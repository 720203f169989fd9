"""Identifiers sort by the time they were made."""

import uuid

from xomyen.terms.ids import is_id, new_id
from xomyen.terms.time import ManualClock


def test_is_a_uuid_of_version_7() -> None:
    made = uuid.UUID(new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_sorts_by_time() -> None:
    clock = ManualClock()
    ids = []
    for _ in range(50):
        ids.append(new_id(clock))
        clock.advance(1_000_000)
    assert ids == sorted(ids)


def test_only_canonical_text_is_an_id() -> None:
    assert is_id(new_id())
    for text in ("", "../../etc/passwd", new_id().upper(), new_id() + "\n", "{" + new_id() + "}"):
        assert not is_id(text)
