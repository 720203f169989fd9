"""The transcoder's process: recorded fragments in on standard input, H.264 fragments out, one for one."""

import json
import sys
from typing import BinaryIO

import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from xomyen.playback.decode import decoder_for, packet_of
from xomyen.playback.encode import Coded, FragmentEncoder
from xomyen.playback.mask_paint import MaskPainter
from xomyen.playback.masks import Masks, read_masks
from xomyen.playback.sample import Sample
from xomyen.playback.transcode_pipe import FRAME
from xomyen.recording.mp4 import parse_header
from xomyen.recording.segment_file import Fragment, samples_of
from xomyen.terms.niceness import give_way
from xomyen.terms.time import ticks_to_ns


class Transcoder:
    """Decoder and encoder of one run after the other."""

    def __init__(self, output: BinaryIO, masks: Masks) -> None:
        self._output = output
        self._painter = MaskPainter(masks)
        self._decoder: VideoCodecContext | None = None
        self._encoder = FragmentEncoder()
        self._told = False
        self._keys: set[int] = set()
        self._wall_offset_ns = 0  # wall time minus presentation time
        self._begun = False

    def header(self, data: bytes) -> None:
        """A run begins."""
        self._decoder = decoder_for(parse_header(data).sample_entry)
        self._encoder = FragmentEncoder()
        self._told = False
        self._begun = False
        self._keys.clear()

    def fragment(self, key: bool, wall_ns: int, data: bytes) -> None:
        """Decodes the fragment's pictures and gives out those that are ready."""
        if self._decoder is None or (key is False and not self._begun):
            return
        self._begun = True
        table = samples_of(data, Fragment(0, len(data), 0, 0, key, 0))
        self._wall_offset_ns = wall_ns - ticks_to_ns(min(table.pts))
        ready: list[Coded] = []
        for row in zip(table.offsets, table.sizes, table.dts, table.pts, table.keys, strict=True):
            sample = Sample(*row)
            if sample.key:
                self._keys = {sample.pts}
            try:
                frames = self._decoder.decode(packet_of(data[sample.offset : sample.offset + sample.size], sample))
            except av.error.FFmpegError:
                continue
            for frame in frames:
                ready += self._picture(frame)
        self._send(ready)

    def _picture(self, frame: VideoFrame) -> list[Coded]:
        if frame.pts is None:
            return []
        key = not self._told or frame.pts in self._keys
        coded = self._encoder.encode(self._painter.paint(frame), key)
        if not self._told:
            config = self._encoder.config
            said = {"codec_string": config.codec_string, "width": config.width, "height": config.height}
            self._write(0, 0, json.dumps(said).encode() + b"\n" + self._encoder.header)
            self._told = True
        return coded

    def _send(self, pictures: list[Coded]) -> None:
        begin = 0
        for number in range(1, len(pictures) + 1):
            if number == len(pictures) or pictures[number].key:
                group = pictures[begin:number]
                end_pts = pictures[number].pts if number < len(pictures) else None
                wall_ns = self._wall_offset_ns + ticks_to_ns(group[0].pts)
                self._write(2 if group[0].key else 1, wall_ns, self._encoder.fragment(group, end_pts))
                begin = number
        self._output.flush()

    def _write(self, kind: int, wall_ns: int, data: bytes) -> None:
        self._output.write(FRAME.pack(kind, wall_ns, len(data)) + data)


def main() -> None:
    """Until standard input ends. The masks to burn in are the one argument, as `write_masks` writes them."""
    give_way()
    transcoder = Transcoder(sys.stdout.buffer, read_masks(sys.argv[1]))
    source = sys.stdin.buffer
    while len(head := source.read(FRAME.size)) == FRAME.size:
        kind, wall_ns, length = FRAME.unpack(head)
        data = source.read(length)
        if len(data) < length:
            return
        if kind == 0:
            transcoder.header(data)
        else:
            transcoder.fragment(kind == 2, wall_ns, data)


if __name__ == "__main__":
    main()
