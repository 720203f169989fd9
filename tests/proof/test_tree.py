"""The hash tree agrees with RFC 9162 and its audit paths prove exactly the leaves they are for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.proof import tree


def standard_root(leaves: list[bytes]) -> bytes:
    """The recursion of RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + standard_root(leaves[:k]) + standard_root(leaves[k:])).digest()


def test_the_published_roots_of_certificate_transparency() -> None:
    texts = ["-", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    entries = [bytes.fromhex(text.strip("-")) for text in texts]
    hashes = [tree.leaf_hash(entry) for entry in entries]
    assert tree.root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root(hashes[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert tree.root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_root_is_that_of_the_standard(entries: list[bytes]) -> None:
    assert tree.root([tree.leaf_hash(entry) for entry in entries]) == standard_root(entries)


@given(st.data())
def test_an_audit_path_leads_from_any_leaves_to_the_root(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 70))
    leaves = [tree.leaf_hash(bytes([i])) for i in range(count)]
    known = data.draw(st.sets(st.integers(0, count - 1)))
    path = tree.audit_path(leaves, known)
    assert tree.root_from(count, {i: leaves[i] for i in known}, path) == tree.root(leaves)
    if known:
        changed = {i: leaves[i] for i in known}
        number = data.draw(st.sampled_from(sorted(known)))
        changed[number] = tree.leaf_hash(b"other")
        assert tree.root_from(count, changed, path) != tree.root(leaves)
    with pytest.raises(ValueError, match="too long"):
        tree.root_from(count, {i: leaves[i] for i in known}, [*path, leaves[0]])


def test_a_row_of_leaves_needs_few_hashes() -> None:
    leaves = [tree.leaf_hash(bytes([i])) for i in range(61)]
    assert len(tree.audit_path(leaves, {0, *range(20, 41)})) <= 10
    assert tree.audit_path(leaves, set(range(61))) == []


def test_a_leaf_outside_the_tree_and_a_short_path_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        tree.root_from(2, {2: b"x" * 32}, [])
    with pytest.raises(ValueError, match="too short"):
        tree.root_from(4, {0: b"x" * 32}, [])
