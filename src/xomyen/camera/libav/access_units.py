"""A demuxer's packets as access units of a recording: 4-byte lengths, no delimiters."""

import struct

from xomyen.camera import h264, h265
from xomyen.camera.bits import BitstreamError
from xomyen.camera.codec_config import codec_config, length_size_of_record, parameter_sets_from_record, split_annex_b
from xomyen.camera.source import CodecConfig
from xomyen.terms.words import VideoCodec

_H264_SETS = frozenset({h264.NAL_SPS, h264.NAL_PPS})
_H265_SETS = frozenset({h265.NAL_VPS, h265.NAL_SPS, h265.NAL_PPS})


class AccessUnitFormer:
    """Rewrites packets of one stream and keeps its codec configuration up to date.

    `extradata` is what the container says before the first packet: an avcC or hvcC record when packets hold
    NAL units behind lengths, parameter sets as a byte stream (or nothing) when they hold start codes.
    Raises BitstreamError when the record cannot be read.
    """

    def __init__(self, codec: VideoCodec, extradata: bytes) -> None:
        self.codec = codec
        self.config: CodecConfig | None = None
        self.changed = False  # set when `config` became another one; the reader clears it
        self._length_size = 0  # 0: start codes
        # A record starts with its version, 1; a byte stream with zeros.
        if extradata[:1] == b"\x01":
            self._length_size = length_size_of_record(codec, extradata)
            self._take_sets(list(parameter_sets_from_record(codec, extradata)))
        elif extradata:
            self._take_sets([nal for nal in split_annex_b(extradata) if self._is_set(nal)])

    def form(self, packet: bytes) -> tuple[bytes, bool]:
        """One packet as (access unit, whether it is a random access point); empty when nothing is left of it.

        Raises BitstreamError when the lengths of its NAL units do not fit into it.
        """
        nals = self._split(packet)
        sets: list[bytes] = []
        kept: list[bytes] = []
        key = False
        for nal in nals:
            if self.codec is VideoCodec.H264:
                kind = nal[0] & 0x1F
                key |= kind == h264.NAL_IDR
                is_set, delimiter = kind in _H264_SETS, kind == h264.NAL_AUD
            else:
                kind = h265.nal_type(nal)
                key |= h265.NAL_BLA_W_LP <= kind <= h265.NAL_RSV_IRAP_VCL23
                is_set, delimiter = kind in _H265_SETS, kind == h265.NAL_AUD
            if is_set:
                sets.append(nal)
            if not delimiter:
                kept.append(struct.pack(">I", len(nal)))
                kept.append(nal)
        if sets:
            self._take_sets(sets)
        if 2 * len(sets) == len(kept):
            return b"", False
        return b"".join(kept), key

    def _split(self, packet: bytes) -> list[bytes]:
        if not self._length_size or packet.startswith((b"\x00\x00\x00\x01\x09", b"\x00\x00\x00\x01\x46")):
            return split_annex_b(packet)
        nals = []
        at, size = 0, self._length_size
        while at + size <= len(packet):
            end = at + size + int.from_bytes(packet[at : at + size], "big")
            if end > len(packet):
                raise BitstreamError("a NAL unit is longer than its packet")
            if end > at + size:
                nals.append(packet[at + size : end])
            at = end
        return nals

    def _is_set(self, nal: bytes) -> bool:
        if self.codec is VideoCodec.H264:
            return nal[0] & 0x1F in _H264_SETS
        return h265.nal_type(nal) in _H265_SETS

    def _take_sets(self, sets: list[bytes]) -> None:
        """A configuration from the sets known and these; damaged ones (over UDP) leave the old one in force."""
        known = self.config.parameter_sets if self.config else ()
        if all(nal in known for nal in sets):
            return
        try:
            config = codec_config(self.codec, (*known, *sets))
        except BitstreamError:
            return
        if self.config is None or config.sample_entry != self.config.sample_entry:
            self.config = config
            self.changed = True
