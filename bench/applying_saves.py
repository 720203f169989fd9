"""Run by `bench.applying` in a process of its own: saves cameras over the API, and watches their node.

``python -m bench.applying_saves FOLDER CENTRE TIMES``. Prints JSON: seconds from the beginning of each save to the node
having the camera so (`in_force`) and to the centre saying that it has (`told`).
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from bench.centre_pages import token_of
from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected
from xomyen.cli.centre import use_django
from xomyen.node.home import read_identity
from xomyen.terms.folder import NodeFolder

_LOOK_S = 0.01
_PATIENCE_S = 30.0


def main() -> None:
    folder, centre, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    logging.getLogger("httpx").setLevel(logging.WARNING)
    use_django(folder)
    from xomyen.centre.accounts.models import User

    token = token_of(User.objects.get(appointments__role="technician"))
    found = asyncio.run(_measure(NodeFolder(folder), centre, token, times))
    json.dump({"in_force": [one[0] for one in found], "told": [one[1] for one in found]}, sys.stdout)


async def _measure(folder: NodeFolder, centre: str, token: str, times: int) -> list[tuple[float, float]]:
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    async with (
        connected(folder, "bench") as bus,
        httpx.AsyncClient(base_url=f"{centre}/api/v1", headers=headers, timeout=30) as client,
    ):
        node = Configuration(bus, read_identity(folder))
        listed = (await client.get("/cameras", params={"limit": 200})).raise_for_status().json()["items"]
        cameras = [one["id"] for one in listed if one["standing"] == "in_force"]
        return [await _save(client, node, cameras[turn % len(cameras)], f"Cổng {turn}") for turn in range(times)]


async def _save(client: httpx.AsyncClient, node: Configuration, camera: str, name: str) -> tuple[float, float]:
    async def has_it() -> bool:
        return (await node.camera(camera)).config.name.endswith(name)

    async def says_so() -> bool:
        state = (await client.get(f"/cameras/{camera}/state")).raise_for_status().json()
        return bool(state["standing"] == "in_force")

    begin = time.perf_counter()
    # The node may have it before the save is answered.
    in_force = asyncio.create_task(_until(has_it, begin))
    (await client.patch(f"/cameras/{camera}", json={"name": name})).raise_for_status()
    return await in_force, await _until(says_so, begin)


async def _until(done: Callable[[], Awaitable[bool]], begin: float) -> float:
    """Seconds until it is done, to a hundredth. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_S):
        while not await done():
            await asyncio.sleep(_LOOK_S)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
