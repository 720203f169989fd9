"""A wrong, unmounted or read-only volume is refused, not filled."""

import os
from pathlib import Path

import pytest

from xomyen.recording.disk import LocalDisk
from xomyen.recording.volume_identity import IDENTITY_FILE, accept_volume, read_identity
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.ids import new_id

DISK = LocalDisk()


def test_an_empty_folder_becomes_a_volume_and_stays_it(tmp_path: Path) -> None:
    path = str(tmp_path / "video")
    volume = accept_volume(path, None, DISK)
    assert read_identity(path) == volume
    assert accept_volume(path, volume, DISK) == volume
    assert os.listdir(path) == [IDENTITY_FILE]


def test_an_unmounted_volume_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(VolumeRefused, match="mounted"):
        accept_volume(str(tmp_path), new_id(), DISK)
    assert os.listdir(tmp_path) == []


def test_another_disk_at_the_same_place_is_refused(tmp_path: Path) -> None:
    accept_volume(str(tmp_path), None, DISK)
    with pytest.raises(VolumeRefused, match="another disk"):
        accept_volume(str(tmp_path), new_id(), DISK)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(VolumeRefused, match="holiday"):
        accept_volume(str(tmp_path), None, DISK)


def test_a_broken_identity_is_refused(tmp_path: Path) -> None:
    (tmp_path / IDENTITY_FILE).write_text("{")
    with pytest.raises(VolumeRefused):
        accept_volume(str(tmp_path), None, DISK)


def test_a_read_only_disk_is_refused(tmp_path: Path) -> None:
    class ReadOnly(LocalDisk):
        def create(self, path: str) -> int:
            raise OSError(30, "Read-only file system", path)

    volume = accept_volume(str(tmp_path), None, DISK)
    with pytest.raises(VolumeRefused, match="Read-only"):
        accept_volume(str(tmp_path), volume, ReadOnly())
