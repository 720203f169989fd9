"""One centre runs in a folder."""

from pathlib import Path

import pytest

from xomyen.centre.configuration import CentreFolder
from xomyen.centre.operation.lock import is_running, sole
from xomyen.terms.errors import AlreadyRunning


def test_a_second_centre_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    folder = CentreFolder(tmp_path)
    assert not is_running(folder)
    with sole(folder):
        assert is_running(folder)
        with pytest.raises(AlreadyRunning, match=r"already runs in .* \(process \d+\)"), sole(folder):
            raise AssertionError
    assert not is_running(folder)
    with sole(folder):
        assert folder.lock.stat().st_mode & 0o777 == 0o600
