"""Between signing in and the first page: second factor, regulations, language."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.urls import reverse
from tests.centre.accounts.conftest import PASSWORD, just_signed_in
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Acceptance, Regulation, User
from xomyen.centre.accounts.regulations import accept, enact, outstanding
from xomyen.centre.accounts.services import invitation_link
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role

DAY = datetime.timedelta(days=1)
SignedIn = Callable[[User], Client]


def code(secret: str) -> str:
    """What the app shows now."""
    value = hotp_value(secret, next(iter(yield_hotp_counters_from_time())))
    return f"{value:06d}"


def test_an_officer_sets_up_a_second_factor_before_any_other_page(
    transactional_db: None, province: Province, appoint: Appoint, weakly_in: SignedIn
) -> None:
    client = weakly_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    for page in ("/people/", "/me/", "/account/sessions/", "/account/password/change/"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/second-factor/?next=")
    assert client.post("/people/").status_code == 302
    setting_up = client.get("/account/2fa/totp/activate/")
    assert setting_up.status_code == 200
    secret = client.session["mfa.totp.secret"]
    done = client.post("/account/2fa/totp/activate/", {"code": code(secret)})
    assert done["Location"] == "/account/2fa/recovery-codes/"
    codes = client.get("/account/2fa/recovery-codes/")
    assert len(codes.context["unused_codes"]) == 10
    assert client.get("/people/").status_code == 200


def test_a_wrong_code_sets_up_nothing(province: Province, appoint: Appoint, weakly_in: SignedIn) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = weakly_in(person)
    client.get("/account/2fa/totp/activate/")
    answer = client.post("/account/2fa/totp/activate/", {"code": "000000"})
    assert "Mã không đúng" in answer.content.decode()
    assert not Authenticator.objects.filter(user=person).exists()
    assert client.get("/people/").status_code == 302


def test_heads_of_groups_need_no_second_factor(province: Province, appoint: Appoint, weakly_in: SignedIn) -> None:
    assert weakly_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/me/").status_code == 200


def test_where_the_settings_say_so_everybody_sets_up_a_second_factor(
    province: Province, appoint: Appoint, weakly_in: SignedIn, settings: Any
) -> None:
    settings.CENTRE = settings.CENTRE.model_copy(update={"second_factor": "everyone"})
    answer = weakly_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/me/")
    assert answer["Location"].startswith("/account/second-factor/")


def test_signing_in_with_password_and_code_is_enough(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    person.set_password(PASSWORD)
    person.save()
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = Client()
    first = client.post("/account/login/", {"login": person.username, "password": PASSWORD})
    assert first["Location"] == "/account/2fa/authenticate/"
    assert client.get("/people/")["Location"].startswith("/account/login/")
    assert client.post("/account/2fa/authenticate/", {"code": code(secret)}).status_code == 302
    assert client.get("/people/").status_code == 200


def test_a_session_from_before_the_second_factor_has_to_show_it_too(
    province: Province, appoint: Appoint, weakly_in: SignedIn
) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = weakly_in(person)
    assert client.get("/people/")["Location"].startswith("/account/2fa/reauthenticate/?next=%2Fpeople%2F")
    assert client.post("/account/2fa/reauthenticate/", {"code": code(secret)}).status_code == 302
    assert client.get("/people/").status_code == 200


def test_the_database_alone_gives_away_no_second_factor(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    codes = RecoveryCodes.activate(person)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not [one for one in codes.get_unused_codes() if one in kept]
    assert codes.validate_code(codes.get_unused_codes()[3])


def test_the_last_second_factor_of_an_officer_stays(province: Province, appoint: Appoint, signed_in: SignedIn) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    client = signed_in(person)
    just_signed_in(client, person)
    assert "Thêm một cách khác trước" in client.post("/account/2fa/totp/deactivate/").content.decode()
    assert Authenticator.objects.filter(user=person, type="totp").exists()
    Authenticator.objects.filter(type="totp").delete()
    key = Authenticator.objects.create(user=person, type="webauthn", data={"name": "Máy tính", "credential": {}})
    assert client.post(reverse("mfa_remove_webauthn", args=[key.pk]))["Location"] == "/account/2fa/"
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_programs_are_told_in_their_own_way_what_is_missing(
    province: Province, appoint: Appoint, weakly_in: SignedIn
) -> None:
    client = weakly_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    answer = client.get("/people/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["type"] == "urn:xomyen:second_factor"
    part = client.get("/people/", headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (204, "/account/second-factor/")


def test_regulations_of_ones_unit_and_those_above_are_accepted_each_version_anew(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    of_province = enact(province.province, None, today() - DAY, "Quy chế tỉnh", "Điều 1")
    of_commune = enact(province.commune, None, today() - 9 * DAY, "Quy chế xã", "Điều 1")
    enact(province.other_commune, None, today() - DAY, "Quy chế xã khác", "Điều 1")
    enact(province.commune, None, today() + 30 * DAY, "Quy chế xã, sắp tới", "Điều 1")
    assert set(outstanding(person)) == {of_province, of_commune}
    accept(person, of_province, "192.0.2.7")
    accept(person, of_commune, "192.0.2.7")
    assert not outstanding(person).exists()
    changed = enact(province.commune, None, today(), "Quy chế xã, sửa đổi", "Điều 1, 2")
    of_commune.refresh_from_db()
    assert (changed.version, of_commune.valid_to) == (3, today())
    assert list(outstanding(person)) == [changed]
    page = signed_in(person).get("/account/regulations/").content.decode()
    assert f"đã xác nhận phiên bản {of_commune.version} ngày {today():%d/%m/%Y}" in page


def test_who_sees_no_pictures_has_no_regulation_to_accept(province: Province, appoint: Appoint) -> None:
    enact(province.commune, None, today(), "Quy chế", "Điều 1")
    assert not outstanding(appoint(Role.ADMINISTRATOR, unit=province.commune)).exists()


def test_accepting_is_recorded_once_with_time_and_address_and_outlives_the_person(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    regulation = enact(province.commune, None, today(), "Quy chế khai thác", "Điều 1. Phạm vi")
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    client = signed_in(person)
    page = client.get("/account/regulations/?next=/people/")
    assert "Điều 1. Phạm vi" in page.content.decode()
    unread = client.post("/account/regulations/", {"regulation": regulation.pk, "next": "/people/"})
    assert unread.status_code == 200
    assert not Acceptance.objects.exists()
    answer = client.post("/account/regulations/", {"regulation": regulation.pk, "read": "1", "next": "/people/"})
    assert answer["Location"] == "/people/"
    accept(person, regulation, None)
    kept = Acceptance.objects.get()
    assert (kept.user, kept.address) == (person, "127.0.0.1")
    name = str(person)
    person.delete()
    kept.refresh_from_db()
    assert (kept.user, kept.name) == (None, name)


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(
    province: Province, appoint: Appoint, signed_in: SignedIn, elsewhere: str
) -> None:
    client = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert client.get("/account/regulations/", {"next": elsewhere})["Location"] == "/"


def test_pages_speak_the_language_of_the_person_and_keep_a_change(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    client = signed_in(person)
    assert '<html lang="vi"' in client.get("/me/", headers={"Accept-Language": "en"}).content.decode()
    client.post("/language/setlang/", {"language": "en", "next": "/me/"})
    person.refresh_from_db()
    assert person.language == "en"
    assert '<html lang="en"' in client.get("/me/").content.decode()
    client.post("/language/setlang/", {"language": "xx", "next": "/me/"})
    person.refresh_from_db()
    assert person.language == "en"


def test_the_language_is_chosen_before_signing_in_too(client: Client, db: None) -> None:
    assert (
        client.post("/language/setlang/", {"language": "en", "next": "/account/login/"})["Location"]
        == "/account/login/"
    )
    assert '<html lang="en"' in client.get("/account/login/").content.decode()


@pytest.mark.parametrize("page", ["signup/", "email/", "password/reset/"])
def test_what_the_product_does_without_is_not_there(
    province: Province, appoint: Appoint, signed_in: SignedIn, page: str
) -> None:
    assert signed_in(appoint(Role.GROUP_HEAD, unit=province.group)).get(f"/account/{page}").status_code == 404


def test_a_regulation_is_enacted_by_who_may_and_asked_before_pictures(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    head = signed_in(appoint(Role.POLICE_HEAD, unit=province.commune))
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert officer.get("/live").status_code == 200
    assert officer.get("/regulations/").status_code == 403
    assert "Ban hành quy chế" in head.get("/regulations/").content.decode()
    data = {"unit": province.commune.pk, "title": "Quy chế khai thác", "number": "12/QĐ-UBND", "text": "Điều 1"}
    early = head.post("/regulations/enact/", {**data, "valid_from": f"{today() - DAY:%Y-%m-%d}"})
    assert early.context["form"].errors["valid_from"]
    foreign = {**data, "unit": province.province.pk, "valid_from": f"{today():%Y-%m-%d}"}
    assert head.post("/regulations/enact/", foreign).context["form"].errors["unit"]
    assert head.post("/regulations/enact/", {**data, "valid_from": f"{today():%Y-%m-%d}"}).status_code == 302
    assert officer.get("/live")["Location"] == "/account/regulations/?next=%2Flive"
    asked = officer.post("/watch/tickets", {}, headers={"Accept": "application/json"})
    assert (asked.status_code, asked.json()["type"]) == (403, "urn:xomyen:regulation")
    regulation = Regulation.objects.get()
    officer.post("/account/regulations/", {"regulation": regulation.pk, "read": "1", "next": "/live"})
    assert officer.get("/live").status_code == 200
    assert officer.get("/people/").status_code == 200
    page = head.get("/regulations/")
    assert [one.accepted for one in page.context["regulations"]] == [1]
    assert head.get("/regulations/enact/", {"from": regulation.pk}).context["form"].initial["text"] == "Điều 1"


def test_a_regulation_can_be_read_again_by_those_who_accepted_it(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person, head = appoint(Role.DUTY_OFFICER, unit=province.commune), appoint(Role.POLICE_HEAD, unit=province.commune)
    first = enact(province.commune, head, today() - DAY, "Quy chế khai thác", "Điều 1. Phạm vi")
    accept(person, first, None)
    enact(province.commune, head, today(), "Quy chế khai thác", "Điều 1. Sửa đổi")
    address = f"/regulations/{first.pk}/"
    text = signed_in(person).get(address).content.decode()
    assert "Điều 1. Phạm vi" in text
    assert "/regulations/enact/" not in text
    assert address in signed_in(person).get("/me/").content.decode()
    assert f"/regulations/enact/?from={first.pk}" in signed_in(head).get(address).content.decode()
    other = appoint(Role.POLICE_HEAD, unit=province.other_commune)
    assert signed_in(other).get(address).status_code == 404


MFA_PAGES = (
    "mfa_index", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
    "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "account_reauthenticate",
    "mfa_authenticate", "mfa_login_webauthn", "account_change_password", "accounts:me",
)  # fmt: skip


@pytest.mark.parametrize("role", [Role.DUTY_OFFICER, Role.GROUP_HEAD], ids=str)
@pytest.mark.parametrize("page", MFA_PAGES)
def test_who_knows_the_password_alone_reaches_nothing_of_the_second_factor(
    province: Province, appoint: Appoint, weakly_in: SignedIn, role: Role, page: str
) -> None:
    person = appoint(role, unit=province.commune if role == Role.DUTY_OFFICER else province.group)
    TOTP.activate(person, generate_totp_secret())
    client = weakly_in(person)
    for answer in (client.get(reverse(page)), client.post(reverse(page))):
        assert answer["Location"].startswith(reverse("mfa_reauthenticate") + "?"), page
    assert Authenticator.objects.filter(user=person).count() == 1


@pytest.mark.parametrize("role", [Role.DUTY_OFFICER, Role.GROUP_HEAD], ids=str)
def test_a_link_for_a_new_password_does_not_stand_for_the_second_factor(
    province: Province, appoint: Appoint, role: Role
) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    person = appoint(role, unit=province.commune if role == Role.DUTY_OFFICER else province.group)
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = Client()
    client.post("/account/link/", {"code": invitation_link(person, head).partition("#")[2]})
    client.post("/account/welcome/", {"password1": PASSWORD, "password2": PASSWORD})
    client.post(reverse("mfa_generate_recovery_codes"))
    assert not Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).exists()
    assert client.get("/me/")["Location"].startswith(reverse("mfa_reauthenticate"))
    showing = client.get(reverse("mfa_reauthenticate"))
    assert reverse("account_reauthenticate") not in showing.content.decode()
    assert "Tài khoản này có xác thực hai lớp" in showing.content.decode()
    assert client.get(reverse("mfa_reauthenticate_webauthn"))["Location"] == reverse("mfa_reauthenticate")
    assert client.post(reverse("mfa_reauthenticate"), {"code": code(secret)}).status_code == 302
    assert client.get("/me/").status_code == 200


def test_who_has_a_passkey_alone_is_led_to_it(province: Province, appoint: Appoint, weakly_in: SignedIn) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    person.set_password(PASSWORD)
    person.save()
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Điện thoại"})
    client = weakly_in(person)
    assert client.get("/people/")["Location"].startswith(reverse("mfa_reauthenticate"))
    assert client.get(reverse("mfa_reauthenticate"))["Location"] == reverse("mfa_reauthenticate_webauthn")


def test_who_holds_no_role_now_is_told_of_the_one_gone_by_or_to_come(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    nobody = appoint()
    page = signed_in(nobody).get("/").content.decode()
    assert "chưa được phân quyền" in page
    appoint(Role.DUTY_OFFICER, person=nobody, unit=province.commune, valid_to=today())
    page = signed_in(nobody).get("/").content.decode()
    assert "đã hết hạn" in page
    assert f"đến hết ngày {today() - datetime.timedelta(days=1):%d/%m/%Y}" in page
    begins = today() + datetime.timedelta(days=2)
    appoint(Role.GROUP_HEAD, person=nobody, unit=province.group, valid_from=begins)
    assert f"có hiệu lực từ ngày {begins:%d/%m/%Y}" in signed_in(nobody).get("/").content.decode()
