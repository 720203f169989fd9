"""The process that talks to devices nobody knows yet: probes them, looks for them, steers them.

It is one of its own because it reads what strangers send and waits for what never answers: should it crash, hang or
be busy, the recorder, the gateway and the supervisor with its configuration service do not notice.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvloop

from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.requests import Empty, answer
from xomyen.camera.onvif.networks import Networks
from xomyen.node.device_search import SearchPlaces
from xomyen.node.device_service import DeviceService
from xomyen.node.home import read_identity
from xomyen.node.logs import configure_logs
from xomyen.node.secrets import Secrets
from xomyen.node.supervisor import trouble_file
from xomyen.terms.errors import XomyenError
from xomyen.terms.folder import NodeFolder
from xomyen.terms.niceness import give_way
from xomyen.terms.settings import Settings, load_settings
from xomyen.terms.time import SystemClock

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def attending(folder: NodeFolder, settings: Settings) -> AsyncIterator[None]:
    """The device service answers for the length of a block. Raises InvalidConfiguration, NotRunning."""
    places = SearchPlaces(Networks(map(str, settings.device_networks)))
    node = read_identity(folder)
    secrets = Secrets.load_or_create(folder.secrets_key)
    async with (
        connected(folder, "devices") as client,
        DeviceService(client, node, secrets, places, SystemClock()),
    ):
        await answer(client, subjects.service(node, "devices", "state"), Empty, _alive)
        yield


async def _alive(_request: Empty) -> Empty:
    """What the supervisor's watchdog asks: an event loop that hangs cannot say it."""
    return Empty()


async def run(folder: NodeFolder, settings: Settings) -> None:
    """Attends to questions until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with attending(folder, settings):
        trouble_file(folder, "devices").unlink(missing_ok=True)
        await stopping.wait()


def main() -> None:
    """Runs the process; exit code 0 after a clean stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    folder = NodeFolder(parser.parse_args().dir)
    give_way()
    try:
        settings = load_settings(folder)
        configure_logs("devices", settings)
        uvloop.run(run(folder, settings))
    except XomyenError as error:
        # The supervisor shows it to whoever asks for the node's health.
        with suppress(OSError):
            trouble_file(folder, "devices").write_text(error.message, encoding="utf-8")
        _LOG.error("%s", error.message)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
