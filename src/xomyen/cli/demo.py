"""`xomyen demo`: an invented commune with simulated cameras on this machine."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import tomllib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import uvloop

from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected
from xomyen.bus.messages import CameraConfig, CameraRecord, StreamConfig
from xomyen.cli.common import Dir, counted, node_folder, require_own
from xomyen.cli.demo_centre import Beside, Known, PersonLink, allow_pages_of, open_doors, running_centre
from xomyen.cli.serve import LINK_LIFE_S, Listen, sign_in_link, with_listen
from xomyen.node.child import Child, PythonProgram
from xomyen.node.home import default_root, prepare
from xomyen.node.logs import configure_logs
from xomyen.node.supervisor import listenable, serve
from xomyen.recording.disk import Disk, LocalDisk
from xomyen.recording.policy import VolumeSettings
from xomyen.terms.errors import InvalidConfiguration, VolumeRefused
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.settings import GIBI, Settings, load_settings
from xomyen.terms.time import SystemClock

_USUAL_PORT = 8554
_USUAL_CENTRE_PORT = 8450
_USUAL_ONVIF_PORT = 8000  # one of those at which a search by address looks
_NETWORKS = "XOMYEN_DEVICE_NETWORKS"
_MOST = 250
_OF_THE_CLIP = 25  # different places made of the short street clip
_OF_THE_CLIP_AT_FIRST = 9  # as many as the wall shows: who tries the demo should not wait a minute for the others
_OF_OWN_VIDEO = 8
_SIMULATOR_PATIENCE_S = 3.0
_CAMERA_BYTES_A_MINUTE = 4_000_000 // 8 * 60  # what the simulator sends
_chosen_ports: list[socket.socket] = []
_SHORTEST_MINUTES = 10  # of footage, for a timeline to be dragged


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """One camera of the demo's commune."""

    code: str
    name: str
    site: str

    @property
    def title(self) -> str:
        """The camera's name on the node; unique by its code."""
        return f"{self.code} {self.name}"


def demo_table() -> dict[str, Any]:
    """The invented commune: units, people, posts, sites and cameras."""
    return tomllib.loads(resources.files("xomyen.cli").joinpath("demo.toml").read_text(encoding="utf-8"))


def commune() -> list[DemoCamera]:
    """The cameras of the invented commune, in the order of the wall."""
    return [
        DemoCamera(camera["code"], camera["name"], site["name"])
        for site in demo_table()["site"]
        for camera in site["cameras"]
    ]


def cameras_of_demo(count: int) -> list[DemoCamera]:
    """The first `count` cameras; beyond the commune's own they are numbered on."""
    known = commune()
    more = (DemoCamera(f"C{number:02d}", "Camera thêm", "Xã Gia Khê") for number in range(len(known) + 1, count + 1))
    return [*known[:count], *more]


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    cameras: Annotated[int, typer.Option("--cameras", min=1, max=_MOST, help="How many cameras.")] = 25,
    video: Annotated[
        list[Path] | None, typer.Option("--video", metavar="FILE", help="Your own video; may be given several times.")
    ] = None,
    directory: Dir = None,
    listen: Listen = None,
    centre: Annotated[
        str | None,
        typer.Option("--centre", metavar="HOST:PORT", help="Where the centre's pages are (default: 127.0.0.1:8450)."),
    ] = None,
    node_only: Annotated[bool, typer.Option("--node-only", help="Without the centre and its people.")] = False,
) -> None:
    """Run a commune with simulated cameras: record, show and keep them, its people at the centre's pages.

    Ctrl-C ends everything. The folder is kept, so that the next demo goes on with its recordings (default: .demo in
    the platform's data folder).

    Example: xomyen demo --cameras 9 --video street.mp4
    """
    # Reads video: the other commands need not load that.
    from xomyen.camera.simulator.scenes import demo_clip

    # 25 cameras tell a lot as they begin; the link must not be lost among it.
    for variable in ("XOMYEN_LOG_LEVEL", "XOMYEN_CENTRE_LOG_LEVEL"):
        os.environ.setdefault(variable, "warning")
    folder = node_folder(directory or default_root() / ".demo")
    require_own(folder)
    settings = load_settings(folder)
    address = with_listen(settings, listen)
    videos = [file.absolute() for file in video or [demo_clip()]]
    for file in videos:
        if not file.is_file():
            raise InvalidConfiguration(f"There is no video {file}.", field="video")
    require_room(folder, settings, cameras, LocalDisk())
    # The camera that is to be found is on this machine, where a node looks for none by itself.
    networks = [*map(str, settings.device_networks), "127.0.0.0/8"]
    os.environ[_NETWORKS] = json.dumps(list(dict.fromkeys(networks)))
    prepare(folder)
    configure_logs("supervisor", settings)
    pages = None if node_only else listenable(centre or f"127.0.0.1:{free_port(_USUAL_CENTRE_PORT)}", "centre")
    wanted = Wanted(cameras_of_demo(cameras), videos, bool(video), every_place=node_only)
    uvloop.run(_run(folder, address, wanted, pages))


def require_room(folder: NodeFolder, settings: Settings, cameras: int, disk: Disk) -> None:
    """Raises VolumeRefused when the recorder would have to delete within minutes what the demo records.

    Retention keeps a part of the disk free for others, so on a disk that they have filled it deletes what is new.
    What earlier demos recorded may go for it.
    """
    wanted = cameras * _CAMERA_BYTES_A_MINUTE * _SHORTEST_MINUTES
    places = [str(path) for path in settings.volumes] or [str(folder.default_volume)]
    found = [_room(path, settings, disk) for path in places]
    path, free, floor, own = max(found, key=lambda room: room.free + room.own - room.floor)
    missing = wanted - (free + own - floor)
    if missing <= 0:
        return
    earlier = f" and {own / 1e9:.1f} GB of earlier demos" if own else ""
    raise VolumeRefused(
        f"The disk of {path} has {free / 1e9:.1f} GB free{earlier}; the recorder keeps {floor / 1e9:.1f} GB free, and "
        f"{counted(cameras, 'camera')} for {_SHORTEST_MINUTES} minutes take {wanted / 1e9:.1f} GB: what is recorded "
        f"would be deleted at once. Free {missing / 1e9:.1f} GB, name a folder on another disk with --dir, take fewer "
        f"--cameras, or let less be kept free (XOMYEN_RESERVE_BYTES={GIBI}).",
        path=path,
    )


class _Room(NamedTuple):
    """Of a volume: bytes of its disk, and of the footage that lies there already."""

    path: str
    free: int
    floor: int
    own: int


def _room(path: str, settings: Settings, disk: Disk) -> _Room:
    there = next(str(place) for place in (Path(path), *Path(path).parents) if place.exists())
    room = disk.room(there)
    own = sum(os.path.getsize(os.path.join(above, name)) for above, _, names in os.walk(path) for name in names)
    return _Room(path, room.free, VolumeSettings(path, settings.reserve_bytes).floor(room.total), own)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the demo shows."""

    cameras: list[DemoCamera]
    videos: list[Path]
    own: bool  # the videos are the caller's
    every_place: bool  # also at the first start, which takes longer then


async def _run(folder: NodeFolder, address: str, wanted: Wanted, pages: str | None) -> None:
    settings = load_settings(folder)
    if pages is not None:
        allow_pages_of(pages, settings.origins)
    port = free_port(_USUAL_PORT)
    async with AsyncExitStack() as parts:
        # The centre makes its database while the simulator makes its pictures.
        simulator, centre = await asyncio.gather(
            _start_simulator(folder, wanted, port),
            parts.enter_async_context(running_centre(folder, pages)) if pages else asyncio.sleep(0, None),
        )
        parts.push_async_callback(simulator.stop)
        configure_logs("supervisor", settings)  # Django has its own idea of it

        async def set_up(url: str) -> None:
            node = prepare(folder)
            async with connected(folder, "demo") as client:
                configs = await configure(Configuration(client, node), wanted.cameras, port, centre is not None)
            link = await asyncio.to_thread(sign_in_link, folder, url)
            people = await open_doors(demo_table(), centre, Beside(node, url, configs)) if centre else []
            _tell(folder, wanted.cameras, people, link)

        failed: list[Exception] = []

        async def ready(url: str) -> None:
            try:
                await set_up(url)
            except Exception as error:  # noqa: BLE001  # told when everything has ended
                failed.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

        await serve(folder, settings, address, ready)
    if failed:
        raise failed[0]


def _tell(folder: NodeFolder, cameras: list[DemoCamera], people: list[PersonLink], link: str) -> None:
    """Prints where to go."""
    recorded = "camera of xã Gia Khê is" if len(cameras) == 1 else "cameras of xã Gia Khê are"
    hourly = len(cameras) * _CAMERA_BYTES_A_MINUTE * 60 / 1e9
    print(f"\n{len(cameras)} {recorded} recorded in {folder.root}, up to {hourly:.0f} GB an hour.")
    lasting = f"works once, within {LINK_LIFE_S // 60} minutes; Ctrl-C ends the demo"
    if people:
        print(f"Choose who you are (each link {lasting}):\n")
        for person in people:
            print(f"  {person.name}, {person.rank}\n    {person.link}")
        print("\nOne more camera waits to be found: Recorders, Find cameras, with user admin and any password.")
        print(f"\nThe recorder's own pages, without the centre:\n\n  {link}\n")
    else:
        print(f"Open this link ({lasting}):\n\n  {link}\n")
    sys.stdout.flush()


def free_port(usual: int) -> int:
    """The usual port when it is free on 127.0.0.1 and no other demo has chosen it, else any."""
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
            if _chosen(found):
                return found
    raise InvalidConfiguration("There is no free port on 127.0.0.1.")


def _chosen(port: int) -> bool:
    """Marks a port as this process's until it ends: a minute may pass before anything listens there.

    The mark is a name of Linux's own for sockets, which is nowhere on a disk and goes with its process.
    """
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0xomyen demo port {port}")
    except OSError:
        mark.close()
        return False
    _chosen_ports.append(mark)
    return True


async def _start_simulator(folder: NodeFolder, wanted: Wanted, port: int) -> Child:
    """The simulated cameras in a process of their own; ready when their port takes connections."""
    print("Preparing the simulated cameras (the first time their pictures are encoded, which takes a while) …")
    sys.stdout.flush()
    cache = folder.root / "simulator"
    places = _OF_THE_CLIP if wanted.every_place or any(cache.glob("*.loop")) else _OF_THE_CLIP_AT_FIRST
    arguments = ["-m", "xomyen.camera.simulator", *map(str, wanted.videos)]
    to_find = len(wanted.cameras) + 1
    arguments += ["--count", str(to_find), "--port", str(port), "--cache", str(cache)]
    arguments += ["--onvif", str(free_port(_USUAL_ONVIF_PORT)), "--onvif-camera", str(to_find)]
    arguments += [
        "--variants",
        str(_OF_OWN_VIDEO if wanted.own else places),
        "--seconds",
        str(10 if wanted.own else 4),
    ]
    arguments += [part for camera in wanted.cameras for part in ("--name", camera.title)]
    program = PythonProgram(arguments, (), _SIMULATOR_PATIENCE_S)

    async def changed(_child: Child) -> None:
        """Nobody else needs to know of the simulator."""

    child = Child("simulator", program, SystemClock(), changed)
    await child.start()
    try:
        while not await _answers(port):
            if child.state.detail:
                raise InvalidConfiguration(f"The simulated cameras do not start: the simulator {child.state.detail}.")
            await asyncio.sleep(0.2)
    except BaseException:
        await child.stop()
        raise
    return child


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def configure(
    configuration: Configuration, cameras: list[DemoCamera], port: int, beside_centre: bool = False
) -> list[Known]:
    """Brings the node's cameras to those of the demo; what people changed of them, and added, is left alone.

    Those that an earlier demo had and this one has not are taken out; with a centre, whose they are, they rest. The
    camera behind the last is there to be found over ONVIF; where it was added it stays.
    """
    known = {}
    for record in await configuration.cameras():
        number = _number(record.config)
        if 0 < number <= len(cameras):
            known[number] = record
        elif number == len(cameras) + 1 and record.config.name != cameras_of_demo(number)[-1].title:
            await _keep_found(configuration, record, port)
        elif number and not beside_centre:
            await configuration.remove(record.config.id, record.revision)
        elif number and record.config.enabled:
            await configuration.put(record.config.model_copy(update={"enabled": False}), record.revision)
    configured = []
    for number, camera in enumerate(cameras, start=1):
        before = known.get(number)
        streams = {
            "main": StreamConfig(url=f"rtsp://127.0.0.1:{port}/{number}"),
            "sub": StreamConfig(url=f"rtsp://127.0.0.1:{port}/{number}/sub", record=False),
        }
        config = (
            before.config.model_copy(update={**streams, "enabled": True})
            if before
            else CameraConfig(
                id=new_id(), name=camera.title, site=camera.site, retention_days=7, order=number, **streams
            )
        )
        if before is None or before.config != config:
            await configuration.put(config, before.revision if before else 0)
        configured.append(Known(camera.code, camera.name, config))
    return configured


async def _keep_found(configuration: Configuration, record: CameraRecord, port: int) -> None:
    """Tells the node at which port the camera that somebody found is this time."""
    streams = {
        name: stream.model_copy(update={"url": re.sub(r":\d+/", f":{port}/", stream.url)})
        for name, stream in (("main", record.config.main), ("sub", record.config.sub))
        if stream is not None
    }
    config = record.config.model_copy(update=streams)
    if config != record.config:
        await configuration.put(config, record.revision)


def _number(config: CameraConfig) -> int:
    """Which of the simulated cameras it is, from 1; 0: none of them."""
    found = re.fullmatch(r"rtsp://127\.0\.0\.1:\d+/(\d+)", config.main.url)
    return int(found[1]) if found else 0
