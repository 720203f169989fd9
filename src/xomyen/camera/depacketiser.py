"""Interleaved RTP to batches of access units: the recorder's hot path.

Speed comes from doing nothing per packet that can be done per run: middle fragments of equal size are checked and
copied in a few strided operations. Packets are read in one buffer that all streams share, so the cache keeps it; access
units are laid one behind the other into a leased buffer, each NAL unit behind its length, to be hashed and written as
one piece. No object is made per packet or frame.
"""

import struct
from collections.abc import Callable, Sequence

from xomyen.camera.errors import MalformedStream
from xomyen.camera.fragment_run import LONGEST_RUN, contents, equal_fragments
from xomyen.camera.interleaved import ControlListener, take_between
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
from xomyen.camera.source import Batch, CodecConfig, StreamSink
from xomyen.terms.buffers import Lease, ReceiveBuffer

MAX_ACCESS_UNIT_BYTES = 16 * 1024 * 1024
_LEARNED_AFTER = 8  # access units whose marker bit proved right
_LATE = 0x10000 - 256  # a packet up to 256 numbers back is late or a duplicate

_put_length = struct.Struct(">I").pack_into
_put_length_and_byte = struct.Struct(">IB").pack_into


class Depacketiser:
    """Reads what one connection delivers after PLAY and writes batches of whole access units to the sink.

    Before every `feed` the caller puts `tail` at the receive buffer's start and received bytes behind it.
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
        self._lease: Lease | None = None  # what is fed now is laid down there:
        self._delivered = 0  # up to here it was handed over,
        self._unit_at = 0  # and here the access unit being collected begins
        self._pending = bytearray()  # or goes on, after this, which came of it before
        self._slack = 0  # bytes by which more may be laid down than was read
        self._size = 0  # bytes of the access unit's complete NAL units
        self._has_slice = self._is_key = False
        self._stamp = -1
        self._in_fragment = False
        self._nal_size = 0  # of the NAL unit whose fragments come; it begins in
        self._head = bytearray()  # the leased buffer, or `_pending`,
        self._head_at = 0  # at this place
        self._trust_marker = False
        self._marked = False
        self._to_learn = _LEARNED_AFTER

    def feed(self, received: ReceiveBuffer, end: int, lease: Lease, arrived_ns: int) -> None:
        """Reads ``received.buffer[:end]``, delivers what is whole, laid down in `lease`, and keeps the rest.

        The leased buffer is at least as long as `end`. Raises a CameraFault when the bytes are not RTP in RTSP framing
        or the codec cannot be used; access units that were whole before are delivered then too, and nothing more can
        be fed.
        """
        self._lease, self._delivered, self._unit_at = lease, 0, 0
        self._slack = len(lease.buffer) - end
        self._arrived_ns = arrived_ns
        try:
            fill = self._read(received, end, lease)
        except BaseException:
            self._has_slice = False  # the access unit under way can never be whole
            raise
        finally:
            self._deliver()
            self._lease = None
        self._keep(fill, lease)

    def _read(self, received: ReceiveBuffer, end: int, lease: Lease) -> int:  # noqa: C901 one loop: a call per packet would double its cost
        """Lays down what is fed; the answer is up to where."""
        buf, mv = received.buffer, received.view
        room, out = lease.buffer, lease.view
        shape, word, payload_type, control = self._shape, self._word, self._payload_type, self._control
        unpack, kinds, header_bytes, donl = shape.packet.unpack_from, shape.kinds, shape.header_bytes, shape.donl_bytes
        keep, type_bits, shift = shape.type_and_flags
        fragment_bytes, least = header_bytes + 1, header_bytes + 12
        expected, trusted = self.expected, self._trust_marker
        in_fragment, nal_size = self._in_fragment, self._nal_size
        try_run = True
        pos = fill = 0
        while pos + 18 <= end:
            framing, length, b0, b1, seq, stamp, n0, n1 = unpack(buf, pos)
            after = pos + 4 + length
            if framing != word:
                taken = take_between(mv, pos, end, framing, word, control)
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
                    fill = self._drop_fragments(fill)
            expected = (seq + 1) & 0xFFFF
            if stamp != self._stamp:
                if in_fragment:
                    in_fragment = False
                    self.lost_packets += 1
                    fill = self._drop_fragments(fill)
                if self._has_slice:
                    fill = self._end_unit(fill)
                    trusted = self._trust_marker
                self._stamp = stamp
                self._marked = False
            kind = kinds[n0]
            if kind == FRAGMENT:
                data = start + fragment_bytes
                if data > stop or (donl and n1 & 0x80 and data + donl > stop):
                    self.lost_packets += 1
                    if in_fragment:
                        in_fragment = False
                        fill = self._drop_fragments(fill)
                elif n1 & 0x80:
                    if in_fragment:
                        self.lost_packets += 1
                        fill = self._drop_fragments(fill)
                    in_fragment = True
                    self._head, self._head_at = room, fill
                    data += donl
                    nal_size = stop - data + header_bytes
                    if header_bytes == 2:
                        room[fill + 5] = buf[start + 1]
                    at = fill + 4 + header_bytes
                    fill += 4 + nal_size
                    out[at:fill] = mv[data:stop]
                    try_run = True
                elif in_fragment:
                    nal_size += stop - data
                    at = fill
                    fill += stop - data
                    out[at:fill] = mv[data:stop]
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
                            fill = self._end_fragmented(kind, nal_size, fill)
                    elif try_run and start == pos + 16 and stop == after:
                        count = equal_fragments(buf, pos, after, end, 15 + fragment_bytes, n1 & 0x3F, expected)
                        try_run = count == LONGEST_RUN
                        if count:
                            stride = length + 4
                            at = fill
                            fill += count * (length - 12 - fragment_bytes)
                            out[at:fill] = contents(buf, after, count, stride, 16 + fragment_bytes)
                            nal_size += fill - at
                            expected = (expected + count) & 0xFFFF
                            after += count * stride
            else:
                if in_fragment:
                    in_fragment = False
                    self.lost_packets += 1
                    fill = self._drop_fragments(fill)
                if donl and kind != AGGREGATE and stop - start > 4:
                    buf[start + 2 : start + 4] = buf[start : start + 2]
                    start += 2
                if OTHER <= kind <= PARAMETER_SET:
                    if kind == PARAMETER_SET:
                        self._sets.saw(bytes(mv[start:stop]))
                    size = stop - start
                    _put_length(room, fill, size)
                    at = fill + 4
                    fill = at + size
                    out[at:fill] = mv[start:stop]
                    self._size += size + 4
                    if SLICE <= kind <= KEY_SLICE:
                        self._slice(kind)
                elif kind == AGGREGATE:
                    fill = self._aggregate(buf, mv, start, stop, fill)
                elif kind != DELIMITER:
                    self.lost_packets += 1
            pos = after
            if b1 & 128:
                if not trusted:
                    self._marked = self._has_slice
                elif self._has_slice and not in_fragment:
                    fill = self._end_unit(fill)
        while 4 <= end - pos < 18 and (framing := buf[pos] << 8 | buf[pos + 1]) != word:
            taken = take_between(mv, pos, end, framing, word, control)  # too short for the loop above
            if not taken:
                break
            pos += taken
        self.expected, self._in_fragment, self._nal_size = expected, in_fragment, nal_size
        self.tail = bytes(mv[pos:end])
        return fill

    def end(self) -> None:
        """The stream has ended: delivers the access unit that waits for its successor, if it is whole."""
        if self._has_slice and self._marked and not self._in_fragment:
            self._end_unit(0)
            self._deliver()

    # NAL units

    def _slice(self, kind: int) -> None:
        if self._marked and not self._trust_marker:
            self._to_learn = -1  # a slice behind the marker: this camera's marker means something else
        self._has_slice = True
        if kind == KEY_SLICE:
            self._is_key = True

    def _end_fragmented(self, kind: int, size: int, fill: int) -> int:
        if OTHER <= kind <= PARAMETER_SET:
            self._size += size + 4
            if kind == PARAMETER_SET and self._lease is not None:
                begin, came = self._head_at + 4, self._lease.buffer
                unit = self._pending[begin:] + came[:fill] if self._head is self._pending else came[begin:fill]
                self._sets.saw(bytes(unit))
            elif kind >= SLICE:
                self._slice(kind)
            return fill
        if kind != DELIMITER:
            self.lost_packets += 1
        return self._drop_fragments(fill)

    def _drop_fragments(self, fill: int) -> int:
        """Takes back the pieces of a NAL unit that is incomplete or not part of a sample; where to go on."""
        if self._head is self._pending:  # then nothing but its pieces came since
            del self._pending[self._head_at :]
            return self._unit_at
        return self._head_at

    def _aggregate(self, buf: bytearray, mv: memoryview, start: int, stop: int, fill: int) -> int:
        units = split_aggregate(buf, start, stop, self._shape)
        if units is None or self._lease is None:
            self.lost_packets += 1
            return fill
        room, out = self._lease.buffer, self._lease.view
        for at, until in units:
            kind = self._shape.kinds[buf[at]]
            if OTHER <= kind <= PARAMETER_SET:
                # A length takes four bytes here and two in the packet: more may be laid down than was read.
                if fill + 4 - at > self._slack:
                    raise MalformedStream("The camera sends more small NAL units than a stream can have.")
                _put_length(room, fill, until - at)
                begin = fill + 4
                fill = begin + until - at
                out[begin:fill] = mv[at:until]
                self._size += until - at + 4
                if kind == PARAMETER_SET:
                    self._sets.saw(bytes(mv[at:until]))
                elif kind >= SLICE:
                    self._slice(kind)
            elif kind != DELIMITER:
                self.lost_packets += 1
        return fill

    # Access units

    def _end_unit(self, fill: int) -> int:
        """The access unit is complete: gives it its times and puts it into the batch. Where the next one begins."""
        if not self._trust_marker and self._marked and self._to_learn > 0:
            self._to_learn -= 1
            self._trust_marker = self._to_learn == 0
        time, key, size = self.time, self._is_key, self._size
        self._has_slice = self._is_key = self._marked = False
        self._size = 0
        if time.step(self._stamp):
            self._new_run = True
        if key and (self._new_run or self._sets.new):
            self._open_run()
        if self.config is None:
            self._pending = bytearray()
            return self._unit_at
        pts, dts = time.times()
        batch = self._batch
        if self._pending:
            batch.parts.append(self._pending)
            self._pending = bytearray()
        self._unit_at = fill
        batch.sizes.append(size)
        batch.pts_ticks.append(pts)
        batch.dts_ticks.append(dts)
        batch.keys.append(key)
        return fill

    def _open_run(self) -> None:
        """At a keyframe: a new run when this is the first one, media time jumped, or parameter sets matter."""
        config = self._sets.take()
        if config is None:
            return
        if self._new_run or self.config is None or config.sample_entry != self.config.sample_entry:
            self._deliver()
            self.config = config
            self._new_run = False
            self.time.reorder(config.max_reorder)
            self._sink.opened(config)

    def _deliver(self) -> None:
        """Hands the complete access units to the sink."""
        batch, begin, lease = self._batch, self._delivered, self._lease
        if not batch.sizes:
            return
        self._batch = Batch()
        self._delivered = at = self._unit_at
        if at > begin and lease is not None:
            batch.parts.append(lease.view[begin:at])
            batch.leases.append(lease)
        batch.lost_packets = self.lost_packets - self._lost_reported
        self._lost_reported = self.lost_packets
        batch.arrived_ns = self._arrived_ns
        self.frames += len(batch.sizes)
        self.anchor.seen(self._arrived_ns, batch.pts_ticks[-1])
        self._sink.write(batch)

    def _keep(self, fill: int, lease: Lease) -> None:
        """Copies what there is of the incomplete access unit out of the leased buffer."""
        pending, at = self._pending, self._unit_at
        if fill > at:
            if self._head is lease.buffer:
                self._head, self._head_at = pending, self._head_at - at + len(pending)
            pending += lease.view[at:fill]
        if len(pending) > MAX_ACCESS_UNIT_BYTES:
            raise MalformedStream("An access unit of the camera has no end.")
