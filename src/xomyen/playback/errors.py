"""What playback can refuse.

XomyenError
├── Busy          as many pictures are being decoded as the node allows
└── NotDecodable  the recorded pictures cannot be decoded
"""

from xomyen.terms.errors import XomyenError


class Busy(XomyenError):
    """All decoders of the node are taken; later it may work."""

    code = "busy"
    http_status = 503


class NotDecodable(XomyenError):
    """The decoder makes no picture of what was recorded."""

    code = "not_decodable"
    http_status = 502
