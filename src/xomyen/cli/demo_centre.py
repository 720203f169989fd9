"""The centre beside the demo's node: its processes, its commune, and a link for each person."""

import asyncio
import datetime
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from xomyen.bus.messages import CameraConfig
from xomyen.centre.configuration import CentreFolder, load_centre_settings
from xomyen.centre.operation.lock import sole
from xomyen.cli.centre import answering, centre_parts, own_address, prepare_centre
from xomyen.cli.serve import LINK_LIFE_S
from xomyen.terms.folder import NodeFolder

_ORIGINS = "XOMYEN_ORIGINS"
_LINKS_LAST = datetime.timedelta(seconds=LINK_LIFE_S)


@dataclass(frozen=True, slots=True)
class PersonLink:
    """A way in for one person of the demo."""

    name: str
    rank: str
    link: str


@dataclass(frozen=True, slots=True)
class Known:
    """A camera of the demo as the node has it."""

    code: str
    name: str
    config: CameraConfig


@dataclass(frozen=True, slots=True)
class Beside:
    """The node beside the centre."""

    id: str
    url: str
    cameras: list[Known]


def allow_pages_of(listen: str, origins: Sequence[str]) -> None:
    """Lets the centre's pages use the node: to be called before the node's gateway starts."""
    port = listen.rpartition(":")[2]
    hosts = (listen, f"127.0.0.1:{port}", f"localhost:{port}")
    pages = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    os.environ[_ORIGINS] = json.dumps(list(dict.fromkeys([*origins, *pages])))


@asynccontextmanager
async def running_centre(folder: NodeFolder, listen: str) -> AsyncIterator[str]:
    """The centre's processes for the length of a block; its address."""
    url = own_address(load_centre_settings(CentreFolder(folder.root)), listen)
    with sole(CentreFolder(folder.root), url):
        await asyncio.to_thread(prepare_centre, folder.root)
        async with AsyncExitStack() as parts:
            for part in centre_parts(listen):
                await part.start()
                parts.push_async_callback(part.stop)
            yield url


async def open_doors(table: dict[str, Any], centre: str, node: Beside) -> list[PersonLink]:
    """Fills the centre, and once its pages answer gives a link for each person."""
    people = await asyncio.to_thread(_fill, table, centre, node)
    await answering(f"{centre}/account/login/")
    return people


def _fill(table: dict[str, Any], centre: str, node: Beside) -> list[PersonLink]:
    # Django's settings name the folder, which is known by now.
    from django.db import connections

    from xomyen.centre.accounts.services import one_time_link
    from xomyen.centre.demo.commune import Place, fill
    from xomyen.centre.demo.places import Recorded

    recorded = []
    for camera in node.cameras:
        sub = camera.config.sub.url if camera.config.sub else ""
        recorded.append(
            Recorded(camera.config.id, camera.code, camera.name, camera.config.order, camera.config.main.url, sub)
        )
    try:
        people = fill(table, Place(node.id, node.url), recorded)
        return [
            PersonLink(person.full_name, person.rank, f"{centre}{one_time_link(person, _LINKS_LAST)}")
            for person in people
        ]
    finally:
        connections.close_all()
