"""`xomyen heads`."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from xomyen.bus.events import oldest_event_ns, read_events
from xomyen.bus.messages import SegmentEvent
from xomyen.cli.common import (
    Dir,
    Json,
    NodeBus,
    counted,
    finish,
    node_bus,
    node_folder,
    print_json,
    recorded_camera,
    write_new,
)
from xomyen.proof.heads import ChainHeads, Head, Heads
from xomyen.proof.keys import SigningKey
from xomyen.proof.manifest import key_record
from xomyen.terms.errors import Conflict, InvalidRange
from xomyen.terms.time import SystemClock, format_utc, parse_time
from xomyen.terms.words import StreamName


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("heads")(heads)


def heads(
    start: Annotated[str, typer.Option("--from", metavar="T", help="ISO-8601 with an offset or Z, or -10m.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A new file.")],
    end: Annotated[str, typer.Option("--to", metavar="T", help="ISO-8601 with an offset or Z, -10m or now.")] = "now",
    camera: Annotated[str | None, typer.Option("--camera", metavar="NAME", help="This camera alone.")] = None,
    directory: Dir = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    as_json: Json = False,
) -> None:
    """Write where the chains of seals stood, from the event stream, for `xomyen verify --heads`.

    Keep the file away from the node: with it footage that is removed later, at the end of the chain too, is missed.

    Example: xomyen heads --from -24h -o heads-2026-11-21.json
    """
    now_ns = SystemClock().wall_ns()
    from_ns, to_ns = parse_time(start, now_ns), min(parse_time(end, now_ns), now_ns)
    if from_ns >= to_ns:
        raise InvalidRange("The range is empty, reversed or in the future: --from must lie before --to.")
    folder = node_folder(directory)
    wanted = finish(recorded_camera(folder, camera))[0] if camera is not None else None

    async def work() -> tuple[str, tuple[ChainHeads, ...]]:
        async with node_bus(folder) as bus:
            return bus.node, await _chains(bus, wanted, from_ns, to_ns)

    node, chains = finish(work())
    key = SigningKey.load(folder.signing_key)
    written = Heads(node=node, made_ns=now_ns, key=key_record(key.public), chains=chains)
    write_new(output, written.sign(key), force)
    count = sum(len(chain.heads) for chain in chains)
    if as_json:
        print_json({"file": str(output), "key": key.fingerprint, "chains": len(chains), "heads": count})
    else:
        print(f"{counted(count, 'head')} of {counted(len(chains), 'chain')} of seals written to {output}.")


def _read(payload: bytes, told_ns: int) -> SegmentEvent:
    """The event. Raises Conflict: heads that left one out would say of its segment that it never was."""
    try:
        return SegmentEvent.model_validate_json(payload)
    except ValidationError as error:
        text = f"The event stream holds a segment event of {format_utc(told_ns)} that this version cannot read"
        raise Conflict(f"{text}; take the version that the node runs, or a range without it.") from error


async def _chains(bus: NodeBus, wanted: str | None, from_ns: int, to_ns: int) -> tuple[ChainHeads, ...]:
    """What the event stream has of each chain's segments that touch the range."""
    # The stream drops its oldest events: of what it was told before, it knows nothing any more.
    known_ns = max(from_ns, await oldest_event_ns(bus.client, bus.node) or from_ns)
    found: dict[tuple[str, StreamName], dict[str, Head]] = defaultdict(dict)
    async for payload, told_ns in read_events(bus.client, bus.node, "segment", from_ns):
        event = _read(payload, told_ns)
        if wanted in (None, event.camera) and event.seal and event.start_ns < to_ns and event.end_ns > from_ns:
            found[event.camera, event.stream][event.seal] = Head(
                sequence=event.sequence,
                segment=event.segment,
                seal=event.seal,
                start_ns=event.start_ns,
                end_ns=event.end_ns,
                told_ns=told_ns,
            )
    return tuple(
        ChainHeads(
            camera=camera,
            stream=stream,
            from_ns=known_ns,
            to_ns=min(to_ns, max(head.end_ns for head in heads_.values())),
            heads=tuple(sorted(heads_.values(), key=lambda head: head.sequence)),
        )
        for (camera, stream), heads_ in sorted(found.items())
    )
