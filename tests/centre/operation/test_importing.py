"""`xomyen centre import-units`: the official units come into a centre."""

from pathlib import Path

import pytest
from tests.centre.operation.conftest import python, xomyen

pytestmark = pytest.mark.timeout(600)


def test_official_units_are_brought_in_once_and_found_without_tone_marks(folder: Path) -> None:
    done = xomyen("centre", "import-units", "--dir", folder)
    assert "14006 units added, 0 were there already" in done.stdout
    found = "from xomyen.centre.organisation.models import Unit\nfrom xomyen.centre.dates import today\n"
    found += "print(*Unit.objects.on(today()).search('bac ninh').filter(kind='province'))"
    assert python(found, folder).strip() == "Tỉnh Bắc Ninh"
    again = xomyen("centre", "import-units", "--dir", folder)
    assert "0 units added, 14006 were there already" in again.stdout
