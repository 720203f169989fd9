"""Blackens private zones in decoded pictures; runs in the processes that decode."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from xomyen.bus.messages import MASK_UNITS
from xomyen.playback.masks import Masks

Covered = npt.NDArray[np.bool_]

# Planar, 8 bits: luma samples for each chroma sample, across and down. Pictures in other formats become the first.
_SUBSAMPLING = {
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "yuv422p": (2, 1),
    "yuvj422p": (2, 1),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
}
_USUAL_FORMAT = "yuv420p"
_BLACK, _FULL_RANGE_BLACK = 16, 0  # ITU-R BT.709 §3: luma; with full range (ITU-T H.273 §8.3)
_NO_COLOUR = 128


def covered(masks: Masks, width: int, height: int) -> Covered:
    """The pixels of a picture of this size that the masks touch, however little, by row and column."""
    found = np.zeros((height, width), dtype=np.bool_)
    for mask in masks:
        corners = np.array(mask, dtype=np.float64) * (width, height) / MASK_UNITS
        top = min(int(corners[:, 1].min()), height - 1)
        bottom = min(int(np.ceil(corners[:, 1].max())), height)
        if bottom > top:
            found[top:bottom] |= _polygon(corners - (0, top), width, bottom - top)
    return found


def _polygon(corners: npt.NDArray[np.float64], width: int, height: int) -> Covered:
    """The pixels that lie in the polygon by their middle, or that its outline crosses."""
    # What an edge changes at a column holds for all columns to the right of it.
    turns = np.zeros((height, width + 1), dtype=np.int32)
    crossed = np.zeros((height, width + 1), dtype=np.int32)
    for begin, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        _add_turns(turns, begin, end, width)
        _add_crossed(crossed, begin, end, width)
    # Wound around at all, not an odd number of times: where an outline crosses itself there is no hole.
    inside = np.cumsum(turns, axis=1)[:, :width] != 0
    return np.asarray(inside | (np.cumsum(crossed, axis=1)[:, :width] > 0))


def _add_turns(
    turns: npt.NDArray[np.int32], begin: npt.NDArray[np.float64], end: npt.NDArray[np.float64], width: int
) -> None:
    """Notes in which rows, right of which column, pixels have this edge on their left."""
    (upper, lower), sign = ((begin, end), 1) if begin[1] < end[1] else ((end, begin), -1)
    rows = np.arange(max(0, int(np.ceil(upper[1] - 0.5))), min(len(turns), int(np.ceil(lower[1] - 0.5))))
    if len(rows):
        across = upper[0] + (rows + 0.5 - upper[1]) * (lower[0] - upper[0]) / (lower[1] - upper[1])
        turns[rows, np.clip(np.ceil(across - 0.5).astype(np.int64), 0, width)] += sign


def _add_crossed(
    crossed: npt.NDArray[np.int32], begin: npt.NDArray[np.float64], end: npt.NDArray[np.float64], width: int
) -> None:
    """Notes the pixels that this edge crosses; one that runs between two rows or columns crosses none of them."""
    upper, lower = (begin, end) if begin[1] <= end[1] else (end, begin)
    rows = np.arange(int(upper[1]), min(len(crossed), int(np.ceil(lower[1]))))
    if not len(rows):
        return
    slope = (lower[0] - upper[0]) / (lower[1] - upper[1]) if lower[1] > upper[1] else 0.0
    least, most = sorted((upper[0], lower[0]))
    if slope:
        ends = [upper[0] + (np.clip(rows + step, upper[1], lower[1]) - upper[1]) * slope for step in (0, 1)]
        left, right = np.clip(np.minimum(*ends), least, most), np.clip(np.maximum(*ends), least, most)
    else:
        left, right = np.full(len(rows), least), np.full(len(rows), most)
    first = np.floor(left).astype(np.int64)
    behind = np.minimum(np.ceil(right).astype(np.int64), width)
    some = behind > first
    crossed[rows[some], first[some]] += 1
    crossed[rows[some], behind[some]] -= 1


def _chroma_of(luma: Covered, across: int, down: int) -> Covered:
    """The chroma samples of which any pixel is covered, and their neighbours, which a player mixes in at the edge."""
    height, width = -(-luma.shape[0] // down), -(-luma.shape[1] // across)
    whole = np.zeros((height * down, width * across), dtype=np.bool_)
    whole[: luma.shape[0], : luma.shape[1]] = luma
    samples = whole.reshape(height, down, width, across).any(axis=(1, 3))
    wider = np.pad(samples, 1)
    return np.asarray(np.logical_or.reduce([wider[y : y + height, x : x + width] for y in range(3) for x in range(3)]))


@dataclass(frozen=True, slots=True)
class _Stencil:
    """The covered part of one plane: the box around it, and which samples in that box."""

    rows: slice
    columns: slice
    samples: Covered

    @classmethod
    def of(cls, plane: Covered) -> "_Stencil":
        rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        if not len(rows):
            return cls(slice(0, 0), slice(0, 0), plane[:0, :0])
        box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        return cls(*box, plane[box].copy())


class MaskPainter:
    """Blackens the same masks in picture after picture."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._stencils: dict[tuple[int, int, str], tuple[_Stencil, _Stencil]] = {}

    def paint(self, frame: VideoFrame) -> VideoFrame:
        """The picture with its masks black; without masks the very picture. The decoder's own copy is left as it is."""
        if not self._masks:
            return frame
        if frame.format.name not in _SUBSAMPLING:
            pts = frame.pts
            frame = frame.reformat(format=_USUAL_FORMAT)
            frame.pts = pts
        frame.make_writable()  # later pictures are made of it: copied where the decoder still has it
        full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
        luma, chroma = self._stencils_for(frame)
        for number, plane in enumerate(frame.planes):
            stencil = chroma if number else luma
            samples = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
            dark = _NO_COLOUR if number else (_FULL_RANGE_BLACK if full else _BLACK)
            np.copyto(samples[stencil.rows, stencil.columns], dark, where=stencil.samples)
        return frame

    def _stencils_for(self, frame: VideoFrame) -> tuple[_Stencil, _Stencil]:
        key = (frame.width, frame.height, frame.format.name)
        if key not in self._stencils:
            self._stencils.clear()  # a stream keeps its size for long
            luma = covered(self._masks, frame.width, frame.height)
            chroma = _chroma_of(luma, *_SUBSAMPLING[frame.format.name])
            self._stencils[key] = (_Stencil.of(luma), _Stencil.of(chroma))
        return self._stencils[key]
