"""The key with which the centre issues tickets, the one that follows it, and those before."""

import os
import time

from xomyen.centre.configuration import CentreFolder
from xomyen.proof.keys import InvalidKey, PublicKey, SigningKey

KEPT_TRUSTED_S = 8 * 86_400
"""For so long after a change nodes should take tickets of the key before: screens hold theirs for 7 days."""


def prepare_next(folder: CentreFolder) -> PublicKey:
    """The key that is to follow, made the first time; its public half lies beside it. Raises InvalidKey."""
    following = SigningKey.load_or_create(folder.next_issuer_key).public
    _write(folder.next_issuer_key.with_suffix(".pub.pem"), following.pem)
    return following


def change(folder: CentreFolder) -> tuple[PublicKey, PublicKey]:
    """Issues with the next key from now on; answers the one before and the new one.

    Of the one before only the public half is kept. Nothing of the centre may run. Raises InvalidKey without a next one.
    """
    if not folder.next_issuer_key.exists():
        raise InvalidKey("There is no next key yet: make one first, and bring it to every node.")
    before, following = SigningKey.load(folder.issuer_key).public, SigningKey.load(folder.next_issuer_key).public
    known = former(folder)
    if before not in known:
        folder.former_issuers.mkdir(mode=0o700, exist_ok=True)
        _write(folder.former_issuers / f"{len(known) + 1:04d}.pem", before.pem)
    os.replace(folder.next_issuer_key, folder.issuer_key)
    folder.next_issuer_key.with_suffix(".pub.pem").unlink(missing_ok=True)
    return before, following


def former(folder: CentreFolder) -> list[PublicKey]:
    """The keys before, the first one first. Raises InvalidKey."""
    files = sorted(folder.former_issuers.glob("*.pem")) if folder.former_issuers.is_dir() else []
    return [PublicKey.load(file) for file in files]


def own(folder: CentreFolder) -> list[PublicKey]:
    """Every key the centre ever issued with, the first one first. Raises InvalidKey."""
    return [*former(folder), SigningKey.load_or_create(folder.issuer_key).public]


def to_trust(folder: CentreFolder) -> dict[str, PublicKey]:
    """What a node should have in `keys/issuers/`, by the name of the file: the key, the next, the one just before."""
    found = {"centre.pem": SigningKey.load_or_create(folder.issuer_key).public}
    if folder.next_issuer_key.exists():
        found["centre-next.pem"] = SigningKey.load(folder.next_issuer_key).public
    files = sorted(folder.former_issuers.glob("*.pem")) if folder.former_issuers.is_dir() else []
    if files and time.time() - files[-1].stat().st_mtime < KEPT_TRUSTED_S:
        found["centre-before.pem"] = PublicKey.load(files[-1])
    return found


def _write(path: os.PathLike[str], content: bytes) -> None:
    """The file is whole on the disk before anything builds on it."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
