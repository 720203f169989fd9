"""Video, sequence and picture parameter sets of H.265 (ITU-T H.265 §7.3.2, Annex E)."""

from dataclasses import dataclass
from fractions import Fraction

from xomyen.camera.bits import BitReader, BitstreamError
from xomyen.camera.vui import Colour, cropped, read_colour, read_rate, read_ratio

NAL_BLA_W_LP = 16
NAL_RSV_IRAP_VCL23 = 23  # 16..23 are the random access points
NAL_VPS = 32
NAL_SPS = 33
NAL_PPS = 34
NAL_AUD = 35


@dataclass(frozen=True, slots=True)
class ProfileTierLevel:
    """The general part of profile_tier_level() (§7.3.3), as the configuration record wants it."""

    profile_space: int
    tier: int
    profile: int
    compatibility: int  # 32 flags, general_profile_compatibility_flag[0] highest
    constraints: int  # 48 bits, from general_progressive_source_flag on
    level: int  # 30 times the level number


@dataclass(frozen=True, slots=True)
class H265Vui:
    """Video usability information (§E.2.1), as far as it matters outside a decoder."""

    ratio: tuple[int, int] | None
    colour: Colour | None
    frame_rate: Fraction | None  # pictures per second
    min_spatial_segmentation: int


@dataclass(frozen=True, slots=True)
class H265Vps:
    """The head of a video parameter set."""

    id: int
    sub_layers: int
    temporal_id_nesting: bool
    profile_tier_level: ProfileTierLevel


@dataclass(frozen=True, slots=True)
class H265Sps:
    """A sequence parameter set."""

    id: int
    vps_id: int
    sub_layers: int
    temporal_id_nesting: bool
    profile_tier_level: ProfileTierLevel
    chroma_format: int  # 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4
    separate_colour_planes: bool
    bit_depth_luma: int
    bit_depth_chroma: int
    log2_max_pic_order_cnt_lsb: int
    width: int  # pixels, after the conformance window
    height: int
    max_reorder: int  # sps_max_num_reorder_pics of the highest sub-layer
    vui: H265Vui | None


@dataclass(frozen=True, slots=True)
class H265Pps:
    """The ids of a picture parameter set, and by which tools its pictures may be decoded in parallel."""

    id: int
    sps_id: int
    tiles: bool
    entropy_coding_sync: bool


def nal_type(nal: bytes) -> int:
    """nal_unit_type from the first header byte (§7.3.1.2)."""
    return nal[0] >> 1 & 0x3F


def parse_vps(nal: bytes) -> H265Vps:
    """Reads the head of a VPS NAL unit. Raises BitstreamError on anything else."""
    bits = _open(nal, NAL_VPS, "video")
    vps_id = bits.u(4)
    bits.u(2)  # vps_base_layer_internal_flag, vps_base_layer_available_flag
    bits.u(6)  # vps_max_layers_minus1
    sub_layers = _sub_layers(bits)
    nesting = bits.flag()
    if bits.u(16) != 0xFFFF:
        raise BitstreamError("vps_reserved_0xffff_16bits is not ffff")
    return H265Vps(vps_id, sub_layers, nesting, _read_profile(bits, sub_layers))


def parse_sps(nal: bytes) -> H265Sps:
    """Reads an SPS NAL unit (with its two header bytes). Raises BitstreamError on anything else."""
    bits = _open(nal, NAL_SPS, "sequence")
    vps_id = bits.u(4)
    sub_layers = _sub_layers(bits)
    nesting = bits.flag()
    profile = _read_profile(bits, sub_layers)
    sps_id = bits.ue("sps_seq_parameter_set_id", 15)
    chroma = bits.ue("chroma_format_idc", 3)
    separate = chroma == 3 and bits.flag()
    width = bits.ue("pic_width_in_luma_samples", 0x1FFFF)
    height = bits.ue("pic_height_in_luma_samples", 0x1FFFF)
    crop = (0, 0, 0, 0)
    if bits.flag():
        crop = (_crop(bits), _crop(bits), _crop(bits), _crop(bits))
    depth_luma = 8 + bits.ue("bit_depth_luma_minus8", 8)
    depth_chroma = 8 + bits.ue("bit_depth_chroma_minus8", 8)
    log2_lsb = 4 + bits.ue("log2_max_pic_order_cnt_lsb_minus4", 12)
    reorder = 0
    for _ in range(sub_layers if bits.flag() else 1):
        bits.ue("sps_max_dec_pic_buffering_minus1", 15)
        reorder = bits.ue("sps_max_num_reorder_pics", 15)
        bits.ue("sps_max_latency_increase_plus1", (1 << 32) - 2)
    unit_x = 2 if chroma in (1, 2) and not separate else 1  # SubWidthC, SubHeightC (Table 6-1)
    unit_y = 2 if chroma == 1 and not separate else 1
    return H265Sps(
        id=sps_id,
        vps_id=vps_id,
        sub_layers=sub_layers,
        temporal_id_nesting=nesting,
        profile_tier_level=profile,
        chroma_format=chroma,
        separate_colour_planes=separate,
        bit_depth_luma=depth_luma,
        bit_depth_chroma=depth_chroma,
        log2_max_pic_order_cnt_lsb=log2_lsb,
        width=cropped(width, unit_x, crop[0], crop[1], "width"),
        height=cropped(height, unit_y, crop[2], crop[3], "height"),
        max_reorder=reorder,
        vui=_read_rest(bits, log2_lsb, chroma, sub_layers),
    )


def parse_pps(nal: bytes) -> H265Pps:
    """Reads the part of a PPS NAL unit that matters here. Raises BitstreamError on anything else."""
    bits = _open(nal, NAL_PPS, "picture")
    pps_id = bits.ue("pps_pic_parameter_set_id", 63)
    sps_id = bits.ue("pps_seq_parameter_set_id", 15)
    bits.u(7)  # dependent_slice_segments … cabac_init_present_flag
    bits.ue("num_ref_idx_l0_default_active_minus1", 14)
    bits.ue("num_ref_idx_l1_default_active_minus1", 14)
    bits.se("init_qp_minus26", -74, 25)
    bits.u(2)  # constrained_intra_pred_flag, transform_skip_enabled_flag
    if bits.flag():
        bits.ue("diff_cu_qp_delta_depth", 6)
    bits.se("pps_cb_qp_offset", -12, 12)
    bits.se("pps_cr_qp_offset", -12, 12)
    bits.u(4)  # slice chroma offsets present, weighted prediction twice, transquant bypass
    return H265Pps(pps_id, sps_id, bits.flag(), bits.flag())


def _open(nal: bytes, wanted: int, name: str) -> BitReader:
    if len(nal) < 3 or nal[0] & 0x80 or nal_type(nal) != wanted:
        raise BitstreamError(f"not an H.265 {name} parameter set")
    return BitReader(nal, 2)


def _crop(bits: BitReader) -> int:
    return bits.ue("conf_win_offset", 0xFFFF)


def _sub_layers(bits: BitReader) -> int:
    layers = 1 + bits.u(3)
    if layers > 7:
        raise BitstreamError("max_sub_layers_minus1 is 7")
    return layers


def _read_profile(bits: BitReader, sub_layers: int) -> ProfileTierLevel:
    """profile_tier_level(1, sub_layers - 1)."""
    general = ProfileTierLevel(bits.u(2), bits.u(1), bits.u(5), bits.u(32), bits.u(48), bits.u(8))
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers - 1)]
    if sub_layers > 1:
        bits.u(2 * (8 - (sub_layers - 1)))  # reserved_zero_2bits
    for has_profile, has_level in present:
        bits.u(88 * has_profile + 8 * has_level)
    return general


def _read_rest(bits: BitReader, log2_lsb: int, chroma: int, sub_layers: int) -> H265Vui | None:
    """From the coding block sizes to the end; None without VUI or when the rest cannot be read.

    Nothing before the VUI is needed outside a decoder, and decoders live with a broken VUI as well.
    """
    try:
        for name in ("log2_min_luma_coding_block_size_minus3", "log2_diff_max_min_luma_coding_block_size"):
            bits.ue(name, 3)
        for name in ("log2_min_luma_transform_block_size_minus2", "log2_diff_max_min_luma_transform_block_size"):
            bits.ue(name, 3)
        for name in ("max_transform_hierarchy_depth_inter", "max_transform_hierarchy_depth_intra"):
            bits.ue(name, 4)
        if bits.flag() and bits.flag():
            _skip_scaling_lists(bits, chroma)
        bits.u(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if bits.flag():
            bits.u(8)  # bit depths of pulse-code modulated samples
            bits.ue("log2_min_pcm_luma_coding_block_size_minus3", 2)
            bits.ue("log2_diff_max_min_pcm_luma_coding_block_size", 2)
            bits.flag()  # pcm_loop_filter_disabled_flag
        _skip_reference_sets(bits)
        if bits.flag():
            for _ in range(bits.ue("num_long_term_ref_pics_sps", 32)):
                bits.u(log2_lsb + 1)
        bits.u(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        return _read_vui(bits, sub_layers) if bits.flag() else None
    except BitstreamError:
        return None


def _skip_scaling_lists(bits: BitReader, chroma: int) -> None:
    """scaling_list_data() (§7.3.4)."""
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not bits.flag():
                bits.ue("scaling_list_pred_matrix_id_delta", 5)
                continue
            if size > 1:
                bits.se("scaling_list_dc_coef_minus8", -7, 247)
            for _ in range(min(64, 16 << 2 * size)):
                bits.se("scaling_list_delta_coef", -128, 127)


def _skip_reference_sets(bits: BitReader) -> None:
    """All st_ref_pic_set() of the SPS (§7.3.7); only how many pictures each has matters for going on."""
    pictures = 0
    for index in range(bits.ue("num_short_term_ref_pic_sets", 64)):
        if index and bits.flag():
            bits.flag()  # delta_rps_sign
            bits.ue("abs_delta_rps_minus1", 0x7FFF)
            kept = 0
            for _ in range(pictures + 1):
                used = bits.flag()
                if used or bits.flag():  # used_by_curr_pic_flag, else use_delta_flag
                    kept += 1
            pictures = kept
        else:
            negative, positive = bits.ue("num_negative_pics", 16), bits.ue("num_positive_pics", 16)
            pictures = negative + positive
            for _ in range(pictures):
                bits.ue("delta_poc_minus1", 0x7FFF)
                bits.flag()  # used_by_curr_pic_flag


def _read_vui(bits: BitReader, sub_layers: int) -> H265Vui:
    """vui_parameters() (§E.2.1)."""
    ratio = read_ratio(bits) if bits.flag() else None
    if bits.flag():
        bits.flag()  # overscan_appropriate_flag
    colour = read_colour(bits) if bits.flag() else None
    if bits.flag():
        bits.ue("chroma_sample_loc_type_top_field", 5)
        bits.ue("chroma_sample_loc_type_bottom_field", 5)
    bits.u(3)  # neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag():
        for _ in range(4):
            bits.ue("def_disp_win_offset", 0xFFFF)
    rate = None
    if bits.flag():
        rate = read_rate(bits, 1)
        if bits.flag():
            bits.ue("vui_num_ticks_poc_diff_one_minus1", (1 << 32) - 2)
        if bits.flag():
            _skip_hrd(bits, sub_layers)
    segmentation = 0
    if bits.flag():
        bits.u(3)  # tiles_fixed_structure_flag … restricted_ref_pic_lists_flag
        segmentation = bits.ue("min_spatial_segmentation_idc", 4095)
    return H265Vui(ratio, colour, rate, segmentation)


def _skip_hrd(bits: BitReader, sub_layers: int) -> None:
    """hrd_parameters(1, sub_layers - 1) (§E.2.2)."""
    nal, vcl = bits.flag(), bits.flag()
    sub_pictures = False
    if nal or vcl:
        sub_pictures = bits.flag()
        if sub_pictures:
            bits.u(19)
        bits.u(8)
        if sub_pictures:
            bits.u(4)
        bits.u(15)
    for _ in range(sub_layers):
        fixed_general = bits.flag()
        fixed = fixed_general or bits.flag()
        low_delay = False
        if fixed:
            bits.ue("elemental_duration_in_tc_minus1", 2047)
        else:
            low_delay = bits.flag()
        count = 1 if low_delay else 1 + bits.ue("cpb_cnt_minus1", 31)
        for _ in range(count * (nal + vcl)):
            for _ in range(4 if sub_pictures else 2):
                bits.ue("sub_layer_hrd_value", (1 << 32) - 2)
            bits.flag()  # cbr_flag
