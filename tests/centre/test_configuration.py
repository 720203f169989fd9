"""What a centre can be told, and how it says that it cannot use it."""

from pathlib import Path

import pytest

from xomyen.centre.configuration import CentreFolder, CentreSettings, django_database, load_centre_settings
from xomyen.terms.errors import InvalidConfiguration


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CentreFolder:
    monkeypatch.delenv("XOMYEN_CENTRE_DATABASE", raising=False)
    return CentreFolder(tmp_path)


def test_without_a_file_everything_has_its_default(folder: CentreFolder) -> None:
    settings = load_centre_settings(folder)
    assert settings.listen == "127.0.0.1:8450"
    database = django_database(settings, folder)
    assert (database["ENGINE"], database["NAME"]) == ("django.db.backends.sqlite3", str(folder.database))
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("listen = 8450", "listen"),
        ("workers = 0", "workers"),
        ('database = "mysql://x"', "database"),
        ("no_such = 1", "no_such"),
        ("listen = ", "is not TOML"),
        ('[oidc]\nname = "x"\nserver = "http://plain"\nclient_id = "a"\nclient_secret_file = "f"', "oidc.server"),
    ],
)
def test_a_wrong_setting_is_told_with_its_file_and_name(folder: CentreFolder, text: str, told: str) -> None:
    folder.settings.write_text(text)
    with pytest.raises(InvalidConfiguration, match=told) as caught:
        load_centre_settings(folder)
    assert str(folder.settings) in caught.value.message


def test_the_environment_goes_above_the_file(folder: CentreFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.settings.write_text("workers = 3")
    monkeypatch.setenv("XOMYEN_CENTRE_WORKERS", "5")
    assert load_centre_settings(folder).workers == 5
    monkeypatch.setenv("XOMYEN_CENTRE_WORKERS", "many")
    with pytest.raises(InvalidConfiguration, match="XOMYEN_CENTRE_WORKERS"):
        load_centre_settings(folder)


def test_a_wrong_database_address_does_not_tell_its_password(folder: CentreFolder) -> None:
    folder.settings.write_text('database = "postgres//u:geheim@h/d"')
    with pytest.raises(InvalidConfiguration) as caught:
        load_centre_settings(folder)
    assert "geheim" not in caught.value.message


def test_an_address_of_postgresql_becomes_djangos(folder: CentreFolder) -> None:
    settings = CentreSettings(database="postgresql://u%40x:p%2Fw@db.example:5433/xomyen?sslmode=verify-full")
    found = django_database(settings, folder)
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "u@x", "p/w", "db.example", "5433", "xomyen",
    )  # fmt: skip
    assert found["OPTIONS"] == {"sslmode": "verify-full"}
    local = django_database(CentreSettings(database="postgresql://postgres:@/postgres?host=/run/pg"), folder)
    assert (local["HOST"], local["PORT"]) == ("/run/pg", "")
