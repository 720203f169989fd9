"""The centre's process behind its pages: brings nodes to what is wanted, and takes in what they tell."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import django
from nats.aio.client import Client

from xomyen.terms.errors import XomyenError

_LOG = logging.getLogger(__name__)
_AGAIN_S = 2.0

Duty = Callable[[], Awaitable[None]]
NodeDuty = Callable[[Client], Awaitable[None]]


def duties() -> list[Duty]:
    """What runs for the life of the process, whether a node can be reached or not."""
    from xomyen.centre.audit.writer import write_chain  # needs Django's models
    from xomyen.centre.link.duty import keep_nodes
    from xomyen.centre.link.ended import keep_ended

    return [write_chain, keep_nodes, keep_ended]


def node_duties() -> list[NodeDuty]:
    """What runs on a connection to the nodes; each is ended and begun anew when another connection takes its place."""
    from xomyen.centre.audit.access import take_access_events

    return [take_access_events]


async def _keep(name: str, duty: Duty) -> None:
    """Runs a duty again whenever it ends: one that fails must not end the others."""
    while True:
        try:
            await duty()
        except Exception:  # noqa: BLE001  # the duty's own fault, or the database's: it is tried again, the log says why
            _LOG.exception("%s failed; it is tried again", name)
        await asyncio.sleep(_AGAIN_S)


async def _on_connections(wanted: list[NodeDuty]) -> None:
    """Runs the duties on a connection, and on another one when that no longer leads to where the nodes are."""
    from django.conf import settings

    from xomyen.centre.link.bus import gone, open_client

    said = False  # that there is none; once, not with every try
    while True:
        try:
            client = await open_client(settings.CENTRE, settings.FOLDER, "centre-worker")
        except XomyenError as error:
            if not said:
                said = True
                _LOG.info("%s", error.message)
            await asyncio.sleep(_AGAIN_S)
            continue
        if said:
            _LOG.info("the connection to nodes is there")
        tasks = [_task(duty, client) for duty in wanted]
        try:
            while True:
                await asyncio.sleep(_AGAIN_S)
                if gone(client, settings.CENTRE, settings.FOLDER):
                    break
        finally:
            await _end(tasks)
            await client.close()
        said = True  # by the connection itself, when it was lost


def _task(duty: NodeDuty, client: Client) -> asyncio.Task[None]:
    return asyncio.create_task(_keep(duty.__module__, lambda: duty(client)), name=duty.__module__)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run() -> None:
    """Until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    tasks = [asyncio.create_task(_keep(duty.__module__, duty), name=duty.__module__) for duty in duties()]
    if wanted := node_duties():
        connections = _keep("the connection to nodes", lambda: _on_connections(wanted))
        tasks.append(asyncio.create_task(connections, name="connections"))
    await stopping.wait()
    await _end(tasks)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xomyen.centre.settings")
    django.setup()
    asyncio.run(run())
    sys.exit(0)


if __name__ == "__main__":
    main()
