"""Where the node's bus listens and with which secret: files in the node's folder, readable by its owner alone."""

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import nkeys
from nacl.signing import SigningKey

from xomyen.terms.errors import NotRunning
from xomyen.terms.folder import NodeFolder


@dataclass(frozen=True, slots=True)
class BusAddress:
    """One running bus server."""

    url: str  # nats://127.0.0.1:PORT
    pid: int
    others: tuple[str, ...] = ()  # where it will listen when it is started again and its port is taken


def address_file(folder: NodeFolder) -> Path:
    return folder.run / "bus.json"


def write_private(path: Path, content: str) -> None:
    """Puts a file in place whole, readable by its owner alone."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(waiting, path)


def write_address(folder: NodeFolder, address: BusAddress) -> None:
    write_private(address_file(folder), json.dumps({"version": 1, **asdict(address)}))


def read_address(folder: NodeFolder) -> BusAddress:
    """Raises NotRunning when no bus has written its address."""
    try:
        found = json.loads(address_file(folder).read_text(encoding="utf-8"))
        return BusAddress(str(found["url"]), int(found["pid"]), tuple(map(str, found.get("others", ()))))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotRunning(f"The node in {folder.root} is not running; start it with `xomyen serve`.") from error


@dataclass(frozen=True, slots=True)
class BusUser:
    """A NATS nkey pair: the server's configuration holds the public part only."""

    seed: str
    public: str


def load_or_create_user(path: Path) -> BusUser:
    """The user whose seed lies in the file; makes both when there is none."""
    if not path.exists():
        seed = nkeys.encode_seed(bytes(SigningKey.generate()), nkeys.PREFIX_BYTE_USER).decode()
        write_private(path, seed + "\n")
    seed = path.read_text(encoding="ascii").strip()
    pair = nkeys.from_seed(bytearray(seed.encode()))
    return BusUser(seed, pair.public_key.decode())


def node_user(folder: NodeFolder) -> BusUser:
    """The node's own user on its bus."""
    return load_or_create_user(folder.bus / "node.nk")


def media_user(folder: NodeFolder) -> BusUser:
    """The user of the account that carries media asked for from afar."""
    return load_or_create_user(folder.bus / "media.nk")


async def wait_for_address(folder: NodeFolder, seconds: float) -> BusAddress:
    """The address as soon as it is written; raises NotRunning after the seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        try:
            return read_address(folder)
        except NotRunning:
            if loop.time() >= until:
                raise
        await asyncio.sleep(0.05)
