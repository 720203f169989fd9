"""Choices among thousands: a page lists the first of them, and what is typed finds the others."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_camera, make_unit

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Node, Site
from xomyen.centre.cameras.widgets import MOST_SHOWN
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import UnitKind
from xomyen.centre.permissions.roles import Role
from xomyen.terms.ids import new_id

SignedIn = Callable[[User], Client]


@pytest.fixture
def many(province: Province) -> list[Site]:
    rows = [(f"N{number:03}", f"Ngõ {number}") for number in range(MOST_SHOWN + 20)]
    return Site.objects.bulk_create(
        Site(unit=province.group, code=code, name=name, folded=fold(f"{code} {name}")) for code, name in rows
    )


def picked(client: Client, kind: str, **query: object) -> str:
    return client.get(f"/cameras/pick/{kind}/", {"select": "id_x", "name": "x", **query}).content.decode()


def test_few_are_listed_and_nothing_is_to_be_searched(technician: Client, province: Province) -> None:
    text = technician.get("/cameras/add/").content.decode()
    assert "Ngõ" not in text
    assert "hx-get" not in text.partition('id="id_site"')[0].rpartition("<fieldset")[2]
    assert str(province.neighbour.site_id) in text


def test_of_many_the_first_are_listed_and_the_one_chosen(technician: Client, many: list[Site]) -> None:
    last = many[-1]
    text = technician.get("/cameras/add/", {"site": last.pk}).content.decode()
    assert text.count('">N0') <= MOST_SHOWN + 1
    assert f'<option value="{last.pk}" selected>' in text
    assert "/cameras/pick/site/" in text


def test_what_is_typed_finds_rows_and_the_only_one_is_chosen(technician: Client, many: list[Site]) -> None:
    text = picked(technician, "site", q="ngo 5", x=many[0].pk, empty="tất cả")
    assert text.count("<option") == 1 + 1 + 11  # none, the one chosen before, and 5, 50 to 59
    assert f'<option value="{many[0].pk}" selected>' in text
    only = picked(technician, "site", q="N058", x=many[0].pk)
    assert f'<option value="{many[58].pk}" selected>' in only
    assert picked(technician, "site", q="không có gì").count("<option") == 1
    assert "40" in picked(technician, "site", q="ngõ")


def test_nobody_finds_what_they_may_not_choose(
    technician: Client, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    secret = province.secret.site
    assert str(secret.pk) not in picked(technician, "site", q=secret.code, x=secret.pk)
    Node.objects.create(id=new_id(), unit=province.commune, name="Đầu ghi Chợ", address="http://127.0.0.1:1")
    assert picked(technician, "node", q="dau ghi cho").count("<option") == 1
    assert str(province.other_node.pk) not in picked(technician, "node", x=province.other_node.pk)
    for kind in ("unit", "node-unit", "unit-with-sites"):
        text = picked(technician, kind, q="90001-0")
        assert str(province.group.pk) in text
        assert str(province.other_commune.pk) not in picked(technician, kind, x=province.other_commune.pk)
    head = signed_in(appoint(Role.GROUP_HEAD, unit=province.group))
    for kind in ("site", "node", "unit", "node-unit"):
        assert str(province.group.pk) not in picked(head, kind)
        assert str(province.public.site_id) not in picked(head, kind)


@pytest.mark.parametrize(
    ("kind", "query"), [("else", {}), ("site", {"select": '"><script>'}), ("site", {"select": ""})]
)
def test_a_choice_that_is_none_is_not_there(technician: Client, kind: str, query: dict[str, str]) -> None:
    assert technician.get(f"/cameras/pick/{kind}/", query).status_code == 404


def test_what_comes_back_in_the_answer_is_text(technician: Client, many: list[Site]) -> None:
    text = picked(technician, "site", q="<b>", x="no key", empty="<script>")
    assert "<script>" not in text
    assert "<b>" not in text


def test_the_list_is_narrowed_by_a_unit_of_many(
    province: Province, appoint: Appoint, signed_in: SignedIn, technician: Client
) -> None:
    for number in range(MOST_SHOWN + 1):
        unit = make_unit(f"90001-A{number}", UnitKind.GROUP, "Thôn", f"A{number:02}", province.commune)
        Site.objects.create(unit=unit, code="S1", name="Cổng")
    last = make_unit("90001-ZZ", UnitKind.GROUP, "Thôn", "Zét", province.commune)
    make_camera(last, province.node, "Z1", "Cuối thôn")
    text = technician.get("/cameras/", {"unit": last.pk}).content.decode()
    assert f'<option value="{last.pk}" selected>' in text
    assert "Cuối thôn" in text
    assert "C14" not in text
