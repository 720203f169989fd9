"""A map file as an operator has one: PMTiles v3 with one vector tile of the whole world."""

import gzip
import json
import struct

_PLAIN, _GZIP = 1, 2
_MVT = 1
_EXTENT = 4096  # of a tile, in its own units


def map_of_water() -> bytes:
    """The world as one polygon of the layer `water`, at zoom 0 (PMTiles specification v3; vector tiles 2.1)."""
    tile = gzip.compress(_tile("water"))
    about = gzip.compress(json.dumps({"vector_layers": [{"id": "water", "fields": {}}]}).encode())
    # One entry: tile id 0, run length 1, length, offset + 1.
    root = gzip.compress(b"".join(map(_varint, (1, 0, 1, len(tile), 1))))
    at = 127
    places = []
    for part in (root, about, b"", tile):
        places += [at, len(part)]
        at += len(part)
    counts = (1, 1, 1)  # tiles addressed, entries, tiles in the file
    kinds = (1, _GZIP, _GZIP, _MVT, 0, 0)  # clustered, compression of directories and tiles, kind, least and most zoom
    bounds = (-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)  # 1e-7 degrees
    head = struct.pack("<7sB8Q3Q6B4iB2i", b"PMTiles", 3, *places, *counts, *kinds, *bounds, 0, 0, 0)
    return head + root + about + tile


def _tile(layer: str) -> bytes:
    far, back = _zigzag(_EXTENT), _zigzag(-_EXTENT)
    path = (_command(1, 1), 0, 0, _command(2, 3), far, 0, 0, far, back, 0, _command(7, 1))
    geometry = b"".join(map(_varint, path))
    feature = _field(3, 3) + _field(4, geometry)
    return _field(3, _field(15, 2) + _field(1, layer.encode()) + _field(2, feature) + _field(5, _EXTENT))


def _command(what: int, times: int) -> int:
    return what | times << 3


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
