"""Which passwords may be chosen."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from xomyen.centre.accounts.models import User


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
    ],
)
def test_breached_counted_repeated_and_own_names_are_refused(password: str) -> None:
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
def test_sentences_and_random_ones_are_fine(password: str) -> None:
    validate_password(password, User(username="tung.dk", full_name="Đỗ Khê Tùng"))
