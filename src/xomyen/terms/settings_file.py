"""Settings out of a TOML file, overridden by variables of the environment, with errors that say where and what."""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from xomyen.terms.errors import InvalidConfiguration


class FileSettings(BaseSettings):
    """Settings whose file is given to their constructor; the environment (`env_prefix`) counts more."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The file's values come as `init`; the environment goes above them.
        return env_settings, init_settings


Kind = TypeVar("Kind", bound=FileSettings)


def load_file(kind: type[Kind], file: Path, *, show_values: bool) -> Kind:
    """The settings of a file, which need not be there.

    `show_values`: no value can hold a secret, so that an error may show it. Raises InvalidConfiguration, which names
    the file or variable, the key and what it may be.
    """
    values: dict[str, Any] = {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{file} is not TOML: {error}.") from error
    try:
        return kind(**values)
    except ValidationError as error:
        raise _explained(kind, file, error, show_values) from error


def _explained(kind: type[Kind], file: Path, error: ValidationError, show_values: bool) -> InvalidConfiguration:
    """What is wrong with the first wrong value."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    variable = kind.model_config.get("env_prefix", "") + "__".join(str(part) for part in first["loc"]).upper()
    place = f"the environment variable {variable}" if variable in os.environ else str(file)
    if first["type"] == "extra_forbidden":
        known = ", ".join(kind.model_fields)
        return InvalidConfiguration(f"{place}: there is no setting {key!r}; those there are: {known}.", field=key)
    shown = f"{key} = {first['input']!r}" if show_values else key
    return InvalidConfiguration(f"{place}: {shown}: {first['msg']}{_range(kind, key)}.", field=key)


def _range(kind: type[Kind], key: str) -> str:
    """(allowed: from 1 to 5000), where the setting has bounds."""
    field = kind.model_fields.get(key.partition(".")[0])
    bounds = {
        name: getattr(rule, name)
        for rule in (field.metadata if field else ())
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    if not bounds:
        return ""
    if "le" not in bounds:
        return f" (allowed: {bounds['ge']} or more)"
    return f" (allowed: {bounds['ge']} to {bounds['le']})"
