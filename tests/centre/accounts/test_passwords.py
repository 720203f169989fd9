"""Which passwords may be chosen."""

from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from tests.centre.conftest import Province

from xomyen.centre.accounts import passwords
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.passwords import breached, strength


@pytest.mark.parametrize(
    "password",
    [
        "Tung-1990!",  # short
        "123456789012",
        "987654321098",
        "qwertyuiop12",
        "Password123456",
        "P@ssw0rd12345678",
        "matkhau123456",
        "Mật khẩu 123456",
        "conganconganco",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "iloveyou2024!",
        "do khe tung 1990",  # the person's own name
        "Mailcreated5240",  # breached
        "UNBELIEVABLE",
        "unbelievable1!",
        "iseedeadpeople",
        "khaugiakhe2026",
        "giakhe@2026!!",
        "CongAn-GiaKhe-2026",
        "Gia Khê 02091945",
        "conganxagiakhe",
        "benSong19871990",
        "anhyeuem02091945",
        "matkhau@2026!",
        "hanoi10101954",
        "quantri123456",
        "tổ quốc việt nam",
    ],
)
def test_breached_counted_repeated_and_own_names_are_refused(province: Province, password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="tung.dk", full_name="Do Khe Tung"))


@pytest.mark.parametrize(
    "password",
    [
        "mua-xuan-tren-de-song-cau",
        "Cái trống đồng rơi 3 lần",
        "k7#vQ2pL9xTz",
        "hoa sen trang no som",
        "gr8-Bún/chả=ngon",
    ],
)
def test_sentences_and_random_ones_are_fine(province: Province, password: str) -> None:
    validate_password(password, User(username="tung.dk", full_name="Đỗ Khê Tùng"))


def test_three_thousand_breached_ones_of_the_length_that_is_asked_for_are_known_and_refused(db: None) -> None:
    assert len(breached()) > 10_000
    assert all(len(one) >= 12 for one in breached())
    assert all(strength(one) == 0 == strength(one.upper()) for one in list(breached())[:3_000])


def test_the_list_is_small_and_a_password_is_judged_at_once(db: None) -> None:
    assert (Path(passwords.__file__).parent / "breached.txt.gz").stat().st_size < 120_000
    # Long ones too: they are judged by their beginning.
    assert 8 <= strength("đồng lúa chín " * 100_000) <= 200
