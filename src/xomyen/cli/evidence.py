"""`xomyen export`, `verify`, `trust` and `key`."""

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_config_path
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from xomyen.bus import subjects
from xomyen.bus.events import publish_event
from xomyen.bus.messages import AccessEvent, CheckpointDone, StreamWanted
from xomyen.bus.requests import ask
from xomyen.cli.common import Dir, Json, counted, finish, node_bus, node_folder, print_json, recorded_camera
from xomyen.node.home import read_identity
from xomyen.playback.export import AlreadyThere, ExportOrder, plan_export, write_export
from xomyen.proof.keys import InvalidKey, PublicKey, SigningKey
from xomyen.proof.verify import Report, Verdict, verify
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import InvalidConfiguration, InvalidRange, NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import SystemClock, format_utc, parse_time
from xomyen.terms.words import StreamName

_CHECKPOINT_S = 20.0


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the commands."""
    app.command("export")(export)
    app.command("verify")(verify_export)
    app.command("trust")(trust)
    app.command("key")(show_key)


def export(
    name: Annotated[str, typer.Argument(help="The camera's name, id, or the beginning of its name.")],
    start: Annotated[str, typer.Option("--from", metavar="T", help="ISO-8601 with an offset or Z, or -10m.")],
    end: Annotated[str, typer.Option("--to", metavar="T", help="ISO-8601 with an offset or Z, -5m or now.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="A new folder, or a file *.zip.")],
    directory: Dir = None,
    stream: Annotated[StreamName, typer.Option("--stream", help="main or sub.")] = StreamName.MAIN,
    force: Annotated[bool, typer.Option("--force", help="Replace the export or file at PATH.")] = False,
    as_json: Json = False,
) -> None:
    """Write the footage of a time range with its signed manifest, for `xomyen verify`.

    The clips show exactly the pictures from the first time up to, not including, the second.

    Example: xomyen export "Cổng chợ" --from 2026-11-21T22:40:00+07:00 --to 2026-11-21T22:45:00+07:00 -o vu-viec.zip
    """
    now_ns = SystemClock().wall_ns()
    from_ns, to_ns = parse_time(start, now_ns), parse_time(end, now_ns)
    if from_ns >= to_ns:
        raise InvalidRange("The range is empty or reversed: --from must lie before --to.")
    if from_ns > now_ns:
        raise InvalidRange("The range lies in the future: nothing can have been recorded there yet.")
    if os.path.lexists(output) and not force:
        raise AlreadyThere(f"{output} is there already; choose another name or add --force.")
    folder = node_folder(directory)
    node = read_identity(folder)
    camera, camera_name = finish(recorded_camera(folder, name))

    def checkpoint() -> None:
        finish(_seal_now(folder, node, camera, stream))

    with IndexReader(folder.index) as index:
        order = ExportOrder(node, camera, camera_name, stream, from_ns, to_ns)
        planned = plan_export(index, order, checkpoint)
        key = SigningKey.load(folder.signing_key)
        # Told first: footage that nobody knows of must not leave the node.
        finish(_tell(folder, order, str(output.absolute())))
        # A bar only where somebody watches; `transient` leaves nothing of it on the screen.
        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        ) as bar:  # fmt: skip
            task = bar.add_task(output.name, total=planned.media_bytes)
            write_export(
                planned,
                key,
                output,
                now_ns,
                overwrite=force,
                progress=lambda done, _all: bar.update(task, completed=done),
            )
    clips = [
        {"file": planned.file_name(number), "from": format_utc(clip.first_ns), "to": format_utc(clip.end_ns),
         "frames": clip.frames, "bytes": clip.size}
        for number, clip in enumerate(planned.clips)
    ]  # fmt: skip
    if as_json:
        print_json({"path": str(output), "key": key.fingerprint, "clips": clips, "gaps": len(planned.gaps)})
        return
    for clip in clips:
        print(f"{clip['file']}  {clip['from']} – {clip['to']}  {clip['frames']} frames, {clip['bytes']} bytes")
    if planned.gaps:
        print(f"{counted(len(planned.gaps), 'gap')} in this range; the manifest gives the reasons.")
    print(f"Written to {output}. Check it with: xomyen verify {output}")


async def _seal_now(folder: NodeFolder, node: str, camera: str, stream: StreamName) -> None:
    """Has the running recorder seal what it has; without one, the end of the last segment stays out."""
    async with node_bus(folder) as bus:
        if not bus.serving:
            print("The node is not running: what it has not sealed yet is left out.", file=sys.stderr)
            return
        subject = subjects.service(node, "recorder", "checkpoint")
        try:
            await ask(bus.client, subject, StreamWanted(camera=camera, stream=stream), CheckpointDone, _CHECKPOINT_S)
        except NotRunning:
            print("The recorder does not answer: the end of the segment being written is left out.", file=sys.stderr)


async def _tell(folder: NodeFolder, order: ExportOrder, output: str) -> None:
    """An access event of this export by the person at the command line, who needs no ticket."""
    event = AccessEvent(
        id=new_id(),
        at_ns=SystemClock().wall_ns(),
        ticket="",
        issuer="",
        subject=f"command-line: {getpass.getuser()}",
        action="export",
        cameras=(order.camera,),
        start_ns=order.from_ns,
        end_ns=order.to_ns,
        detail=f"{order.stream}, to {output}"[:2000],
    )
    async with node_bus(folder) as bus:
        await publish_event(bus.client, bus.node, "access", event.id, event.model_dump_json().encode())


def verify_export(
    path: Annotated[Path, typer.Argument(help="An export: its folder, its ZIP, or one of its clips.")],
    key: Annotated[
        list[Path] | None, typer.Option("--key", metavar="FILE", help="Trust this public key (PEM), and no other.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Also trust the keys of this node and those it trusts.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that an export is what a node recorded, to the byte.

    Ends with 0 AUTHENTIC, 10 INCOMPLETE, 11 ALTERED, 12 UNKNOWN KEY, 13 not an export.

    Example: xomyen verify vu-viec.zip --key node.pem
    """
    trusted = [PublicKey.load(file) for file in key] if key else _trusted(directory)
    report = verify(path, trusted)
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report)
    if report.verdict.exit_code:
        raise typer.Exit(report.verdict.exit_code)


def _as_json(report: Report) -> dict[str, object]:
    manifest = report.manifest
    return {
        "verdict": report.verdict.value,
        "key": report.fingerprint,
        "node": manifest.node if manifest else None,
        "camera": manifest.camera if manifest else None,
        "camera_name": manifest.camera_name if manifest else None,
        "stream": manifest.stream.value if manifest else None,
        "clips": [
            {"file": one.file, "first": format_utc(one.first_ns), "last": format_utc(one.last_ns),
             "frames": one.frames, "clock": one.clock, "lost_packets": one.lost_packets}
            for one in report.times
        ],
        "findings": [
            {"verdict": one.verdict.value, "text": one.text, "file": one.file, "camera": one.camera,
             "segment": one.segment, "start": one.start, "end": one.end}
            for one in report.findings
        ],
        "gaps": [
            {"from": format_utc(gap.from_ns), "to": None if gap.to_ns is None else format_utc(gap.to_ns),
             "reason": gap.reason.value, "detail": gap.detail}
            for gap in (manifest.gaps if manifest else ())
        ],
        "cannot_exclude": report.cannot_exclude,
    }  # fmt: skip


def _print(report: Report) -> None:
    print(report.verdict.value)
    for finding in report.findings:
        place = f" bytes {finding.start} to {finding.end}" if finding.end is not None else ""
        camera = f" camera {finding.camera}" if finding.camera else ""
        segment = f" segment {finding.segment}" if finding.segment else ""
        print(f"  {finding.verdict.value}: {finding.file}{place}{camera}{segment}: {finding.text}")
    manifest = report.manifest
    if manifest is None:
        return
    if report.verdict in (Verdict.AUTHENTIC, Verdict.UNKNOWN_KEY):
        print(f"  Camera {manifest.camera_name!r} ({manifest.camera}), {manifest.stream}, node {manifest.node}")
        for one in report.times:
            lost = f", {one.lost_packets} packets lost on the way" if one.lost_packets else ""
            times = f"{format_utc(one.first_ns)} to {format_utc(one.last_ns)}"
            print(f"  {one.file}: {one.frames} pictures, {times}, clock {one.clock}{lost}")
        for gap in manifest.gaps:
            end = "now" if gap.to_ns is None else format_utc(gap.to_ns)
            print(f"  Not recorded {format_utc(gap.from_ns)} to {end}: {gap.reason}, {gap.detail}")
        print(f"  Key {report.fingerprint}")
    for text in report.cannot_exclude:
        print(f"  Cannot exclude {text}.")


def trust(
    file: Annotated[Path, typer.Argument(help="A node's public key (PEM), as `xomyen key` gives it.")],
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Trust it for this node's folder only, not for this user.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Trust a node's key from now on. Compare its fingerprint with the node's first, by another way.

    Example: xomyen trust node.pem
    """
    key = PublicKey.load(file)
    store = node_folder(directory).trusted if directory else _user_store()
    store.mkdir(parents=True, exist_ok=True)
    place = store / f"{key.fingerprint}.pem"
    unfinished = store / f".{key.fingerprint}.{os.getpid()}"
    unfinished.write_bytes(key.pem)
    unfinished.rename(place)
    if as_json:
        print_json({"key": key.fingerprint, "file": str(place)})
    else:
        print(f"Trusted: {key.fingerprint}")


def show_key(
    directory: Dir = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the key there, not to the screen.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    as_json: Json = False,
) -> None:
    """Show the node's public key (PEM) and its fingerprint, for those who verify its exports.

    Example: xomyen key --output node.pem
    """
    folder = node_folder(directory)
    read_identity(folder)
    if not folder.signing_key.exists():
        raise InvalidConfiguration(f"{folder.root} has no key yet; it is made when `xomyen serve` first runs.")
    key = SigningKey.load(folder.signing_key).public
    if output is not None:
        if os.path.lexists(output) and not force:
            raise AlreadyThere(f"{output} is there already; choose another name or add --force.")
        output.write_bytes(key.pem)
    if as_json:
        print_json({"key": key.fingerprint, "pem": key.pem.decode(), "file": str(output) if output else None})
        return
    if output is None:
        print(key.pem.decode(), end="")
    print(f"Fingerprint {key.fingerprint}", file=sys.stdout if output else sys.stderr)


def _user_store() -> Path:
    return user_config_path("xomyen", appauthor=False) / "trusted"


def _trusted(directory: Path | None) -> list[PublicKey]:
    """The keys that this user, and the node of the folder, were told to trust."""
    stores = [_user_store()]
    keys = []
    if directory is not None:
        folder = node_folder(directory)
        stores.append(folder.trusted)
        if folder.signing_key.exists():
            keys.append(SigningKey.load(folder.signing_key).public)
    for store in stores:
        for file in sorted(store.glob("*.pem")):
            try:
                keys.append(PublicKey.load(file))
            except InvalidKey as error:
                print(f"Left out: {error.message}", file=sys.stderr)
    return keys
