"""Links that let in once, and what sessions made by them are."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import EntryLink, User
from xomyen.centre.accounts.services import (
    digest,
    invitation_link,
    lock,
    nobody_yet,
    one_time_link,
    set_up_link,
    sign_out_everywhere,
    valid_link,
)
from xomyen.centre.configuration import CentreFolder
from xomyen.centre.operation.lock import sole
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.roles import Role

LINK = "/account/link/"


def code_of(link: str) -> str:
    path, _, code = link.partition("#")
    assert path == LINK
    return code


def test_a_link_signs_in_once_and_counts_as_a_second_factor(province: Province, appoint: Appoint) -> None:
    code = code_of(one_time_link(appoint(Role.POLICE_HEAD, unit=province.commune)))
    client = Client()
    assert client.get(LINK).status_code == 200
    assert client.post(LINK, {"code": code})["Location"] == "/"
    assert client.get("/people/").status_code == 200
    again = Client().post(LINK, {"code": code})
    assert again.status_code == 410
    assert "Liên kết không còn hiệu lực" in again.content.decode()


def test_somebody_invited_goes_on_in_the_language_chosen_on_the_way_in(province: Province, appoint: Appoint) -> None:
    person, head = appoint(Role.GROUP_HEAD, unit=province.group), appoint(Role.POLICE_HEAD, unit=province.commune)
    client = Client(headers={"accept-language": "en"})
    client.post(LINK, {"code": code_of(invitation_link(person, head))})
    client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD})
    person.refresh_from_db()
    assert person.language == "en"


def test_only_a_digest_of_the_code_is_kept(province: Province, appoint: Appoint) -> None:
    code = code_of(one_time_link(appoint(Role.POLICE_HEAD, unit=province.commune)))
    kept = EntryLink.objects.get()
    assert kept.digest == digest(code)
    assert code not in str(EntryLink.objects.values().get())


def test_a_link_runs_out_and_a_newer_one_ends_it(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    first = code_of(one_time_link(person))
    second = code_of(one_time_link(person))
    assert valid_link(first) is None
    assert valid_link(second) is not None
    EntryLink.objects.update(expires=timezone.now())
    assert Client().post(LINK, {"code": second}).status_code == 410
    assert valid_link(code_of(one_time_link(person, datetime.timedelta(hours=8)))) is not None


def test_nobody_locked_comes_in_by_a_link(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    code = code_of(one_time_link(person))
    person.is_active = False
    person.save()
    assert Client().post(LINK, {"code": code}).status_code == 410


@pytest.mark.parametrize("code", ["", "x", "0" * 43])
def test_a_wrong_code_lets_nobody_in(db: None, code: str) -> None:
    assert Client().post(LINK, {"code": code}).status_code == 410


def test_the_invited_choose_a_password_and_only_then_is_the_link_used_up(province: Province, appoint: Appoint) -> None:
    inviter = appoint(Role.POLICE_HEAD, unit=province.commune)
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    code = code_of(invitation_link(person, inviter))
    client = Client()
    assert client.post(LINK, {"code": code})["Location"] == "/account/welcome/"
    assert client.get("/me/").status_code == 302  # not signed in yet
    for weak in ("ngan", "123456789012", "qwertyuiop12", "Lương Khê Số"):
        page = client.post("/account/welcome/", {"password1": weak, "password2": weak})
        assert page.status_code == 200, weak
        assert page.context["form"].errors["password1"], weak
    differ = client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD + "!"})
    assert "Hai lần nhập mật khẩu không khớp" in differ.content.decode()
    assert client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD})["Location"] == "/"
    assert client.get("/me/").status_code == 200
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert client.get("/account/welcome/").status_code == 410
    assert Client().post(LINK, {"code": code}).status_code == 410


def test_an_invited_officer_still_needs_a_second_factor(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = Client()
    client.post(LINK, {"code": code_of(invitation_link(person, person))})
    client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD})
    assert client.get("/people/")["Location"].startswith("/account/second-factor/")


def test_signing_out_everywhere_ends_each_session_and_link_at_once(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    clients = [Client(), Client()]
    for client in clients:
        client.post(LINK, {"code": code_of(one_time_link(person))})
        assert client.get("/me/").status_code == 200
    waiting = code_of(one_time_link(person))
    sign_out_everywhere(person)
    for client in clients:
        assert client.get("/me/").status_code == 302
    assert valid_link(waiting) is None


def test_locking_ends_each_session(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    client = Client()
    client.post(LINK, {"code": code_of(one_time_link(person))})
    lock(person)
    assert client.get("/me/").status_code == 302


@pytest.mark.timeout(600)  # programs are started
def test_the_owner_of_the_machine_gets_a_link_on_the_command_line(tmp_path: Path) -> None:
    def xomyen(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "xomyen.cli", "centre", *words, "--dir", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    nobody = xomyen("signin", "tung.dk")
    assert nobody.returncode != 0
    assert "Nobody has the user name tung.dk." in nobody.stderr + nobody.stdout
    made = (
        "from xomyen.cli.centre import use_django; from pathlib import Path; import sys; use_django(Path(sys.argv[1]));"
        "from xomyen.centre.accounts.models import User; User.objects.create_user('tung.dk', full_name='Đỗ Khê Tùng')"
    )
    subprocess.run([sys.executable, "-c", made, str(tmp_path)], check=True, timeout=300)
    done = xomyen("signin", "Tung.DK")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:8450/account/link/#")
    with sole(CentreFolder(tmp_path), "http://127.0.0.1:8451"):
        assert xomyen("signin", "tung.dk").stdout.startswith("http://127.0.0.1:8451/account/link/#")


def typed(**values: str) -> dict[str, str]:
    return {"code": "90001", "kind": "commune", "type_name": "Xã", "name": "Gia Khê", **values}


OFFICER = {
    "full_name": "Lương Khê Mẫn",
    "username": "Man.LK",
    "rank": "Trưởng Công an xã",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


def test_a_centre_without_people_is_set_up_by_its_link(db: None) -> None:
    assert nobody_yet()
    code = code_of(set_up_link())
    client = Client()
    assert client.get("/account/set-up/").status_code == 410
    assert client.post(LINK, {"code": code})["Location"] == "/account/set-up/"
    assert client.get("/account/set-up/officer/")["Location"] == "/account/set-up/"
    wrong = client.post("/account/set-up/", typed(code="mã"))
    assert wrong.context["form"].errors["code"]
    assert client.post("/account/set-up/", typed())["Location"] == "/account/set-up/officer/"
    assert not Unit.objects.exists()
    weak = client.post(
        "/account/set-up/officer/", {**OFFICER, "password1": "luongkheman1", "password2": "luongkheman1"}
    )
    assert weak.context["form"].errors["password1"]
    assert client.post("/account/set-up/officer/", OFFICER)["Location"] == "/account/onward/"
    person = User.objects.get()
    assert (person.username, person.check_password(PASSWORD)) == ("man.lk", True)
    unit = Unit.objects.get()
    assert (unit.code, unit.full_name) == ("90001", "Xã Gia Khê")
    assert set(person.appointments.values_list("role", "unit")) == {
        ("police_head", unit.pk),
        ("technician", unit.pk),
        ("administrator", unit.pk),
    }
    assert client.get("/account/onward/")["Location"].startswith("/account/second-factor/")
    assert Client().post(LINK, {"code": code}).status_code == 410


def test_the_unit_is_found_among_imported_ones_without_tone_marks(province: Province) -> None:
    User.objects.all().delete()
    client = Client()
    client.post(LINK, {"code": code_of(set_up_link())})
    page = client.get("/account/set-up/", {"q": "gia khe"})
    assert [unit.pk for unit in page.context["found"]] == [province.commune.pk]
    assert client.post("/account/set-up/", {"unit": province.commune.pk}).status_code == 302
    client.post("/account/set-up/officer/", OFFICER)
    assert User.objects.get().appointments.filter(unit=province.commune).count() == 3


@pytest.mark.timeout(600)  # thousands of units
def test_the_official_list_is_brought_in_on_the_first_page_and_the_unit_found_in_it(db: None) -> None:
    client = Client()
    client.post(LINK, {"code": code_of(set_up_link())})
    assert not client.get("/account/set-up/").context["imported"]
    assert client.post("/account/set-up/", {"list": "official"})["Location"] == "/account/set-up/"
    page = client.get("/account/set-up/", {"q": "phuong bac giang"})
    assert [unit.full_name for unit in page.context["found"]] == ["Phường Bắc Giang"]
    assert "Tỉnh Bắc Ninh" in page.content.decode()  # to which it belongs


def test_nobody_sets_up_a_centre_that_has_people(province: Province, appoint: Appoint) -> None:
    code = code_of(set_up_link())
    client = Client()
    client.post(LINK, {"code": code})
    client.post("/account/set-up/", typed(code="90077"))
    appoint(Role.POLICE_HEAD, unit=province.commune)
    assert client.post("/account/set-up/officer/", OFFICER).status_code == 410
    assert client.get("/account/set-up/").status_code == 410
    assert Client().post(LINK, {"code": code}).status_code == 410
    assert not User.objects.filter(username="man.lk").exists()
