"""What stands between the packets of video in an RTSP connection: RTCP, other tracks, RTSP messages."""

from typing import Protocol

from xomyen.camera.errors import MalformedStream
from xomyen.camera.rtsp_message import Request, Response, parse_message


class ControlListener(Protocol):
    """Who takes what stands between the RTP packets."""

    def rtcp(self, packet: bytes) -> None: ...

    def rtsp(self, message: Request | Response) -> None: ...


def take_between(view: memoryview, pos: int, end: int, framing: int, video: int, listener: ControlListener) -> int:
    """Tells of the RTSP message or packet of another channel at `pos`; its length, 0 when it is not whole yet.

    `framing` are its first two bytes, `video` those of the video's RTP packets (RFC 2326 §10.12); its RTCP has the
    next channel. Raises MalformedStream when it is neither.
    """
    if framing >> 8 == 0x24:
        length = 4 + (view[pos + 2] << 8 | view[pos + 3])
        if pos + length > end:
            return 0
        if framing == video + 1:
            listener.rtcp(bytes(view[pos + 4 : pos + length]))
        return length
    if not 0x41 <= framing >> 8 <= 0x5A:
        raise MalformedStream("The camera sends bytes that are neither RTP nor RTSP.")
    found = parse_message(view[pos:end])
    if found is None:
        return 0
    listener.rtsp(found[0])
    return found[1]
