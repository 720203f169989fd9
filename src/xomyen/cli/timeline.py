"""`xomyen timeline`."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from xomyen.cli.common import Dir, Json, finish, node_folder, print_json, recorded_camera
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Gap, Segment
from xomyen.terms.errors import InvalidRange, NoFootage
from xomyen.terms.time import NS_PER_SECOND, SystemClock, format_utc, parse_time
from xomyen.terms.words import StreamName


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the command."""
    app.command("timeline")(timeline)


def timeline(
    name: Annotated[str, typer.Argument(help="The camera's name, id, or the beginning of its name.")],
    start: Annotated[str, typer.Option("--from", metavar="T", help="ISO-8601 with an offset or Z, or -10m.")],
    end: Annotated[str, typer.Option("--to", metavar="T", help="ISO-8601 with an offset or Z, -10m or now.")] = "now",
    directory: Dir = None,
    stream: Annotated[StreamName, typer.Option("--stream", help="main or sub.")] = StreamName.MAIN,
    as_json: Json = False,
) -> None:
    """Show what was recorded of a camera: segments, and gaps with their reasons.

    Example: xomyen timeline "Cổng chợ" --from -1h --to now
    """
    now_ns = SystemClock().wall_ns()
    from_ns, to_ns = parse_time(start, now_ns), parse_time(end, now_ns)
    if from_ns >= to_ns:
        raise InvalidRange("The range is empty or reversed: --from must lie before --to.")
    if from_ns > now_ns:
        raise InvalidRange("The range lies in the future: nothing can have been recorded there yet.")
    folder = node_folder(directory)
    camera, _name = finish(recorded_camera(folder, name))
    try:
        with IndexReader(folder.index) as index:
            segments = index.segments(camera, stream, from_ns, to_ns)
            gaps = index.gaps(camera, stream, from_ns, to_ns)
    except NoFootage:
        # The node never recorded anything: an empty timeline is the true answer.
        segments, gaps = [], []
    if as_json:
        print_json(
            {
                "camera": camera,
                "stream": stream.value,
                "from": format_utc(from_ns),
                "to": format_utc(to_ns),
                "segments": [_segment(segment) for segment in segments],
                "gaps": [_gap(gap) for gap in gaps],
            }
        )
    else:
        _print(segments, gaps)


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "id": segment.id,
        "from": format_utc(segment.start_ns),
        "to": format_utc(segment.end_ns),
        "state": segment.state.value,
        "run": segment.run,
        "sequence": segment.sequence,
        "bytes": segment.bytes,
        "fragments": segment.fragments,
        "frames": segment.frames,
        "lost_packets": segment.lost_packets,
        "clock": segment.clock_state.value,
        "path": segment.path,
    }


def _gap(gap: Gap) -> dict[str, object]:
    return {
        "id": gap.id,
        "from": format_utc(gap.start_ns),
        "to": format_utc(gap.end_ns) if gap.end_ns is not None else None,
        "reason": gap.reason.value,
        "detail": gap.detail,
    }


def _print(segments: list[Segment], gaps: list[Gap]) -> None:
    table = Table("FROM", "TO", "WHAT", "SECONDS", "FRAMES", "BYTES", "LOST", "WHY", box=None, pad_edge=False)
    rows: list[tuple[int, tuple[str, ...]]] = []
    for segment in segments:
        seconds = (segment.end_ns - segment.start_ns) / NS_PER_SECOND
        counts = (f"{seconds:.1f}", str(segment.frames), str(segment.bytes), str(segment.lost_packets), "")
        times = (format_utc(segment.start_ns), format_utc(segment.end_ns))
        rows.append((segment.start_ns, (*times, segment.state.value, *counts)))
    for gap in gaps:
        length = f"{(gap.end_ns - gap.start_ns) / NS_PER_SECOND:.1f}" if gap.end_ns is not None else ""
        until = format_utc(gap.end_ns) if gap.end_ns is not None else "still"
        why = f"{gap.reason.value}: {gap.detail}" if gap.detail else gap.reason.value
        rows.append((gap.start_ns, (format_utc(gap.start_ns), until, "gap", length, "", "", "", why)))
    if not rows:
        print("Nothing was recorded in this range.")
        return
    for _, cells in sorted(rows):
        table.add_row(*cells)
    (Console() if sys.stdout.isatty() else Console(width=500)).print(table)
