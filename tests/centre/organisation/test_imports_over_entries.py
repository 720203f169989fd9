"""The import of official units where people entered some by hand before."""

import json

import pytest
from tests.centre.conftest import make_unit

from xomyen.centre.audit.models import Pending
from xomyen.centre.organisation.models import Unit, UnitKind
from xomyen.centre.organisation.services.imports import import_units
from xomyen.centre.organisation.services.register import REFORM


@pytest.mark.django_db
@pytest.mark.timeout(600)  # thousands of units are brought in
def test_units_entered_by_hand_before_are_taken_for_those_of_the_list_and_others_of_their_code_are_told() -> None:
    province = make_unit("24", UnitKind.PROVINCE, "Tỉnh", "Bắc Ninh")
    commune = make_unit("07210", UnitKind.COMMUNE, "Phường", "Bắc Giang", province)
    other = make_unit("07228", UnitKind.COMMUNE, "Phường", "Tên Khác", province)
    done = import_units()
    province.refresh_from_db()
    commune.refresh_from_db()
    assert province.valid_from == commune.valid_from == REFORM
    assert Unit.objects.filter(kind=UnitKind.PROVINCE, code="24", name="Bắc Giang").exists()
    assert commune.parent_links.count() == 1
    assert commune.took_over_from.exists()
    assert list(Unit.objects.on(REFORM).filter(code="07228")) == [other]
    assert json.loads(Pending.objects.get(action="unit.imported").details_json) == {"units": done.units}
    assert set(done.conflicts) == {"07228 Phường Đa Mai"}
