"""The gateway's process: serves the web, the API and live pictures until it is told to stop."""

import argparse
import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import uvloop

from xomyen.access.store import AccessStore
from xomyen.access.tickets import TicketChecker
from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.requests import Empty, answer
from xomyen.node.access_service import AccessService
from xomyen.node.gateway.alarm_board import AlarmBoard
from xomyen.node.gateway.app import create_app
from xomyen.node.gateway.context import GatewayContext, IndexDoor
from xomyen.node.gateway.directory import CameraDirectory
from xomyen.node.gateway.server import Address, serving
from xomyen.node.home import read_identity
from xomyen.node.logs import configure_logs
from xomyen.node.state_feed import StateFeed
from xomyen.node.supervisor import gateway_file, write_gateway
from xomyen.node.tls import read_tls
from xomyen.node.trusted import Trusted
from xomyen.proof.keys import SigningKey
from xomyen.terms.addresses import is_everywhere
from xomyen.terms.errors import InvalidConfiguration, XomyenError
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings, load_settings
from xomyen.terms.time import SystemClock

_LOG = logging.getLogger(__name__)

_CONFIGURED_S = 10.0


def split_listen(listen: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; brackets around an IPv6 address are taken away."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def reachable(address: Address) -> str:
    """The URL to type elsewhere: a server that listens on every address is called by one that others reach."""
    if not is_everywhere(address.host):
        return address.url
    family = socket.AF_INET6 if address.host == "::" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only chooses the route (addresses of RFC 5737, RFC 3849).
            probe.connect(("2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1", 9))
            host = str(probe.getsockname()[0])
        except OSError:
            host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    return Address(host, address.port, address.scheme).url


def _metrics_token(settings: Settings) -> str:
    if settings.metrics_token_file is None:
        return ""
    try:
        return settings.metrics_token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidConfiguration(f"{settings.metrics_token_file} (metrics_token_file) cannot be read.") from error


@asynccontextmanager
async def gateway(
    folder: NodeFolder, settings: Settings, listen: str, ended: Callable[[], None]
) -> AsyncIterator[Address]:
    """The gateway runs for the length of a block; `ended` is called should its server end before.

    Raises OSError when the address cannot be had.
    """
    clock = SystemClock()
    node = read_identity(folder)
    host, port = split_listen(listen)
    issuer = SigningKey.load_or_create(folder.issuer_key)
    trusted = Trusted.read(folder)
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(connected(folder, "gateway"))
        store = stack.enter_context(AccessStore(folder.access, clock))
        index = IndexDoor(folder.index)
        stack.callback(index.close)
        cameras = CameraDirectory()
        alarms = AlarmBoard()
        feed = await stack.enter_async_context(StateFeed(bus, node, cameras, alarms, clock))
        tls = read_tls(settings)
        context = GatewayContext(
            folder=folder,
            node=node,
            index=index,
            bus=bus,
            checker=TicketChecker(node, [issuer.public, *trusted.issuers], clock, store),
            store=store,
            issuer=issuer,
            signing_key=SigningKey.load_or_create(folder.signing_key),
            cameras=cameras,
            clock=clock,
            alarms=alarms,
            secure=tls is not None or settings.behind_tls,
            hsts_subdomains=settings.hsts_subdomains,
            behind_proxy=settings.behind_tls,
            origins=frozenset([*settings.origins, *trusted.pages]),
            metrics_token=_metrics_token(settings),
            transcoders=settings.transcoders,
        )
        # Before anybody is served: what the centre tells in between would be asked for in vain.
        await stack.enter_async_context(AccessService(bus, node, store))
        # Pages that come back at once must not hear that there are no cameras.
        with suppress(TimeoutError):
            await asyncio.wait_for(feed.configured.wait(), _CONFIGURED_S)
        address = await stack.enter_async_context(serving(create_app(context), host, port, tls, ended))
        await answer(bus, subjects.service(node, "gateway", "state"), Empty, _alive)
        write_gateway(folder, reachable(address), {*trusted.names, *settings.origins})
        stack.callback(gateway_file(folder).unlink, missing_ok=True)
        yield address


async def _alive(_request: Empty) -> Empty:
    """What the supervisor's watchdog asks: an event loop that hangs cannot say it."""
    return Empty()


async def run(folder: NodeFolder, settings: Settings, listen: str) -> None:
    """Serves until SIGTERM or SIGINT, or until the server fails: the supervisor then starts this process again."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with gateway(folder, settings, listen, stopping.set) as address:
        gc.collect()
        gc.freeze()
        _LOG.info("listening on %s", address.url)
        await stopping.wait()


def _allow_connections() -> None:
    """As many open files as the system lets a process have: each connection is one, and so is each file sent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


def main() -> None:
    """Runs the process; exit code 0 after a clean stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--listen", required=True)
    arguments = parser.parse_args()
    folder = NodeFolder(arguments.dir)
    _allow_connections()
    try:
        settings = load_settings(folder)
        configure_logs("gateway", settings)
        uvloop.run(run(folder, settings, arguments.listen))
    except XomyenError as error:
        _LOG.error("%s", error.message)
        sys.exit(error.exit_code)
    except OSError as error:
        _LOG.error("cannot serve on %s: %s", arguments.listen, error.strerror or error)
        sys.exit(1)


if __name__ == "__main__":
    main()
