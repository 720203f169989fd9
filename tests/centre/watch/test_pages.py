"""What the pages of pictures are told when they are made."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role

ADD = "/cameras/add/"


@pytest.mark.parametrize(
    ("role", "address"), [(Role.POLICE_HEAD, ADD), (Role.TECHNICIAN, ADD), (Role.DUTY_OFFICER, "")]
)
def test_an_empty_wall_leads_those_to_a_new_camera_who_may_add_one(
    role: Role, address: str, province: Province, appoint: Appoint, signed_in: Callable[[User], Client]
) -> None:
    assert signed_in(appoint(role, unit=province.commune)).get("/live").context["start"]["add"] == address
