"""Changes input the way broken cameras, networks and disks do, and some ways only an enemy would."""

import random

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x24, 0x0D, 0x0A)


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """One of the seeds with one to eight changes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _change(data, seeds, chance)
    return bytes(data)


def _change(data: bytearray, seeds: list[bytes], chance: random.Random) -> None:
    size = len(data)
    at = chance.randrange(size + 1)
    # Heads are where the structure is; half of all changes go there.
    if chance.random() < 0.5:
        at = min(at, chance.randrange(256))
    length = chance.choice((1, 2, 4, 8, 32, 300))
    match chance.randrange(9):
        case 0 if at < size:
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < size:
            data[at] = chance.choice(_EDGES)
        case 2:
            data[at : at + length] = chance.randbytes(min(length, 32))
        case 3:
            del data[at : at + length]
        case 4:
            del data[at:]
        case 5:
            data[at:at] = data[at : at + length]
        case 6:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
        case 7:
            data[at : at + 4] = chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, size)).to_bytes(4, "big")
        case _:
            data[at:at] = bytes((chance.choice(_EDGES),)) * length
