"""`xomyen export`, `verify`, `trust` and `key`."""

import getpass
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_config_path
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from xomyen.bus import subjects
from xomyen.bus.events import publish_event
from xomyen.bus.messages import AccessEvent, CheckpointDone, StreamWanted
from xomyen.bus.requests import ask
from xomyen.cli.common import Dir, Json, counted, finish, node_bus, node_folder, print_json, recorded_camera, write_new
from xomyen.node.home import read_identity
from xomyen.proof.keys import InvalidKey, SigningKey
from xomyen.proof.manifest import Manifest, TakenRecord
from xomyen.proof.trust import TrustedKey, key_file
from xomyen.proof.verify import Report, Verdict, verify
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import AlreadyThere, InvalidConfiguration, InvalidRange, NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import is_id, new_id
from xomyen.terms.time import SystemClock, format_utc, parse_time
from xomyen.terms.words import StreamName

if TYPE_CHECKING:
    from xomyen.playback.export import ExportOrder

_CHECKPOINT_S = 20.0
_MOST_NAMED = 10
_LONGEST_PURPOSE = 500


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
    purpose: Annotated[
        str, typer.Option("--purpose", metavar="TEXT", help="What it is taken for; the export says so.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the export or file at PATH.")] = False,
    as_json: Json = False,
) -> None:
    """Write the footage of a time range with its signed manifest, for `xomyen verify`.

    The clips show exactly the pictures from the first time up to, not including, the second.

    Example: xomyen export "Cổng chợ" --from 2026-11-21T22:40:00+07:00 --to 2026-11-21T22:45:00+07:00 -o vu-viec.zip
    """
    # Reads video: `verify`, `trust` and `key` need not load that.
    from xomyen.playback.export import ExportOrder, plan_export, write_export

    now_ns = SystemClock().wall_ns()
    from_ns, to_ns = parse_time(start, now_ns), parse_time(end, now_ns)
    if from_ns >= to_ns:
        raise InvalidRange("The range is empty or reversed: --from must lie before --to.")
    if from_ns > now_ns:
        raise InvalidRange("The range lies in the future: nothing can have been recorded there yet.")
    if len(purpose) > _LONGEST_PURPOSE:
        raise InvalidConfiguration(f"A purpose has at most {_LONGEST_PURPOSE} characters.", field="purpose")
    if os.path.lexists(output) and not force:
        raise AlreadyThere(f"{output} is there already; choose another name or add --force.")
    folder = node_folder(directory)
    node = read_identity(folder)
    camera, camera_name = finish(recorded_camera(folder, name))

    def checkpoint() -> None:
        finish(_seal_now(folder, node, camera, stream))

    with IndexReader(folder.index) as index:
        taken = TakenRecord(subject=_subject(), purpose=purpose)
        order = ExportOrder(node, camera, camera_name, stream, from_ns, to_ns, taken)
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
            try:
                write_export(
                    planned,
                    key,
                    output,
                    now_ns,
                    overwrite=force,
                    progress=lambda done, _all: bar.update(task, completed=done),
                )
            except OSError as error:
                raise InvalidConfiguration(f"{output} cannot be written: {error.strerror}.", field="output") from error
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
    print(f"Written to {output}. Check it with: xomyen verify {shlex.quote(str(output))}")


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


async def _tell(folder: NodeFolder, order: "ExportOrder", output: str) -> None:
    """An access event of this export by the person at the command line, who needs no ticket."""
    event = AccessEvent(
        id=new_id(),
        at_ns=SystemClock().wall_ns(),
        ticket="",
        issuer="",
        subject=_subject(),
        purpose=order.taken.purpose if order.taken is not None else "",
        action="export",
        cameras=(order.camera,),
        start_ns=order.from_ns,
        end_ns=order.to_ns,
        detail=f"{order.stream}, to {output}"[:2000],
    )
    async with node_bus(folder) as bus:
        await publish_event(bus.client, bus.node, "access", event.id, event.model_dump_json().encode())


def _subject() -> str:
    return f"command-line: {getpass.getuser()}"[:200]


def verify_export(
    path: Annotated[Path, typer.Argument(help="An export: its folder, its ZIP, or one of its clips.")],
    key: Annotated[
        list[Path] | None, typer.Option("--key", metavar="FILE", help="Trust this public key (PEM), and no other.")
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option("--heads", metavar="FILE", help="Find what is missing, too, by what `xomyen heads` wrote."),
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
    trusted = [TrustedKey.load(file) for file in key] if key else _trusted(directory)
    report = verify(path, trusted, heads)
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
        "trusted_as": report.trusted_as,
        "node": manifest.node if manifest else None,
        "camera": manifest.camera if manifest else None,
        "camera_name": manifest.camera_name if manifest else None,
        "stream": manifest.stream.value if manifest else None,
        "taken": manifest.taken.model_dump(mode="json") if manifest and manifest.taken else None,
        "asked_from": format_utc(manifest.asked_from_ns) if manifest else None,
        "asked_to": format_utc(manifest.asked_to_ns) if manifest else None,
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
        "not_checked": report.not_checked,
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
        print(f"  Asked for {format_utc(manifest.asked_from_ns)} to {format_utc(manifest.asked_to_ns)}")
        print(f"  {_taken(manifest)}")
        for one in report.times:
            lost = f", {one.lost_packets} packets lost on the way" if one.lost_packets else ""
            times = f"{format_utc(one.first_ns)} to {format_utc(one.last_ns)}"
            print(f"  {one.file}: {one.frames} pictures, {times}, clock {one.clock}{lost}")
        for gap in manifest.gaps:
            end = "now" if gap.to_ns is None else format_utc(gap.to_ns)
            print(f"  Not recorded {format_utc(gap.from_ns)} to {end}: {gap.reason}, {gap.detail}")
        print(f"  Key {report.fingerprint}{f', trusted as {report.trusted_as}' if report.trusted_as else ''}")
    for text in report.cannot_exclude:
        print(f"  Cannot exclude {text}.")
    if others := report.not_checked:
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        print(f"  No part of the export, nothing is proven of it: {', '.join(others[:_MOST_NAMED])}{more}.")


def _taken(manifest: Manifest) -> str:
    """Who took it, as the node says."""
    made = f"Taken at {format_utc(manifest.created_ns)}"
    taken = manifest.taken
    if taken is None:
        return f"{made}; it does not say by whom"
    ticket = f", ticket {taken.ticket}" if taken.ticket else ""
    issued = f" issued at {format_utc(taken.issued_ns)}" if taken.issued_ns is not None else ""
    purpose = f", for {taken.purpose!r}" if taken.purpose else ""
    return f"{made} by {taken.subject}{purpose}{ticket}{issued}"


def trust(
    file: Annotated[Path, typer.Argument(help="A node's public key (PEM), as `xomyen key` gives it.")],
    node: Annotated[
        str | None,
        typer.Option("--node", metavar="ID", help="The node it counts for, if not in the file.", show_default=False),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Trust it for this node's folder only, not for this user.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Trust a node's key from now on. Compare its fingerprint with the node's first, by another way.

    The key then counts for its own node alone: what it signs in the name of another is of an unknown key.

    Example: xomyen trust node.pem
    """
    key = TrustedKey.load(file)
    bound = _bound_to(key, node)
    store = node_folder(directory).trusted if directory else _user_store()
    store.mkdir(parents=True, exist_ok=True)
    place = store / f"{key.fingerprint}.pem"
    write_new(place, key_file(key, bound), force=True)
    if as_json:
        print_json({"key": key.fingerprint, "node": bound, "file": str(place)})
    else:
        print(f"Trusted for node {bound}: {key.fingerprint}")


def _bound_to(key: TrustedKey, node: str | None) -> str:
    """The node for which a key shall count. Raises InvalidConfiguration."""
    if node is not None and not is_id(node):
        raise InvalidConfiguration(f"{node!r} is no node's id; `xomyen key` shows it.", field="node")
    if node is not None and not key.counts_for(node):
        raise InvalidConfiguration(f"{key.label} is the key of node {key.node}, not of {node}.", field="node")
    bound = node or key.node
    if bound is None:
        text = f"{key.label} does not say whose key it is: add --node ID, which `xomyen key` shows on the node."
        raise InvalidConfiguration(text, field="node")
    return bound


def show_key(
    directory: Dir = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the key there, not to the screen.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    as_json: Json = False,
) -> None:
    """Show the node's public key (PEM), its fingerprint and the node's id, for those who verify its exports.

    Example: xomyen key --output node.pem
    """
    folder = node_folder(directory)
    node = read_identity(folder)
    if not folder.signing_key.exists():
        raise InvalidConfiguration(f"{folder.root} has no key yet; it is made when `xomyen serve` first runs.")
    key = SigningKey.load(folder.signing_key).public
    content = key_file(key, node)
    if output is not None:
        write_new(output, content, force)
    if as_json:
        pem = content.decode()
        print_json({"key": key.fingerprint, "node": node, "pem": pem, "file": str(output) if output else None})
    elif output is None:
        print(content.decode(), end="")
    else:
        print(f"Fingerprint {key.fingerprint}\nNode {node}")


def _user_store() -> Path:
    return user_config_path("xomyen", appauthor=False) / "trusted"


def _trusted(directory: Path | None) -> list[TrustedKey]:
    """The keys that this user, and the node of the folder, were told to trust."""
    stores = [_user_store()]
    keys = []
    if directory is not None:
        folder = node_folder(directory)
        stores.append(folder.trusted)
        if folder.signing_key.exists():
            own = SigningKey.load(folder.signing_key).public
            keys.append(TrustedKey.of(own, read_identity(folder), f"the node in {folder.root}"))
    for store in stores:
        for file in sorted(store.glob("*.pem")):
            try:
                keys.append(TrustedKey.load(file))
            except InvalidKey as error:
                print(f"Left out: {error.message}", file=sys.stderr)
    return keys
