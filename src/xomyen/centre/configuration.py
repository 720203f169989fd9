"""What a centre can be told: the file centre.toml in its folder, overridden by XOMYEN_CENTRE_… of the environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings_file import FileSettings, load_file

ZONE = "Asia/Ho_Chi_Minh"
"""Where the installation is: pages and commands tell the time of there, however the machine is set."""
FOLDER_VARIABLE = "XOMYEN_CENTRE_DIR"
"""The environment variable that tells a process of the centre its folder."""
WEB_VARIABLE = "XOMYEN_CENTRE_WEB"
"""The environment variable that tells the web's workers the server's process, without which they must not go on."""


@dataclass(frozen=True, slots=True)
class CentreFolder:
    """Everything of a centre but its database server lies in one folder, beside a node's where one box is both."""

    root: Path

    @property
    def own(self) -> Path:
        return self.root / "centre"

    @property
    def settings(self) -> Path:
        """Optional settings (TOML)."""
        return self.root / "centre.toml"

    @property
    def database(self) -> Path:
        """The database when no server is named (SQLite)."""
        return self.own / "centre.sqlite"

    @property
    def lock(self) -> Path:
        """Held (flock) by the process that runs the centre."""
        return self.own / "lock"

    @property
    def secret(self) -> Path:
        """What signs sessions and links; mode 0600."""
        return self.own / "secret"

    @property
    def issuer_key(self) -> Path:
        """The Ed25519 key with which the centre issues tickets; PKCS#8 PEM, mode 0600."""
        return self.own / "issuer.pem"

    @property
    def next_issuer_key(self) -> Path:
        """The key that is to follow it, while there is one; mode 0600."""
        return self.own / "issuer-next.pem"

    @property
    def former_issuers(self) -> Path:
        """Public keys (PEM) of those before, numbered."""
        return self.own / "issuers"

    @property
    def node(self) -> NodeFolder:
        """The node in the same folder, where there is one."""
        return NodeFolder(self.root)


class BusSettings(BaseModel):
    """The centre's own NATS server, of which the nodes' servers are leaves."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(pattern=r"^(nats|tls)://")]
    seed_file: Path  # seed of the NATS user of the nodes' account, mode 0600


class OidcSettings(BaseModel):
    """Sign-in with an account of elsewhere (OpenID Connect)."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=60)]  # on the button
    server: Annotated[str, Field(pattern=r"^https://")]
    client_id: str
    client_secret_file: Path
    ca_file: Path | None = None  # PEM, where an authority that is not public vouches for the provider


class CentreSettings(FileSettings):
    """Everything a centre can be told."""

    model_config = SettingsConfigDict(
        env_prefix="XOMYEN_CENTRE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$")] = "127.0.0.1:8450"
    hosts: tuple[str, ...] = ()  # names under which people reach it, besides those of this machine
    behind_tls: bool = False  # a proxy on this machine ends TLS
    tls_certificate: Path | None = None  # PEM chain; with it the centre serves TLS itself
    tls_key: Path | None = None
    hsts_subdomains: bool = True  # with TLS, browsers use it for names below this host's too
    database: Annotated[str, Field(pattern=r"^(postgresql://.+)?$")] = ""  # empty: SQLite in the folder
    workers: Annotated[int, Field(ge=1, le=32)] = 2  # web processes
    requests_per_minute: Annotated[int, Field(ge=60)] = 600  # of one person or screen, at each web process
    second_factor: Literal["officers", "everyone"] = "officers"  # who must have one
    bus: BusSettings | None = None  # none: the bus of the node in the same folder
    oidc: OidcSettings | None = None
    map_file: Path | None = None  # PMTiles
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"


def load_centre_settings(folder: CentreFolder) -> CentreSettings:
    """The centre's settings. Raises InvalidConfiguration naming the file or variable, the key and what is wrong."""
    settings = load_file(CentreSettings, folder.settings, show_values=False)  # the database's address has a password
    _require_files(folder, settings)
    return settings


def _require_files(folder: CentreFolder, settings: CentreSettings) -> None:
    """Raises InvalidConfiguration for a file that is named and cannot be read: told now, not at the first use."""
    files = {
        "tls_certificate": settings.tls_certificate,
        "tls_key": settings.tls_key,
        "map_file": settings.map_file,
        "bus.seed_file": settings.bus.seed_file if settings.bus else None,
        "oidc.client_secret_file": settings.oidc.client_secret_file if settings.oidc else None,
        "oidc.ca_file": settings.oidc.ca_file if settings.oidc else None,
    }
    for key, path in files.items():
        if path is not None and not os.access(path, os.R_OK):
            raise InvalidConfiguration(f"{folder.settings}: {key}: {path} cannot be read by this user.", field=key)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise InvalidConfiguration(
            f"{folder.settings}: tls_certificate and tls_key belong together: set both or none.", field="tls_key"
        )


def folder_of_process() -> CentreFolder:
    """The folder that this process was started for. Raises InvalidConfiguration."""
    root = os.environ.get(FOLDER_VARIABLE)
    if not root:
        raise InvalidConfiguration(f"{FOLDER_VARIABLE} does not name the centre's folder.")
    return CentreFolder(Path(root))


def django_database(settings: CentreSettings, folder: CentreFolder) -> dict[str, Any]:
    """The entry of Django's DATABASES.

    SQLite: WAL, and transactions that write take the lock at their beginning, so that none fails half-way with
    "database is locked" when several processes write (https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes).
    """
    if not settings.database:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder.database),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(settings.database)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


def django_providers(settings: CentreSettings) -> dict[str, Any]:
    """django-allauth's SOCIALACCOUNT_PROVIDERS: the one provider that the settings name, or none."""
    oidc = settings.oidc
    app = oidc and {
        "provider_id": "oidc",
        "name": oidc.name,
        "client_id": oidc.client_id,
        "secret": oidc.client_secret_file.read_text(encoding="utf-8").strip(),
        "settings": {"server_url": oidc.server},
    }
    ours = "xomyen.centre.accounts.elsewhere.provider.OpenIdProvider"
    return {"openid_connect": {"provider_class": ours, "APPS": [app] if app else []}}
