"""Camera passwords are readable by the node that they were sealed to, and by nobody else."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from xomyen.bus.sealing import read_public, seal
from xomyen.node.secrets import Secrets
from xomyen.proof.keys import SigningKey
from xomyen.terms.errors import InvalidConfiguration

SECRETS = Secrets(PrivateKey.generate())


@given(st.text(max_size=200))
def test_what_was_sealed_opens(password: str) -> None:
    assert SECRETS.open(seal(password, SECRETS.public)) == password


def test_the_same_password_never_looks_the_same() -> None:
    assert seal("a", SECRETS.public) != seal("a", SECRETS.public)


def test_another_node_cannot_open_it() -> None:
    with pytest.raises(InvalidConfiguration):
        Secrets(PrivateKey.generate()).open(seal("a", SECRETS.public))


def test_one_changed_bit_is_noticed() -> None:
    sealed = bytearray(base64.b64decode(seal("a", SECRETS.public)))
    for place in range(len(sealed)):
        sealed[place] ^= 1
        with pytest.raises(InvalidConfiguration):
            SECRETS.open(base64.b64encode(sealed).decode())
        sealed[place] ^= 1


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.pem"
    first = Secrets.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Secrets.load_or_create(path).open(seal("a", first.public)) == "a"


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.pem"
    SigningKey.load_or_create(path)
    with pytest.raises(InvalidConfiguration):
        Secrets.load_or_create(path)


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration):
        read_public(text)
    assert read_public(base64.b64encode(SECRETS.public).decode()) == SECRETS.public
