"""Another key to issue tickets with: nodes know both, the log goes on, and what the one before signed still counts."""

import os
import re
import shutil
from pathlib import Path

import pytest
from tests.centre.operation.conftest import xomyen

from xomyen.access.store import AccessStore
from xomyen.access.tickets import Action, Grant, TicketChecker, issue, ticket_for
from xomyen.centre.configuration import CentreFolder
from xomyen.centre.operation import issuer
from xomyen.node.trusted import Trusted
from xomyen.proof.keys import InvalidKey, PublicKey, SigningKey
from xomyen.terms.time import SystemClock

NODE = "01890000-0000-7000-8000-00000000000a"


def test_the_key_is_changed_after_the_next_one_is_known(folder: Path, tmp_path: Path) -> None:
    centre = CentreFolder(folder)
    before = SigningKey.load(centre.issuer_key)
    told = xomyen("centre", "renew-key", "--dir", folder).stdout
    following = SigningKey.load(centre.next_issuer_key)
    assert following.fingerprint in told
    # The node of the folder takes tickets of both before the change and after it.
    own = SigningKey.generate()
    for _ in range(2):
        with AccessStore(tmp_path / "access.sqlite", SystemClock()) as store:
            checker = TicketChecker(NODE, [own.public, *Trusted.read(centre.node).issuers], SystemClock(), store)
            for key in (before, following):
                grant = Grant(subject="trực ban", actions=tuple(Action))
                ticket = ticket_for(grant, node=NODE, issuer=key, clock=SystemClock(), lifetime_s=60)
                assert checker.read(issue(key, ticket)).issuer == key.fingerprint
        if centre.next_issuer_key.exists():
            xomyen("centre", "renew-key", "--now", "--dir", folder)
    assert SigningKey.load(centre.issuer_key).fingerprint == following.fingerprint
    assert [key.fingerprint for key in issuer.own(centre)] == [before.fingerprint, following.fingerprint]
    # The log goes on, signed with the new key.
    checked = xomyen("audit", "verify", "--dir", folder).stdout
    assert f"Signed with key {following.fingerprint}" in checked


def test_a_node_elsewhere_that_is_brought_what_is_said_takes_the_tickets_through_one_change_after_another(
    folder: Path, tmp_path: Path
) -> None:
    centre, issuers = CentreFolder(folder), tmp_path / "issuers"
    issuers.mkdir()
    in_use = issuers / "centre.pem"
    in_use.write_bytes(SigningKey.load(centre.issuer_key).public.pem)
    for _ in range(2):
        told = re.search(
            r"Bring (\S+) to each node as keys/issuers/(\S+),", xomyen("centre", "renew-key", "--dir", folder).stdout
        )
        assert told is not None
        brought = issuers / told[2]
        assert not brought.exists()
        shutil.copy(told[1], brought)
        assert PublicKey.load(in_use) == SigningKey.load(centre.issuer_key).public
        xomyen("centre", "renew-key", "--now", "--dir", folder)
        assert PublicKey.load(brought) == SigningKey.load(centre.issuer_key).public
        in_use.unlink()
        in_use = brought


def test_what_is_to_be_trusted_is_the_key_the_next_one_and_for_a_while_the_one_before(tmp_path: Path) -> None:
    centre = CentreFolder(tmp_path)
    first = SigningKey.load_or_create(centre.issuer_key).public
    with pytest.raises(InvalidKey, match="make one first"):
        issuer.change(centre)
    second = issuer.prepare_next(centre)
    assert issuer.prepare_next(centre) == second  # asked again, it is the same
    assert issuer.to_trust(centre) == {"centre.pem": first, "centre-next.pem": second}
    assert issuer.change(centre) == (first, second)
    assert issuer.to_trust(centre) == {"centre.pem": second, "centre-before.pem": first}
    (kept,) = centre.former_issuers.iterdir()
    assert b"PRIVATE" not in kept.read_bytes()
    os.utime(kept, (0, 0))
    assert issuer.to_trust(centre) == {"centre.pem": second}
