"""Looks at given addresses for cameras: which ports answer, and which of them speak RTSP or ONVIF."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from xomyen.camera.errors import CameraFault
from xomyen.camera.onvif.device import OnvifDevice
from xomyen.camera.onvif.networks import Endpoint
from xomyen.terms.tasks import end_task

DEVICE_PATH = "/onvif/device_service"
_AT_ONCE = 48  # addresses; each is tried at all ports together
_CONNECT_S = 1.5
_ANSWER_S = 3.0
_OPTIONS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where cameras usually answer."""

    rtsp: tuple[int, ...] = (554, 8554)
    onvif: tuple[int, ...] = (80, 8000, 8080)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one address answers; most answer nothing."""

    address: str
    rtsp_ports: tuple[int, ...] = ()
    onvif: tuple[Endpoint, ...] = ()


async def scan(addresses: Sequence[str], ports: Ports | None = None) -> AsyncGenerator[Looked, None]:
    """Each address once, in the order in which they are done with; whoever calls has checked that they may be asked."""
    ports = ports or Ports()
    waiting = iter(addresses)
    running: set[asyncio.Task[Looked]] = set()
    try:
        while True:
            while len(running) < _AT_ONCE and (address := next(waiting, None)) is not None:
                running.add(asyncio.create_task(_look(address, ports), name="scan"))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            await end_task(task)


async def _look(address: str, ports: Ports) -> Looked:
    rtsp = asyncio.gather(*(_speaks_rtsp(address, port) for port in ports.rtsp))
    onvif = asyncio.gather(*(_onvif(address, port) for port in ports.onvif))
    spoken, found = await rtsp, await onvif
    return Looked(
        address,
        tuple(port for port, speaks in zip(ports.rtsp, spoken, strict=True) if speaks),
        tuple(endpoint for endpoint in found if endpoint is not None),
    )


async def _connect(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    try:
        return await asyncio.wait_for(asyncio.open_connection(address, port, limit=4096), _CONNECT_S)
    except (OSError, TimeoutError):
        return None


async def _speaks_rtsp(address: str, port: int) -> bool:
    connection = await _connect(address, port)
    if connection is None:
        return False
    reader, writer = connection
    try:
        writer.write(_OPTIONS)
        return (await asyncio.wait_for(reader.readexactly(7), _ANSWER_S)) == b"RTSP/1."
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


async def _onvif(address: str, port: int) -> Endpoint | None:
    """The device service at this port, if there is one."""
    connection = await _connect(address, port)
    if connection is None:
        return None
    connection[1].close()
    endpoint = Endpoint("http", address, port, DEVICE_PATH)
    with suppress(CameraFault):
        async with OnvifDevice(endpoint, None, answer_s=_ANSWER_S) as device:
            await device.greet()
            return endpoint
    return None
