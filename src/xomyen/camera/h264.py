"""Sequence and picture parameter sets of H.264 (ITU-T H.264 §7.3.2, Annex A, Annex E)."""

from dataclasses import dataclass
from fractions import Fraction

from xomyen.camera.bits import BitReader, BitstreamError
from xomyen.camera.vui import Colour, cropped, read_colour, read_rate, read_ratio

NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
NAL_AUD = 9

# Profiles whose SPS carries chroma format, bit depths and scaling lists (§7.3.2.1.1).
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
# Profiles that promise no reordering when constraint_set3_flag is set (§E.2.1, max_num_reorder_frames).
_INTRA_PROFILES = frozenset({44, 86, 100, 110, 122, 244})
_BASELINE = 66
# MaxDpbMbs by level_idc (Table A-1); level 1b is 9 or 11 with constraint_set3_flag.
_MAX_DPB_MBS = {
    9: 396, 10: 396, 11: 900, 12: 2376, 13: 2376, 20: 2376, 21: 4752, 22: 8100, 30: 8100, 31: 18000,
    32: 20480, 40: 32768, 41: 32768, 42: 34816, 50: 110400, 51: 184320, 52: 184320,
    60: 696320, 61: 696320, 62: 696320,
}  # fmt: skip
_MAX_CPB_COUNT = 32


@dataclass(frozen=True, slots=True)
class H264Vui:
    """Video usability information (§E.1.1), as far as it matters outside a decoder."""

    ratio: tuple[int, int] | None
    colour: Colour | None
    frame_rate: Fraction | None  # frames per second
    max_reorder: int | None  # max_num_reorder_frames; None without bitstream_restriction


@dataclass(frozen=True, slots=True)
class H264Sps:
    """A sequence parameter set."""

    id: int
    profile: int
    constraints: int  # the byte with constraint_set0_flag as its highest bit
    level: int
    chroma_format: int  # 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4
    bit_depth_luma: int
    bit_depth_chroma: int
    separate_colour_planes: bool
    log2_max_frame_num: int
    pic_order_cnt_type: int
    log2_max_pic_order_cnt_lsb: int  # 0 unless pic_order_cnt_type is 0
    max_num_ref_frames: int
    frame_mbs_only: bool
    width: int  # pixels, after cropping
    height: int
    coded_macroblocks: int
    vui: H264Vui | None

    @property
    def max_reorder(self) -> int:
        """Frames that may precede one in decoding order and follow it in output order.

        As the stream declares it (max_num_reorder_frames), else the value §E.2.1 infers: all that the level's
        decoded picture buffer (§A.3.1 h) holds. That bound would hold back pictures of the many cameras that
        declare nothing and never reorder, so three forms that leave no room for B-frames count as 0: output
        order tied to decoding order (type 2), Baseline (no B slices, §A.2.1), and at most one reference frame.
        """
        if self.vui is not None and self.vui.max_reorder is not None:
            return self.vui.max_reorder
        if self.pic_order_cnt_type == 2 or self.profile == _BASELINE or self.max_num_ref_frames <= 1:
            return 0
        if self.profile in _INTRA_PROFILES and self.constraints & 0x10:
            return 0
        level = 9 if self.level == 11 and self.constraints & 0x10 and self.profile in (66, 77, 88) else self.level
        return min(_MAX_DPB_MBS.get(level, 184320) // self.coded_macroblocks, 16)


@dataclass(frozen=True, slots=True)
class H264Pps:
    """The ids of a picture parameter set."""

    id: int
    sps_id: int


def parse_sps(nal: bytes) -> H264Sps:
    """Reads an SPS NAL unit (with its header byte). Raises BitstreamError on anything else."""
    if len(nal) < 4 or nal[0] & 0x9F != NAL_SPS:
        raise BitstreamError("not an H.264 sequence parameter set")
    bits = BitReader(nal, 1)
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    sps_id = bits.ue("seq_parameter_set_id", 31)
    chroma, depth_luma, depth_chroma, separate = 1, 8, 8, False
    if profile in HIGH_PROFILES:
        chroma = bits.ue("chroma_format_idc", 3)
        separate = chroma == 3 and bits.flag()
        depth_luma = 8 + bits.ue("bit_depth_luma_minus8", 6)
        depth_chroma = 8 + bits.ue("bit_depth_chroma_minus8", 6)
        bits.flag()  # qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            _skip_scaling_matrix(bits, 8 if chroma != 3 else 12)
    log2_frame_num = 4 + bits.ue("log2_max_frame_num_minus4", 12)
    order_type, log2_lsb = _read_order_count(bits)
    ref_frames = bits.ue("max_num_ref_frames", 16)
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width_mbs = 1 + bits.ue("pic_width_in_mbs_minus1", 4095)
    height_units = 1 + bits.ue("pic_height_in_map_units_minus1", 4095)
    frame_mbs_only = bits.flag()
    if not frame_mbs_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    bits.flag()  # direct_8x8_inference_flag
    crop = (0, 0, 0, 0)
    if bits.flag():
        crop = (_crop(bits), _crop(bits), _crop(bits), _crop(bits))
    vui = _read_vui(bits) if bits.flag() else None
    fields = 1 if frame_mbs_only else 2
    # CropUnitX and CropUnitY (§7.4.2.1.1) depend on chroma subsampling and on fields.
    unit_x = 2 if chroma in (1, 2) and not separate else 1
    unit_y = fields * (2 if chroma == 1 and not separate else 1)
    return H264Sps(
        id=sps_id,
        profile=profile,
        constraints=constraints,
        level=level,
        chroma_format=chroma,
        bit_depth_luma=depth_luma,
        bit_depth_chroma=depth_chroma,
        separate_colour_planes=separate,
        log2_max_frame_num=log2_frame_num,
        pic_order_cnt_type=order_type,
        log2_max_pic_order_cnt_lsb=log2_lsb,
        max_num_ref_frames=ref_frames,
        frame_mbs_only=frame_mbs_only,
        width=cropped(16 * width_mbs, unit_x, crop[0], crop[1], "width"),
        height=cropped(16 * height_units * fields, unit_y, crop[2], crop[3], "height"),
        coded_macroblocks=width_mbs * height_units * fields,
        vui=vui,
    )


def parse_pps(nal: bytes) -> H264Pps:
    """Reads the ids of a PPS NAL unit (with its header byte). Raises BitstreamError on anything else."""
    if len(nal) < 2 or nal[0] & 0x9F != NAL_PPS:
        raise BitstreamError("not an H.264 picture parameter set")
    bits = BitReader(nal, 1)
    return H264Pps(bits.ue("pic_parameter_set_id", 255), bits.ue("seq_parameter_set_id", 31))


def _crop(bits: BitReader) -> int:
    return bits.ue("frame_crop_offset", 0xFFFF)


def _read_order_count(bits: BitReader) -> tuple[int, int]:
    """pic_order_cnt_type and log2 of MaxPicOrderCntLsb; the cycle of type 1 is skipped."""
    order_type = bits.ue("pic_order_cnt_type", 2)
    if order_type == 0:
        return order_type, 4 + bits.ue("log2_max_pic_order_cnt_lsb_minus4", 12)
    if order_type == 1:
        bits.flag()  # delta_pic_order_always_zero_flag
        for name in ("offset_for_non_ref_pic", "offset_for_top_to_bottom_field"):
            bits.se(name, -(1 << 31), (1 << 31) - 1)
        for _ in range(bits.ue("num_ref_frames_in_pic_order_cnt_cycle", 255)):
            bits.se("offset_for_ref_frame", -(1 << 31), (1 << 31) - 1)
    return order_type, 0


def _skip_scaling_matrix(bits: BitReader, lists: int) -> None:
    """scaling_list() for each list present (§7.3.2.1.1.1)."""
    for index in range(lists):
        if not bits.flag():
            continue
        last, following = 8, 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se("delta_scale", -128, 127)) % 256
            last = following or last


def _read_vui(bits: BitReader) -> H264Vui | None:
    """Video usability information, or None: some cameras cut it short, and pictures decode without it."""
    try:
        ratio = read_ratio(bits) if bits.flag() else None
        if bits.flag():
            bits.flag()  # overscan_appropriate_flag
        colour = read_colour(bits) if bits.flag() else None
        if bits.flag():
            bits.ue("chroma_sample_loc_type_top_field", 5)
            bits.ue("chroma_sample_loc_type_bottom_field", 5)
        rate = None
        if bits.flag():
            rate = read_rate(bits, 2)  # a tick is a field (§E.2.1, time_scale)
            bits.flag()  # fixed_frame_rate_flag
        nal_hrd = bits.flag()
        if nal_hrd:
            _skip_hrd(bits)
        vcl_hrd = bits.flag()
        if vcl_hrd:
            _skip_hrd(bits)
        if nal_hrd or vcl_hrd:
            bits.flag()  # low_delay_hrd_flag
        bits.flag()  # pic_struct_present_flag
        reorder = None
        if bits.flag():
            bits.flag()  # motion_vectors_over_pic_boundaries_flag
            for name in ("max_bytes_per_pic_denom", "max_bits_per_mb_denom"):
                bits.ue(name, 16)
            for name in ("log2_max_mv_length_horizontal", "log2_max_mv_length_vertical"):
                bits.ue(name, 32)
            reorder = bits.ue("max_num_reorder_frames", 16)
            bits.ue("max_dec_frame_buffering", 16)
    except BitstreamError:
        return None
    return H264Vui(ratio, colour, rate, reorder)


def _skip_hrd(bits: BitReader) -> None:
    """hrd_parameters() (§E.1.2)."""
    count = 1 + bits.ue("cpb_cnt_minus1", _MAX_CPB_COUNT - 1)
    bits.u(8)  # bit_rate_scale, cpb_size_scale
    for _ in range(count):
        bits.ue("bit_rate_value_minus1", (1 << 32) - 2)
        bits.ue("cpb_size_value_minus1", (1 << 32) - 2)
        bits.flag()  # cbr_flag
    bits.u(20)  # four lengths of 5 bits
