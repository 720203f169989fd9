"""What playback can refuse.

XomyenError
├── Busy          as much is being decoded or read as the node allows
├── NotDecodable  the recorded pictures cannot be decoded
└── Unreadable    the disk does not give the footage
"""

from xomyen.terms.errors import XomyenError


class Busy(XomyenError):
    """Decoders, disks or downloads of the node are taken; `retry_after_s` seconds later it may work."""

    code = "busy"
    http_status = 503
    retry_after_s = 2


class NotDecodable(XomyenError):
    """The decoder makes no picture of what was recorded."""

    code = "not_decodable"
    http_status = 502


class Unreadable(XomyenError):
    """The disk that holds the footage cannot be read: unplugged, broken, or not mounted."""

    code = "unreadable"
    http_status = 503
    retry_after_s = 30
