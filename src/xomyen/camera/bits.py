"""Bits of a NAL unit: fixed-length and Exp-Golomb fields, emulation prevention removed."""

MAX_NAL_BYTES = 8192  # a parameter set is well under 1 KiB; more than this is not one


class BitstreamError(ValueError):
    """Bytes that are not the parameter set they claim to be; the message says which field."""


def unescape(nal: bytes) -> bytes:
    """The raw byte sequence payload of a NAL unit: 00 00 03 becomes 00 00 (H.264 §7.3.1, H.265 §7.3.1.1)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


class BitReader:
    """Reads fields from the most significant bit on; every read past the end raises BitstreamError."""

    __slots__ = ("_left", "_value")

    def __init__(self, nal: bytes, header_bytes: int) -> None:
        if len(nal) > MAX_NAL_BYTES:
            raise BitstreamError(f"parameter set of {len(nal)} bytes is longer than {MAX_NAL_BYTES}")
        payload = unescape(bytes(nal))[header_bytes:]
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    @property
    def left(self) -> int:
        """Bits not read yet, the trailing bits included."""
        return self._left

    def u(self, bits: int) -> int:
        """An unsigned field of so many bits: u(n)."""
        left = self._left - bits
        if left < 0:
            raise BitstreamError("parameter set is cut short")
        value = self._value >> left
        self._value -= value << left
        self._left = left
        return value

    def flag(self) -> bool:
        """One bit: u(1)."""
        return self.u(1) == 1

    def ue(self, name: str, most: int) -> int:
        """An unsigned Exp-Golomb field (H.264 §9.1, H.265 §9.2), refused above `most`."""
        zeros = self._left - self._value.bit_length()
        if zeros > 32 or 2 * zeros >= self._left:
            raise BitstreamError(f"{name}: parameter set is cut short")
        value = self.u(2 * zeros + 1) - 1
        if value > most:
            raise BitstreamError(f"{name} is {value}, more than {most}")
        return value

    def se(self, name: str, least: int, most: int) -> int:
        """A signed Exp-Golomb field (H.264 §9.1.1), refused outside `least`..`most`."""
        code = self.ue(name, (1 << 33) - 2)
        value = (code + 1) // 2 if code & 1 else -(code // 2)
        if not least <= value <= most:
            raise BitstreamError(f"{name} is {value}, outside {least}..{most}")
        return value
