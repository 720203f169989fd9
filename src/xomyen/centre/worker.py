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

Duty = Callable[[Client], Awaitable[None]]


def duties() -> list[Duty]:
    """What runs for the life of the process; each returns or raises only when its connection is gone."""
    from xomyen.centre.audit.writer import write_chain  # needs Django's models
    from xomyen.centre.link.duty import keep_nodes

    return [write_chain, keep_nodes]


async def _keep(duty: Duty, client: Client) -> None:
    """Runs a duty again whenever it ends: one that fails must not end the others."""
    while True:
        try:
            await duty(client)
        except Exception:  # noqa: BLE001  # the duty's own fault, or the database's: it is tried again, the log says why
            _LOG.exception("%s failed; it is tried again", duty.__module__)
        await asyncio.sleep(_AGAIN_S)


async def run() -> None:
    """Until SIGTERM or SIGINT."""
    from django.conf import settings

    from xomyen.centre.link.bus import open_client

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    client: Client | None = None
    while client is None and not stopping.is_set():
        try:
            client = await open_client(settings.CENTRE, settings.FOLDER, "centre-worker")
        except XomyenError as error:
            _LOG.warning("%s", error.message)
            await asyncio.sleep(_AGAIN_S)
    if client is None:
        return
    tasks = [asyncio.create_task(_keep(duty, client), name=duty.__name__) for duty in duties()]
    await stopping.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xomyen.centre.settings")
    django.setup()
    asyncio.run(run())
    sys.exit(0)


if __name__ == "__main__":
    main()
