"""Encrypted backups: opened by their key alone, whole or not at all, in bounded memory."""

import io
import os
import tracemalloc
from pathlib import Path

import pytest
from tests.centre.operation.conftest import python, xomyen

from xomyen.centre.operation.archive import unpack, writing
from xomyen.centre.operation.sealing import (
    BLOCK,
    OpenedFile,
    SealingFile,
    is_sealed,
    make_key,
    read_private,
    read_public,
)
from xomyen.terms.errors import AlreadyThere, InvalidConfiguration

RECORDS = """
from xomyen.centre.audit.models import Pending, Record
for model in (Pending, Record):
    for row in model.objects.filter(action__startswith="box."):
        print(row.action, row.details_json)
"""


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    """A private key's file, and the public half."""
    path = tmp_path / "own.key"
    return path, make_key(path)


def backup_of(content: bytes, file: Path, public: str) -> None:
    with writing(file, public=read_public(public)) as archive:
        archive.add("box/node.json", content)
        archive.finish(program="1", made="", node=None, database="none")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 7])
def test_whatever_its_length_it_comes_back_as_it_was(tmp_path: Path, key: tuple[Path, str], size: int) -> None:
    content = os.urandom(size)
    file = io.BytesIO()
    sealing = SealingFile(file, read_public(key[1]))
    for at in range(0, size, 1000):
        sealing.write(content[at : at + 1000])
    sealing.finish()
    # A few bytes stand somewhere by chance.
    assert content[:32] not in file.getvalue() or size < 16
    file.seek(0)
    assert is_sealed(file)
    opened = OpenedFile(file, read_private(key[0]), "it")
    assert io.BufferedReader(opened).read() == content
    opened.require_end()


def test_a_changed_byte_anywhere_and_a_cut_off_end_are_told_and_nothing_is_left(
    tmp_path: Path, key: tuple[Path, str]
) -> None:
    file = tmp_path / "backup"
    backup_of(os.urandom(2 * BLOCK), file, key[1])
    whole = file.read_bytes()
    assert unpack(file, tmp_path / "well", read_private(key[0])).files[0].bytes == 2 * BLOCK
    blocks = [len(whole) - 1, len(whole) // 2, 120, 40, 30]
    for number, changed in enumerate(
        [*(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in blocks), whole[:-1], whole + b"x"]
        + [whole[:-at] for at in (20, BLOCK, BLOCK + 100)]
    ):
        file.write_bytes(changed)
        with pytest.raises(InvalidConfiguration, match=r"damaged|encrypted to"):
            unpack(file, tmp_path / f"out{number}", read_private(key[0]))


def test_blocks_cannot_change_places(tmp_path: Path, key: tuple[Path, str]) -> None:
    file = io.BytesIO()
    sealing = SealingFile(file, read_public(key[1]))
    sealing.write(bytes(4 * BLOCK))
    sealing.finish()
    whole = file.getvalue()
    each = BLOCK + 17
    begin = len(whole) - 4 * each
    swapped = (
        whole[:begin] + whole[begin + each : begin + 2 * each] + whole[begin : begin + each] + whole[begin + 2 * each :]
    )
    left_out = whole[:begin] + whole[begin + each :]
    for changed in (swapped, left_out):
        again = io.BytesIO(changed)
        assert is_sealed(again)
        with pytest.raises(InvalidConfiguration, match="damaged"):
            io.BufferedReader(OpenedFile(again, read_private(key[0]), "it")).read()


def test_another_key_and_none_are_told_by_name(tmp_path: Path, key: tuple[Path, str]) -> None:
    file, other = tmp_path / "backup", tmp_path / "other.key"
    backup_of(b"{}", file, key[1])
    make_key(other)
    with pytest.raises(InvalidConfiguration, match=r"encrypted to the key '[0-9a-f]{16}'; this is [0-9a-f]{16}"):
        unpack(file, tmp_path / "a", read_private(other))
    with pytest.raises(InvalidConfiguration, match="--key"):
        unpack(file, tmp_path / "b")


def test_a_key_is_private_and_never_replaced(tmp_path: Path, key: tuple[Path, str]) -> None:
    assert key[0].stat().st_mode & 0o777 == 0o600
    with pytest.raises(AlreadyThere):
        make_key(key[0])
    for text in ("", key[1][:-1], key[1] + "A", key[1].upper(), "xomyen-backup-key-"):
        with pytest.raises(InvalidConfiguration, match="backup-key"):
            read_public(text)
    (tmp_path / "none.key").write_text("nothing")
    for path in (tmp_path / "none.key", tmp_path / "gone.key"):
        with pytest.raises(InvalidConfiguration, match="holds no key"):
            read_private(path)


def test_memory_stays_small_however_large_a_backup_is(tmp_path: Path, key: tuple[Path, str]) -> None:
    large, file = tmp_path / "large", tmp_path / "backup"
    with large.open("wb") as target:
        for _ in range(32):
            target.write(os.urandom(1 << 20))
    tracemalloc.start()
    with writing(file, public=read_public(key[1])) as archive:
        archive.add_file("box/large", large)
        archive.finish(program="1", made="", node=None, database="none")
    unpack(file, tmp_path / "out", read_private(key[0]))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 << 20
    assert (tmp_path / "out/box/large").stat().st_size == 32 << 20


@pytest.mark.timeout(600)
def test_a_box_comes_back_from_an_encrypted_backup_and_the_log_knows_of_both(folder: Path, tmp_path: Path) -> None:
    public = xomyen("backup-key", tmp_path / "own.key").stdout.strip()
    file, after = tmp_path / "gia-khe.xomyen", tmp_path / "after"
    xomyen("backup", file, "--encrypt-to", public, "--dir", folder)
    told = python(RECORDS, folder)
    assert told.startswith("box.backed_up")
    assert '"encrypted_to":' in told
    assert '"user":' in told
    assert not list(folder.glob(".backup-*"))
    refused = xomyen("restore", file, "--dir", after, code=2)
    assert "--key" in refused.stderr
    assert not (after / "centre").exists()
    xomyen("restore", file, "--key", tmp_path / "own.key", "--dir", after)
    told = python(RECORDS, after)
    assert "box.backed_up" in told
    assert "box.restored" in told
