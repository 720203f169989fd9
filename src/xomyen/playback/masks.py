"""Private zones of a camera, as they travel to whatever blackens them."""

import hashlib
import json

Masks = tuple[tuple[tuple[int, int], ...], ...]
"""Polygons by their corners (x, y), in 1/10000 of the picture's width and height."""

NO_MASKS: Masks = ()


def write_masks(masks: Masks) -> str:
    """One line of text, for a process's arguments."""
    return json.dumps(masks, separators=(",", ":"))


def read_masks(text: str) -> Masks:
    """What `write_masks` wrote. Raises ValueError."""
    try:
        return tuple(tuple((int(x), int(y)) for x, y in polygon) for polygon in json.loads(text))
    except (TypeError, ValueError) as error:
        raise ValueError("these are no masks") from error


def masks_name(masks: Masks) -> str:
    """A short name that other masks do not have; empty where there are none."""
    return hashlib.sha256(write_masks(masks).encode()).hexdigest()[:16] if masks else ""
