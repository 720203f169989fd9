"""`xomyen camera masks`: the parts of a camera's picture that others do not get to see."""

import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from xomyen.bus.messages import MASK_UNITS, MOST_MASKS, CameraRecord, Mask
from xomyen.cli.cameras import Name
from xomyen.cli.common import Dir, counted, finish, node_bus, node_folder, print_json
from xomyen.terms.errors import InvalidConfiguration

_PARTS = ("mask", "corner", "number")
_MASKS = TypeAdapter(tuple[Mask, ...])


def register(_app: typer.Typer, camera: typer.Typer) -> None:
    """Adds the command."""
    camera.command("masks")(masks)


def masks(
    name: Name,
    directory: Dir = None,
    file: Annotated[
        Path | None,
        typer.Option("--set", metavar="FILE", help="JSON with the masks from now on; - reads it from the input."),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take all masks away.")] = False,
) -> None:
    """Show a camera's privacy masks as JSON, or set them. They hold within two seconds.

    A list of polygons, each a list of corners [x, y] in ten-thousandths of the picture's width and height, from its
    upper left. They are black for every ticket that says so; see `xomyen ticket --mask`.

    Example: xomyen camera masks "Cổng chợ" --set masks.json with [[[0,0],[2500,0],[2500,4000],[0,4000]]] in the file
    """
    if file is not None and none:
        raise InvalidConfiguration("--set and --none together make no sense.", field="masks")
    wanted = () if none else _read(file) if file is not None else None

    async def work() -> CameraRecord:
        async with node_bus(node_folder(directory)) as bus:
            record = await bus.configuration.camera(name)
            if wanted is None or wanted == record.config.masks:
                return record
            return await bus.configuration.put(record.config.model_copy(update={"masks": wanted}), record.revision)

    config = finish(work()).config
    if wanted is None:
        print_json(config.masks)
    else:
        print(f"{config.name} has {counted(len(config.masks), 'mask')}.")


def _read(file: Path) -> tuple[Mask, ...]:
    """Raises InvalidConfiguration, which says what is wrong and where."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"The file {file} cannot be read.", field="masks") from error
    try:
        found = _MASKS.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = _place(first["loc"])
        raise InvalidConfiguration(
            f"No masks: {f'{place}: ' if place else ''}{first['msg']}. Write polygons of corners [x, y] from 0 to "
            f"{MASK_UNITS}.",
            field="masks",
        ) from error
    if len(found) > MOST_MASKS:
        raise InvalidConfiguration(f"A camera has at most {MOST_MASKS} masks.", field="masks")
    for number, mask in enumerate(found, start=1):
        if not _area(mask):
            raise InvalidConfiguration(f"Mask {number} covers nothing: its corners lie on one line.", field="masks")
    return found


def _place(location: tuple[int | str, ...]) -> str:
    numbers = [part + 1 for part in location if isinstance(part, int)]
    return ", ".join(f"{what} {number}" for what, number in zip(_PARTS, numbers, strict=False))


def _area(mask: Mask) -> int:
    """Twice what it covers, by the shoelace formula."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*mask, mask[0]))))
