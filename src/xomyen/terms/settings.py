"""Settings of a node: the file settings.toml in its folder, overridden by XOMYEN_… of the environment."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork
from pydantic_settings import SettingsConfigDict

from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings_file import FileSettings, load_file

MEBI = 1 << 20
GIBI = 1 << 30
OWN_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
"""Private and link-local addresses: RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6."""


class RemoteSettings(BaseModel):
    """One leaf connection to the centre."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(pattern=r"^(nats-leaf|tls|wss?)://")]
    seed_file: Path  # file with the seed of the NATS user to be there, mode 0600
    ca_file: Path | None = None  # PEM of who vouches for the centre's certificate; none: those the system trusts


class UplinkSettings(BaseModel):
    """How the node reaches the centre; media goes by a connection of its own."""

    model_config = ConfigDict(extra="forbid")
    events: RemoteSettings
    media: RemoteSettings


class Settings(FileSettings):
    """Everything a node can be told. Sizes are bytes, lengths of time as named."""

    model_config = SettingsConfigDict(env_prefix="XOMYEN_", env_nested_delimiter="__", extra="forbid", frozen=True)

    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$")] = "127.0.0.1:8460"
    tls_certificate: Path | None = None  # PEM chain; with it the web is served over TLS
    tls_key: Path | None = None
    behind_tls: bool = False  # a proxy on this machine ends TLS: cookies are marked Secure
    hsts_subdomains: bool = True  # with TLS, browsers use it for names below this host's too
    origins: tuple[str, ...] = ()  # pages of other origins that may use this node, such as the centre's
    metrics_token_file: Path | None = None  # lets another machine read /metrics with this bearer token
    transcoders: Annotated[int, Field(ge=0, le=32)] = 2  # pictures re-encoded for browsers, at once
    cameras: Annotated[int, Field(ge=1, le=5000)] = 500  # the most the node takes
    device_networks: tuple[IPvAnyNetwork, ...] = tuple(ip_network(network) for network in OWN_NETWORKS)
    """Where a centre may have devices searched, asked and steered."""
    volumes: tuple[Path, ...] = ()  # folders that hold segments; empty: DIR/video
    reserve_bytes: Annotated[int, Field(ge=MEBI)] | None = None  # kept free on each volume; none: 5 % of the disk
    commit_seconds: Annotated[float, Field(ge=0.1, le=30)] = 1.0  # shortest time between two syncs of a volume
    queue_bytes: Annotated[int, Field(ge=MEBI, le=16 * GIBI)] = 128 * MEBI  # may wait for one volume
    receive_buffers: Annotated[int, Field(ge=16, le=65_536)] = 1800  # of 512 KiB each, shared by all cameras
    event_bytes: Annotated[int, Field(ge=16 * MEBI)] = 512 * MEBI  # the event stream on disk
    event_days: Annotated[float, Field(ge=1, le=3650)] = 90.0
    bus_store_bytes: Annotated[int, Field(ge=128 * MEBI)] = GIBI  # all of JetStream on disk
    log_format: Literal["auto", "console", "json"] = "auto"  # auto: console on a terminal
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    uplink: UplinkSettings | None = None


def load_settings(folder: NodeFolder) -> Settings:
    """The node's settings. Raises InvalidConfiguration naming the file or variable, the key and what it may be."""
    return load_file(Settings, folder.settings, show_values=True)
