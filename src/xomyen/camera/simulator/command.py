"""The command `xomyen camera simulate`."""

import asyncio
import contextlib
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress, TaskID

from xomyen.camera.onvif.discovery import GROUP
from xomyen.camera.simulator.certificate import server_context
from xomyen.camera.simulator.encoding import Picturing
from xomyen.camera.simulator.faults import FaultOrder
from xomyen.camera.simulator.onvif import SimulatedDevice
from xomyen.camera.simulator.onvif_answers import SimulatedProfile
from xomyen.camera.simulator.protection import Protection, Scheme
from xomyen.camera.simulator.server import Simulator
from xomyen.terms.errors import InvalidConfiguration, XomyenError
from xomyen.terms.words import StreamName, VideoCodec

_console = Console(stderr=True)
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise InvalidConfiguration(f"{text!r} is not a size: write it as 1920x1080")
    return int(width), int(height)


def _offset_s(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    if not found:
        raise InvalidConfiguration(f"{text!r} is not an offset from UTC: write it as +07:00")
    return (1 if found[1] == "+" else -1) * (int(found[2]) * 3600 + int(found[3]) * 60)


def _protection(user: str | None, password_file: Path | None, scheme: Scheme, nonce_life: float) -> Protection | None:
    if (user is None) != (password_file is None):
        raise InvalidConfiguration("--user and --password-file belong together")
    if user is None or password_file is None:
        return None
    try:
        password = password_file.read_text().rstrip("\r\n")
    except OSError as error:
        raise InvalidConfiguration(f"{password_file} cannot be read: {error.strerror}") from error
    return Protection(user, password, scheme, nonce_life)


def simulate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Video files whose pictures are shown.")],
    count: Annotated[int, typer.Option(min=1, help="How many cameras.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 takes a free one.")] = 8554,
    size: Annotated[str, typer.Option(help="Size of the main stream.")] = "1920x1080",
    fps: Annotated[int, typer.Option(help="Pictures a second of the main stream.")] = 25,
    bitrate: Annotated[int, typer.Option(help="Main stream, bit/s.")] = 4_000_000,
    gop: Annotated[float, typer.Option(help="Seconds from keyframe to keyframe.")] = 2.0,
    sub_size: Annotated[str, typer.Option(help="Size of the sub-stream.")] = "640x360",
    sub_fps: Annotated[int, typer.Option(help="Pictures a second of the sub-stream.")] = 15,
    sub_bitrate: Annotated[int, typer.Option(help="Sub-stream, bit/s.")] = 500_000,
    seconds: Annotated[int, typer.Option(help="Length of the loop of pictures.")] = 10,
    variants: Annotated[int, typer.Option(min=1, help="How many different loops.")] = 5,
    codec: Annotated[VideoCodec, typer.Option(help="Codec of the main stream.")] = VideoCodec.H264,
    sub_codec: Annotated[VideoCodec, typer.Option(help="Codec of the sub-stream.")] = VideoCodec.H264,
    name: Annotated[list[str] | None, typer.Option(help="Name shown in a picture; once per camera.")] = None,
    zone: Annotated[str, typer.Option(help="Offset from UTC of the clock in the picture.")] = "+07:00",
    user: Annotated[str | None, typer.Option(help="User who may see the cameras.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the user's password.")] = None,
    scheme: Annotated[Scheme, typer.Option(help="How the password is asked for.")] = Scheme.DIGEST_MD5,
    nonce_life: Annotated[float, typer.Option(help="Seconds until a nonce is stale.")] = 300.0,
    tls: Annotated[bool, typer.Option("--tls", help="Serve rtsps:// with a self-signed certificate.")] = False,
    audio: Annotated[bool, typer.Option("--audio", help="Offer a sound track (silence).")] = False,
    session_timeout: Annotated[float, typer.Option(help="Seconds without a request that end a session.")] = 60.0,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[:CAMERA][@SECONDS]", help="What goes wrong, where and when.")
    ] = None,
    onvif: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Also be an ONVIF device, on this TCP port of 127.0.0.1.")
    ] = None,
    onvif_camera: Annotated[
        int | None, typer.Option(min=1, metavar="CAMERA", help="The ONVIF device is this camera alone, not all.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder in which encoded loops are kept.")] = None,
) -> None:
    """Serve simulated cameras: rtsp://127.0.0.1:PORT/1 … /N and /1/sub … /N/sub.

    Example: xomyen camera simulate street.mp4 --count 25 --port 8554 --fault stall:3@60
    """
    try:
        main = Picturing(*_size(size), fps, bitrate, gop, seconds, codec)
        sub = Picturing(*_size(sub_size), sub_fps, sub_bitrate, gop, seconds, sub_codec)
        faults = [FaultOrder.parse(text) for text in fault or []]
        with Progress(console=_console, transient=True) as bar:
            simulator = Simulator(
                files, count, port, main=main, sub=sub, variants=variants, cache=cache, progress=_Bar(bar),
                names=name or [], utc_offset_s=_offset_s(zone), audio=audio, session_timeout_s=session_timeout,
                protection=_protection(user, password_file, scheme, nonce_life),
                tls=server_context()[0] if tls else None,
            )  # fmt: skip
            device = None if onvif is None else _OnvifDevice(onvif, main, sub, onvif_camera)
            uvloop.run(_serve(simulator, bar, faults, device))
    except XomyenError as error:
        _console.print(error.message, style="red", highlight=False)
        raise typer.Exit(error.exit_code) from error
    except OSError as error:
        _console.print(f"Port {port} cannot be used: {error.strerror}", style="red", highlight=False)
        raise typer.Exit(1) from error


class _Bar:
    """Shows the progress of encoding, once there is something to encode."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._task is None:
            self._task = self._bar.add_task("Encoding pictures", total=total)
        self._bar.update(self._task, completed=done, total=total)


async def _inflict(simulator: Simulator, order: FaultOrder) -> None:
    await asyncio.sleep(order.after_s)
    for camera in [order.camera] if order.camera else range(1, simulator.count + 1):
        await simulator.fault(camera, order.kind)
    where = f"camera {order.camera}" if order.camera else "every camera"
    typer.echo(f"Fault {order.kind} at {where}")


@dataclass(frozen=True, slots=True)
class _OnvifDevice:
    """The simulated cameras as one ONVIF device with a main and a sub profile for each."""

    port: int
    main: Picturing
    sub: Picturing
    only: int | None = None  # a camera

    def of(self, simulator: Simulator) -> SimulatedDevice:
        profiles = [
            SimulatedProfile(
                f"{number}-{stream}",
                f"{simulator.camera(number).name} {stream}",
                simulator.url(number, stream),
                p.codec,
                p.width,
                p.height,
                p.fps,
                p.bitrate,
                ptz=stream is StreamName.MAIN,
            )
            for number in ([self.only] if self.only else range(1, simulator.count + 1))
            for stream, p in ((StreamName.MAIN, self.main), (StreamName.SUB, self.sub))
        ]
        return SimulatedDevice(profiles, port=self.port, protection=simulator.protection, group=GROUP)


def _addresses(simulator: Simulator) -> str:
    first = simulator.url(1)
    if simulator.count == 1:
        return f"1 camera: {first}, sub-stream {first}/sub"
    return f"{simulator.count} cameras: {first} … /{simulator.count}, sub-streams …/sub"


async def _serve(simulator: Simulator, bar: Progress, faults: list[FaultOrder], onvif: _OnvifDevice | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    for order in faults:
        if order.camera:
            simulator.camera(order.camera)
    async with contextlib.AsyncExitStack() as running:
        await running.enter_async_context(simulator)
        bar.stop()
        typer.echo(_addresses(simulator))
        if onvif is not None:
            device = await running.enter_async_context(onvif.of(simulator))
            typer.echo(f"ONVIF device: {device.url}")
        inflicted = [loop.create_task(_inflict(simulator, order)) for order in faults]
        shown = 0
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 10)
            if simulator.dropped_pictures != shown:
                shown = simulator.dropped_pictures
                typer.echo(f"{shown} pictures dropped so far, because their receivers were too slow")
        for task in inflicted:
            task.cancel()
