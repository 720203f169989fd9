"""The command `xomyen camera simulate`."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress, TaskID

from xomyen.camera.simulator.encoding import Picturing
from xomyen.camera.simulator.server import Simulator
from xomyen.terms.errors import InvalidConfiguration, XomyenError
from xomyen.terms.words import VideoCodec

_console = Console(stderr=True)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise InvalidConfiguration(f"{text!r} is not a size: write it as 1920x1080")
    return int(width), int(height)


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
    cache: Annotated[Path | None, typer.Option(help="Folder in which encoded loops are kept.")] = None,
) -> None:
    """Serve simulated cameras: rtsp://127.0.0.1:PORT/1 … /N and /1/sub … /N/sub.

    Example: xomyen camera simulate street.mp4 --count 25 --port 8554
    """
    try:
        main = Picturing(*_size(size), fps, bitrate, gop, seconds, codec)
        sub = Picturing(*_size(sub_size), sub_fps, sub_bitrate, gop, seconds)
        with Progress(console=_console, transient=True) as bar:
            task: list[TaskID] = []

            def progress(done: int, total: int) -> None:
                if not task:
                    task.append(bar.add_task("Encoding pictures", total=total))
                bar.update(task[0], completed=done, total=total)

            simulator = Simulator(
                files, count, port, main=main, sub=sub, variants=variants, cache=cache, progress=progress
            )
            uvloop.run(_serve(simulator, bar))
    except XomyenError as error:
        _console.print(error.message, style="red", highlight=False)
        raise typer.Exit(error.exit_code) from error
    except OSError as error:
        _console.print(f"Port {port} cannot be used: {error.strerror}", style="red", highlight=False)
        raise typer.Exit(1) from error


async def _serve(simulator: Simulator, bar: Progress) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        bar.stop()
        typer.echo(f"{simulator.count} cameras: {simulator.url(1)} … /{simulator.count}, sub-streams …/sub")
        shown = 0
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 10)
            if simulator.dropped_pictures != shown:
                shown = simulator.dropped_pictures
                typer.echo(f"{shown} pictures dropped so far, because their receivers were too slow")
