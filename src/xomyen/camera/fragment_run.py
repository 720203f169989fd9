"""Runs of equal-sized fragments of one NAL unit, checked and copied without a step per packet."""

import numpy as np

LONGEST_RUN = 200  # packets; below 256, so that the low byte of the sequence number tells them apart

_BYTE = [bytes((value,)) for value in range(256)]
_COUNTING = bytes(range(256)) * 2


def equal_fragments(
    buffer: bytearray, packet: int, after: int, end: int, fragment_at: int, middle: int, expected: int
) -> int:
    """How many whole packets from `after` on continue the fragmented NAL unit of the one at `packet`.

    They have its size, channel, payload type and timestamp, no marker, no padding or extension, the next
    sequence numbers, and `middle`, a fragment header without start and end bit. Only three or more are worth it.
    """
    stride = after - packet
    count = min((end - after) // stride, LONGEST_RUN)
    column = buffer[after + fragment_at : after + count * stride : stride]
    count -= len(column.lstrip(_BYTE[middle]))
    if count < 3:
        return 0
    stop = after + count * stride
    heads = np.ndarray((count, 6), np.uint8, buffer, after, (stride, 1))
    if heads.tobytes() != buffer[packet : packet + 6] * count:
        return 0
    low = expected & 255
    if buffer[after + 7 : stop : stride] != _COUNTING[low : low + count]:
        return 0
    # The last one in full: with the low bytes in order, those before it cannot differ.
    last = stop - stride
    same_time = buffer[last + 8 : last + 12] == buffer[packet + 8 : packet + 12]
    in_order = buffer[last + 6] << 8 | buffer[last + 7] == (expected + count - 1) & 0xFFFF
    same_unit = buffer[last + 16 : last + fragment_at] == buffer[packet + 16 : packet + fragment_at]
    return count if same_time and in_order and same_unit else 0


def contents(buffer: bytearray, start: int, count: int, stride: int, head_bytes: int) -> bytes:
    """What `count` packets from `start` on hold, each `stride` bytes long, without their heads."""
    return np.ndarray((count, stride - head_bytes), np.uint8, buffer, start + head_bytes, (stride, 1)).tobytes()
