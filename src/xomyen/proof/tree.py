"""The hash tree of RFC 9162 §2.1 over a segment's header and fragments, and audit paths for some of its leaves."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

HASH_BYTES = 32


def leaf_hash(*parts: bytes | bytearray | memoryview) -> bytes:
    """SHA-256(0x00 ‖ bytes); the parts are hashed as if joined."""
    state = hashlib.sha256(b"\0")
    for part in parts:
        state.update(part)
    return state.digest()


def leaf_hasher() -> "hashlib._Hash":
    """A hash to be fed a leaf's bytes piece by piece; its digest is the leaf's hash."""
    return hashlib.sha256(b"\0")


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of no leaves it is SHA-256 of nothing (RFC 9162 §2.1.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    level = list(leaves)
    # Pairing from the left and carrying an odd last one up gives the same tree as the standard's recursion.
    while len(level) > 1:
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def audit_path(leaves: Sequence[bytes], known: frozenset[int] | set[int]) -> list[bytes]:
    """What a verifier who has the `known` leaves (by number) needs to compute the root.

    The hashes of the largest subtrees without a known leaf, from left to right. For one known leaf these
    are the nodes of the inclusion proof of RFC 9162 §2.1.3 in another order; for a row of leaves they
    are far fewer than one proof each.
    """
    path: list[bytes] = []

    def walk(first: int, end: int) -> None:
        if not any(first <= number < end for number in known):
            path.append(root(leaves[first:end]))
        elif end - first > 1:
            middle = first + _split(end - first)
            walk(first, middle)
            walk(middle, end)

    walk(0, len(leaves))
    return path


def root_from(count: int, known: Mapping[int, bytes], path: Sequence[bytes]) -> bytes:
    """The root of a tree of `count` leaves from some known leaves and their audit path.

    Raises ValueError when the path is too short or too long, or a number is no leaf of the tree.
    """
    if count < 1 or any(not 0 <= number < count for number in known):
        raise ValueError("a known leaf lies outside the tree")
    rest = iter(path)
    numbers = sorted(known)
    result = _walk_down(0, count, numbers, known, rest)
    if next(rest, None) is not None:
        raise ValueError("the audit path is too long")
    return result


def _walk_down(first: int, end: int, numbers: list[int], known: Mapping[int, bytes], path: Iterator[bytes]) -> bytes:
    if not numbers:
        found = next(path, None)
        if found is None:
            raise ValueError("the audit path is too short")
        return found
    if end - first == 1:
        return known[first]
    middle = first + _split(end - first)
    left = _walk_down(first, middle, [n for n in numbers if n < middle], known, path)
    right = _walk_down(middle, end, [n for n in numbers if n >= middle], known, path)
    return node_hash(left, right)


def _split(count: int) -> int:
    """The largest power of two smaller than the count (RFC 9162 §2.1.1)."""
    return 1 << ((count - 1).bit_length() - 1)
