"""The text of a nats-server configuration: a node alone, or as a leaf of the centre's cluster."""

import json
from dataclasses import dataclass, field
from pathlib import Path

MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class Remote:
    """The centre's end of one leaf connection, and the seed of the user to be there."""

    url: str  # nats-leaf://host:port or tls://host:port
    seed: str = field(repr=False)
    ca_file: Path | None = None  # PEM; who may vouch for the centre; none: those the system trusts


@dataclass(frozen=True, slots=True)
class Uplink:
    """How a node reaches the centre: events and services by one connection, media by another.

    Two connections and two accounts, because a leaf connection is one TCP stream: media that fills it
    would hold up the events behind it (nats-server issue 7615).
    """

    events: Remote
    media: Remote


@dataclass(frozen=True, slots=True)
class BusLimits:
    """What the server may use of the machine."""

    store_bytes: int = 1024 * MEBI  # JetStream on disk
    memory_bytes: int = 32 * MEBI  # JetStream in memory
    payload_bytes: int = MEBI  # one message


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Everything that goes into the configuration of one node's server."""

    node: str
    store: Path
    run: Path
    log: Path
    node_user: str  # public nkeys
    media_user: str
    port: int = -1  # -1: any free one
    limits: BusLimits = field(default_factory=BusLimits)
    uplink: Uplink | None = None


def domain(node: str) -> str:
    """The JetStream domain of a node, by which the centre addresses its streams."""
    return f"xy{node.replace('-', '')}"


def render(config: ServerConfig) -> str:
    """The configuration file.

    `sync_interval: always` makes the server fsync before it acknowledges: without it a power cut loses
    up to two minutes of events that were acknowledged.
    """
    limits = config.limits
    text = f"""\
# Written by xomyen at each start; changes are lost.
server_name: {_quoted("xomyen-" + config.node)}
listen: "127.0.0.1:{config.port}"
ports_file_dir: {_quoted(str(config.run))}
log_file: {_quoted(str(config.log))}
logfile_size_limit: {4 * MEBI}
logfile_max_num: 3
max_payload: {limits.payload_bytes}
max_pending: {64 * MEBI}
write_deadline: "5s"
lame_duck_grace_period: "0s"
lame_duck_duration: "30s"
jetstream {{
  store_dir: {_quoted(str(config.store))}
  domain: {_quoted(domain(config.node))}
  max_file_store: {limits.store_bytes}
  max_memory_store: {limits.memory_bytes}
  sync_interval: always
}}
accounts {{
  NODE: {{ jetstream: enabled, users: [{{ nkey: {_quoted(config.node_user)} }}] }}
  MEDIA: {{ users: [{{ nkey: {_quoted(config.media_user)} }}] }}
  SYSTEM: {{ }}
}}
system_account: SYSTEM
"""
    if config.uplink is not None:
        text += _leaf(config.uplink)
    return text


def _quoted(text: str) -> str:
    """A string of the configuration: as in JSON, but the server knows no escapes of letters beyond ASCII."""
    return json.dumps(text, ensure_ascii=False)


def _leaf(uplink: Uplink) -> str:
    def remote(account: str, end: Remote) -> str:
        # With a block the server insists on TLS: without one a centre that offers none would be spoken to in the clear.
        trusted = f"ca_file: {_quoted(str(end.ca_file))}" if end.ca_file is not None else ""
        tls = f", tls {{ {trusted} }}" if end.ca_file is not None or end.url.startswith("tls://") else ""
        where = f"url: {_quoted(end.url)}, account: {_quoted(account)}"
        return f"    {{ {where}, nkey: {_quoted(end.seed)}{tls} }}\n"

    return (
        "leafnodes {\n  reconnect: 1\n  remotes = [\n"
        + remote("NODE", uplink.events)
        + remote("MEDIA", uplink.media)
        + "  ]\n}\n"
    )
