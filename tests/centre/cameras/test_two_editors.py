"""Two who change the same thing: the later one is told what is there now, keeps what was typed, and may replace it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Node
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]


@pytest.fixture
def keeper(province: Province, appoint: Appoint, signed_in: SignedIn) -> Client:
    return signed_in(appoint(Role.ADMINISTRATOR, unit=province.province))


def filled(form: Any) -> dict[str, Any]:
    values = {name: form[name].value() for name in form.fields if name != "masks"}
    return {name: value for name, value in values.items() if value is not None and value is not False}


@pytest.mark.parametrize(
    ("page", "field", "mine", "theirs"),
    [
        ("/cameras/{0.public.pk}/edit/", "purpose", "Phòng trộm", "Phòng cháy"),
        ("/sites/{0.public.site.pk}/edit/", "name", "Ngã ba", "Ngã tư"),
        ("/recorders/{0.node.pk}/edit/", "name", "Đầu ghi Một", "Đầu ghi Hai"),
        ("/cameras/classes/{0.public.camera_class.pk}/", "retention_days", "20", "25"),
    ],
)
def test_the_later_one_is_told_and_loses_nothing(
    keeper: Client, province: Province, page: str, field: str, mine: str, theirs: str
) -> None:
    address = page.format(province)
    opened = filled(keeper.get(address).context["form"])
    assert keeper.post(address, {**opened, field: theirs}).status_code == 302
    late = keeper.post(address, {**opened, field: mine})
    assert late.status_code == 409
    form = late.context["form"]
    assert theirs in form.non_field_errors()[0]
    assert form[field].value() == mine
    assert str(filled(keeper.get(address).context["form"])[field]) == theirs
    assert keeper.post(address, filled(form)).status_code == 302
    assert str(filled(keeper.get(address).context["form"])[field]) == mine


def test_what_the_link_learnt_of_a_recorder_meanwhile_is_kept(keeper: Client, province: Province) -> None:
    address = f"/recorders/{province.node.pk}/edit/"
    opened = filled(keeper.get(address).context["form"])
    Node.objects.filter(pk=province.node.pk).update(answers=True, secrets_key="key")
    assert keeper.post(address, {**opened, "name": "Đầu ghi"}).status_code == 302
    node = Node.objects.get(pk=province.node.pk)
    assert (node.name, node.answers, node.secrets_key) == ("Đầu ghi", True, "key")
    assert node.history.first().name == "Đầu ghi"
