"""The display that is true at every instant, as slices for pictures that were encoded long before.

A simulated camera's pictures are a loop, encoded once. Date, clock and counter stand in the first macroblock
rows; those are slices of their own, written for each picture when it is sent.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from xomyen.camera.simulator import display
from xomyen.camera.simulator.camera_clock import TRUE, CameraClock
from xomyen.camera.simulator.osd_slice import MB, SliceSyntax, SliceWriter, escaped
from xomyen.camera.simulator.packets import packet_count

_REPAINTED = 3  # macroblocks of letters written per picture when the clock changes: keeps the slice in a packet
_REMEMBERED = 6
_LETTERS_BYTES = 388  # at most, of one macroblock of letters
_FLAT_BYTES = 7
_HEADER_BYTES = 16


class DisplayCoder:
    """Writes the display's slices for one picture size and rate."""

    def __init__(
        self, where: display.Layout, fps: int, syntax: SliceSyntax, utc_offset_s: int, clock: CameraClock = TRUE
    ) -> None:
        self.where = where
        self.fps = fps
        self._syntax = syntax
        self._utc_offset_s = utc_offset_s
        self._clock_of_camera = clock
        width = syntax.width_mbs
        rows = range(where.text_height // MB)
        name = range(where.name_x // MB, where.name_end // MB)
        self._name_spans = [(r * width + name.start, r * width + name.stop) for r in rows]
        self._clock = [r * width + c for r in rows for c in range(where.name_x // MB)]
        self._letters = set(self._clock)
        self._total = where.band // MB * width
        self._names: dict[tuple[str, int], list[bytes]] = {}
        self.whole_packets = [self._packets(first, last) for first, last in self._whole_spans()]
        self.name_packets = [self._packets(first, last) for first, last in self._name_spans]
        self._texts: dict[int, display.Luma] = {}
        self._bands: dict[int, display.Luma] = {}
        self._deltas: dict[int, bytes] = {}

    def _blocks(self, luma: display.Luma) -> display.Luma:
        """Macroblock `n` of the band as row `n`."""
        return luma.reshape(-1, MB, self._syntax.width_mbs, MB).swapaxes(1, 2).reshape(self._total, MB * MB)

    def _text(self, second: int) -> display.Luma:
        """The clock in that second since the Unix epoch."""
        if second not in self._texts:
            local = datetime.fromtimestamp(second + self._utc_offset_s, UTC)
            band = display.blank_band(self.where)
            display.draw_clock(band, self.where, f"{local:%Y-%m-%d %H:%M:%S}")
            _remember(self._texts, second, band)
        return self._texts[second]

    def band(self, k: int) -> display.Luma:
        """The display of picture k, counted from the Unix epoch in steps of 1/fps, the name left out.

        A new second's letters appear over the first pictures of it, some macroblocks in each.
        """
        if k not in self._bands:
            second, frame = divmod(self._clock_of_camera.picture(k, self.fps), self.fps)
            luma, before = self._text(second).copy(), self._text(second - 1)
            differs = (self._blocks(luma) != self._blocks(before)).any(axis=1)
            for number in np.flatnonzero(differs)[(frame + 1) * _REPAINTED :].tolist():
                row, column = divmod(number, self._syntax.width_mbs)
                here = np.s_[row * MB : row * MB + MB, column * MB : column * MB + MB]
                luma[here] = before[here]
            counter = k % (86_400 * self.fps)
            display.draw_mark(luma, self.where, display.mark_levels(counter, self.fps, looped=False))
            _remember(self._bands, k, luma)
        return self._bands[k]

    def delta(self, k: int, frame_num: int) -> bytes:
        """The NAL unit of a P slice over the whole display: what changed since picture k−1."""
        if k not in self._deltas:
            now = self.band(k)
            writer = SliceWriter(now, self._syntax, 0, key=False, frame_num=0, idr_id=0)
            differs = (self._blocks(now) != self._blocks(self.band(k - 1))).any(axis=1)
            for number in np.flatnonzero(differs).tolist():
                writer.macroblock(number, number in self._letters)
            _remember(self._deltas, k, writer.finished(self._total))
        payload = self._deltas[k]
        # frame_num stands behind 7 bits: first_mb_in_slice 1, slice_type 5, pic_parameter_set_id 1.
        head = int.from_bytes(payload[:4], "big") | frame_num << 32 - 7 - self._syntax.frame_num_bits
        return b"\x41" + escaped(head.to_bytes(4, "big") + payload[4:])

    def _whole_spans(self) -> list[tuple[int, int]]:
        starts = [0, *(end for _, end in self._name_spans)]
        ends = [*(start for start, _ in self._name_spans), self._total]
        return list(zip(starts, ends, strict=True))

    def _packets(self, first: int, last: int) -> int:
        """How many packets the slice of these macroblocks is sent in; the same whatever it shows."""
        names = {n for start, end in self._name_spans for n in range(start, end)}
        letters = sum(n in self._letters or n in names for n in range(first, last))
        return packet_count(letters * _LETTERS_BYTES + (last - first - letters) * _FLAT_BYTES + _HEADER_BYTES)

    def whole(self, k: int, idr_id: int) -> list[bytes]:
        """NAL units of an IDR picture's display without the name: the slices before, between and after `name`'s."""
        luma = self.band(k)
        return [self._intra(luma, first, last, idr_id) for first, last in self._whole_spans()]

    def name(self, text: str, idr_id: int) -> list[bytes]:
        """NAL units of an IDR picture that show the camera's name; they follow the first, second … of `whole`."""
        if (text, idr_id) not in self._names:
            luma = display.blank_band(self.where)
            display.draw_name(luma, self.where, text)
            nals = [self._intra(luma, first, last, idr_id, name=True) for first, last in self._name_spans]
            self._names[text, idr_id] = nals
        return self._names[text, idr_id]

    def _intra(self, luma: display.Luma, first: int, last: int, idr_id: int, name: bool = False) -> bytes:
        writer = SliceWriter(luma, self._syntax, first, key=True, frame_num=0, idr_id=idr_id)
        for number in range(first, last):
            # Letters' places are sent as they are even when empty: a keyframe's size does not depend on the text.
            writer.macroblock(number, name or number in self._letters)
        return b"\x65" + escaped(writer.finished(last))


def _remember(memory: dict[int, Any], key: int, value: Any) -> None:
    if len(memory) >= _REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value
