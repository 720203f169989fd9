"""One keyframe as it came from a camera, as JPEG; only the process that decodes loads what decodes."""


def keyframe_picture(sample_entry: bytes, unit: bytes, width: int) -> bytes:
    """JPEG, at most `width` pixels wide; for a DecoderPool. Raises NotDecodable."""
    from xomyen.playback.decode import picture_of_keyframe

    return picture_of_keyframe(sample_entry, unit, width)
