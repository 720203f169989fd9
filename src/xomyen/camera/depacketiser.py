"""Interleaved RTP to batches of access units, in place in the receive buffer: the recorder's hot path.

Speed comes from doing nothing per packet that can be done per run: middle fragments of equal size are
checked and compacted in a few strided operations, NAL units travel as slices of the receive buffer with
their length written over the RTP header before them, and no object is made per packet or frame.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from xomyen.camera.errors import MalformedStream
from xomyen.camera.fragment_run import LONGEST_RUN, compacted, equal_fragments
from xomyen.camera.media_time import ArrivalAnchor, MediaTime
from xomyen.camera.nal_shape import (
    AGGREGATE,
    DELIMITER,
    FRAGMENT,
    KEY_SLICE,
    OTHER,
    PARAMETER_SET,
    SLICE,
    NalShape,
    split_aggregate,
)
from xomyen.camera.parameter_sets import ParameterSets
from xomyen.camera.rtp import MAX_DROPOUT, payload_bounds
from xomyen.camera.rtsp_message import Request, Response, parse_message
from xomyen.camera.source import Batch, CodecConfig, StreamSink
from xomyen.terms.buffers import Lease

MAX_ACCESS_UNIT_BYTES = 16 * 1024 * 1024
_LEARNED_AFTER = 8  # access units whose marker bit proved right
_LATE = 0x10000 - 256  # a packet up to 256 numbers back is late or a duplicate

_put_length = struct.Struct(">I").pack_into
_put_length_and_byte = struct.Struct(">IB").pack_into
_length = struct.Struct(">I").pack


class ControlListener(Protocol):
    """Who takes what stands between the RTP packets."""

    def rtcp(self, packet: bytes) -> None: ...

    def rtsp(self, message: Request | Response) -> None: ...


class Depacketiser:
    """Reads what one connection delivers after PLAY and writes batches of whole access units to the sink.

    Before every `feed` the caller puts `tail` at the buffer's start and received bytes behind it.
    """

    def __init__(
        self,
        shape: NalShape,
        channel: int,
        payload_type: int,
        sink: StreamSink,
        control: ControlListener,
        configure: Callable[[Sequence[bytes]], CodecConfig],
        parameter_sets: Sequence[bytes] = (),
    ) -> None:
        """`channel` is the interleaved channel of RTP, RTCP has the next; `configure` raises ValueError on garbage."""
        self._shape = shape
        self._word = 0x2400 | channel
        self._payload_type = payload_type
        self._sink = sink
        self._control = control
        self._sets = ParameterSets(configure, parameter_sets)
        self.tail = b""
        self.config: CodecConfig | None = None
        self.time = MediaTime()
        self.anchor = ArrivalAnchor()
        self.lost_packets = 0
        self.frames = 0
        self.expected = -1  # sequence number
        self._new_run = True
        self._arrived_ns = 0
        self._lost_reported = 0
        self._batch = Batch()
        self._parts: list[memoryview | bytes] = self._batch.parts
        self._unit_at = 0  # index in parts where the access unit being collected begins
        self._owned = 0  # parts of it that are not in the current buffer
        self._size = 0  # bytes of its complete NAL units
        self._has_slice = self._is_key = False
        self._stamp = -1
        self._in_fragment = False
        self._nal_at = self._nal_size = self._head_at = 0
        self._head = bytearray()
        self._trust_marker = False
        self._marked = False
        self._to_learn = _LEARNED_AFTER

    def feed(self, lease: Lease, end: int, arrived_ns: int) -> None:  # noqa: C901 one loop: a call per packet would double its cost
        """Reads ``lease.buffer[:end]``, delivers what is whole and keeps the rest.

        Raises a CameraFault when the bytes are not RTP in RTSP framing or the codec cannot be used.
        """
        buf, mv = lease.buffer, lease.view
        self._arrived_ns = arrived_ns
        shape, word, payload_type = self._shape, self._word, self._payload_type
        unpack, kinds, header_bytes, donl = shape.packet.unpack_from, shape.kinds, shape.header_bytes, shape.donl_bytes
        keep, type_bits, shift = shape.type_and_flags
        fragment_bytes, least = header_bytes + 1, header_bytes + 12
        parts, expected, trusted = self._parts, self.expected, self._trust_marker
        add = parts.append
        in_fragment, nal_size = self._in_fragment, self._nal_size
        try_run = True
        pos = 0
        while pos + 18 <= end:
            framing, length, b0, b1, seq, stamp, n0, n1 = unpack(buf, pos)
            after = pos + 4 + length
            if framing != word:
                taken = self._between(mv, pos, end, framing)
                if not taken:
                    break
                pos += taken
                continue
            if after > end:
                break
            start, stop = pos + 16, after
            if b0 != 0x80 or length < least:
                start, stop = payload_bounds(buf, pos + 4, after)
                if stop - start < header_bytes:
                    if seq == expected:  # padding alone
                        expected = (seq + 1) & 0xFFFF
                    pos = after
                    continue
                n0 = buf[start]
                n1 = buf[start + header_bytes] if start + header_bytes < stop else 0
            if b1 & 127 != payload_type:
                pos = after
                continue
            if seq != expected and expected >= 0:
                gap = (seq - expected) & 0xFFFF
                if gap >= _LATE:
                    pos = after
                    continue
                self.lost_packets += gap if gap < MAX_DROPOUT else 1
                if in_fragment:
                    in_fragment = False
                    self._drop_fragments()
            expected = (seq + 1) & 0xFFFF
            if stamp != self._stamp:
                if in_fragment:
                    in_fragment = False
                    self.lost_packets += 1
                    self._drop_fragments()
                if self._has_slice:
                    self._end_unit(lease)
                    parts, trusted = self._parts, self._trust_marker
                    add = parts.append
                self._stamp = stamp
                self._marked = False
            kind = kinds[n0]
            if kind == FRAGMENT:
                data = start + fragment_bytes
                if data > stop or (donl and n1 & 0x80 and data + donl > stop):
                    self.lost_packets += 1
                    if in_fragment:
                        in_fragment = False
                        self._drop_fragments()
                elif n1 & 0x80:
                    if in_fragment:
                        self.lost_packets += 1
                        self._drop_fragments()
                    in_fragment = True
                    head_at = data + donl - 4 - header_bytes
                    if header_bytes == 2:
                        buf[head_at + 5] = buf[start + 1]
                    self._nal_at, self._head, self._head_at = len(parts), buf, head_at
                    add(mv[head_at:stop])
                    nal_size = stop - head_at - 4
                    try_run = True
                elif in_fragment:
                    add(mv[data:stop])
                    nal_size += stop - data
                if in_fragment:
                    if n1 & 0x40:
                        in_fragment = False
                        first = n0 & keep | (n1 & type_bits) << shift
                        _put_length_and_byte(self._head, self._head_at, nal_size, first)
                        kind = kinds[first]
                        if trusted and SLICE <= kind <= KEY_SLICE:
                            self._size += nal_size + 4
                            self._has_slice = True
                            if kind == KEY_SLICE:
                                self._is_key = True
                        else:
                            self._end_fragmented(kind, nal_size)
                    elif try_run and start == pos + 16 and stop == after:
                        count = equal_fragments(buf, pos, after, end, 15 + fragment_bytes, n1 & 0x3F, expected)
                        try_run = count == LONGEST_RUN
                        if count:
                            stride = length + 4
                            add(compacted(buf, after, count, length + 4, 16 + fragment_bytes))
                            nal_size += count * (length - 12 - fragment_bytes)
                            expected = (expected + count) & 0xFFFF
                            after += count * stride
            else:
                if in_fragment:
                    in_fragment = False
                    self.lost_packets += 1
                    self._drop_fragments()
                if donl and kind != AGGREGATE and stop - start > 4:
                    buf[start + 2 : start + 4] = buf[start : start + 2]
                    start += 2
                if OTHER <= kind <= PARAMETER_SET:
                    if kind == PARAMETER_SET:
                        self._sets.saw(bytes(mv[start:stop]))
                    _put_length(buf, start - 4, stop - start)
                    add(mv[start - 4 : stop])
                    self._size += stop - start + 4
                    if SLICE <= kind <= KEY_SLICE:
                        self._slice(kind)
                elif kind == AGGREGATE:
                    self._aggregate(buf, mv, start, stop)
                elif kind != DELIMITER:
                    self.lost_packets += 1
            pos = after
            if b1 & 128:
                if not trusted:
                    self._marked = self._has_slice
                elif self._has_slice and not in_fragment:
                    self._end_unit(lease)
                    parts = self._parts
                    add = parts.append
        while 4 <= end - pos < 18 and (framing := buf[pos] << 8 | buf[pos + 1]) != word:
            taken = self._between(mv, pos, end, framing)  # too short for the loop above
            if not taken:
                break
            pos += taken
        self.expected, self._in_fragment, self._nal_size = expected, in_fragment, nal_size
        self._deliver(lease)
        self._own_pending()
        self.tail = bytes(mv[pos:end])

    def end(self) -> None:
        """The stream has ended: delivers the access unit that waits for its successor, if it is whole."""
        if self._has_slice and self._marked and not self._in_fragment:
            self._end_unit(None)
            self._deliver(None)

    # What stands between the packets of video

    def _between(self, mv: memoryview, pos: int, end: int, framing: int) -> int:
        """Length of the RTSP message or packet of another channel at `pos`; 0 when it is not whole yet."""
        if framing >> 8 == 0x24:
            length = 4 + (mv[pos + 2] << 8 | mv[pos + 3])
            if pos + length > end:
                return 0
            if framing == self._word + 1:
                self._control.rtcp(bytes(mv[pos + 4 : pos + length]))
            return length
        if not 0x41 <= framing >> 8 <= 0x5A:
            raise MalformedStream("The camera sends bytes that are neither RTP nor RTSP.")
        found = parse_message(mv[pos:end])
        if found is None:
            return 0
        self._control.rtsp(found[0])
        return found[1]

    # NAL units

    def _slice(self, kind: int) -> None:
        if self._marked and not self._trust_marker:
            self._to_learn = -1  # a slice behind the marker: this camera's marker means something else
        self._has_slice = True
        if kind == KEY_SLICE:
            self._is_key = True

    def _end_fragmented(self, kind: int, size: int) -> None:
        if OTHER <= kind <= PARAMETER_SET:
            self._size += size + 4
            if kind == PARAMETER_SET:
                self._sets.saw(b"".join(self._parts[self._nal_at :])[4:])
            elif kind >= SLICE:
                self._slice(kind)
            return
        self._drop_fragments()
        if kind != DELIMITER:
            self.lost_packets += 1

    def _drop_fragments(self) -> None:
        """Takes back the pieces of a NAL unit that is incomplete or not part of a sample."""
        del self._parts[self._nal_at :]
        self._owned = min(self._owned, self._nal_at)

    def _aggregate(self, buf: bytearray, mv: memoryview, start: int, stop: int) -> None:
        units = split_aggregate(buf, start, stop, self._shape)
        if units is None:
            self.lost_packets += 1
            return
        for at, until in units:
            kind = self._shape.kinds[buf[at]]
            if OTHER <= kind <= PARAMETER_SET:
                self._parts.append(_length(until - at))
                self._parts.append(mv[at:until])
                self._size += until - at + 4
                if kind == PARAMETER_SET:
                    self._sets.saw(bytes(mv[at:until]))
                elif kind >= SLICE:
                    self._slice(kind)
            elif kind != DELIMITER:
                self.lost_packets += 1

    # Access units

    def _end_unit(self, lease: Lease | None) -> None:
        """The access unit is complete: gives it its times and puts it into the batch."""
        if not self._trust_marker and self._marked and self._to_learn > 0:
            self._to_learn -= 1
            self._trust_marker = self._to_learn == 0
        time, key, size = self.time, self._is_key, self._size
        self._has_slice = self._is_key = self._marked = False
        self._size = 0
        if time.step(self._stamp):
            self._new_run = True
        if key and (self._new_run or self._sets.new):
            self._open_run(lease)
        if self.config is None:
            del self._parts[self._unit_at :]
            self._owned = 0
            return
        pts, dts = time.times()
        batch = self._batch
        self._unit_at = len(self._parts)
        self._owned = 0
        batch.part_ends.append(self._unit_at)
        batch.sizes.append(size)
        batch.pts_ticks.append(pts)
        batch.dts_ticks.append(dts)
        batch.keys.append(key)

    def _open_run(self, lease: Lease | None) -> None:
        """At a keyframe: a new run when this is the first one, media time jumped, or parameter sets matter."""
        config = self._sets.take()
        if config is None:
            return
        if self._new_run or self.config is None or config.sample_entry != self.config.sample_entry:
            self._deliver(lease)
            self.config = config
            self._new_run = False
            self.time.reorder(config.max_reorder)
            self._sink.opened(config)

    def _deliver(self, lease: Lease | None) -> None:
        """Hands the complete access units to the sink; parts of an incomplete one move to the next batch."""
        batch, at = self._batch, self._unit_at
        if not at:
            return
        self._batch = following = Batch()
        following.parts = self._parts = batch.parts[at:]
        del batch.parts[at:]
        self._nal_at -= at
        self._unit_at = 0
        batch.lost_packets = self.lost_packets - self._lost_reported
        self._lost_reported = self.lost_packets
        batch.arrived_ns = self._arrived_ns
        if lease is not None:
            batch.leases.append(lease)
        self.frames += len(batch.sizes)
        self.anchor.seen(self._arrived_ns, batch.pts_ticks[-1])
        self._sink.write(batch)

    def _own_pending(self) -> None:
        """Copies what there is of the incomplete access unit out of the buffer, which goes back to the pool."""
        parts, owned = self._parts, self._owned
        if len(parts) > owned:
            if self._in_fragment and self._nal_at >= owned:
                before, nal = parts[owned : self._nal_at], bytearray().join(parts[self._nal_at :])
                del parts[owned:]
                if before:
                    parts.append(b"".join(before))
                self._nal_at, self._head, self._head_at = len(parts), nal, 0
                parts.append(memoryview(nal))
            else:
                joined = b"".join(parts[owned:])
                parts[owned:] = [joined]
            self._owned = len(parts)
        if self._size + (self._nal_size if self._in_fragment else 0) > MAX_ACCESS_UNIT_BYTES:
            raise MalformedStream("An access unit of the camera has no end.")
