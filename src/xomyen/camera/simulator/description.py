"""What a simulated camera says of its streams (RFC 4566; RFC 6184 §8.2.1, RFC 7798 §7.2.1)."""

import base64

from xomyen.camera.simulator.channel import Channel
from xomyen.terms.words import VideoCodec

VIDEO_TRACK = "trackID=0"
AUDIO_TRACK = "trackID=1"
AUDIO_PAYLOAD_TYPE = 8  # PCMA, RFC 3551 §6


def sdp(channel: Channel, base: str, audio: bool, absolute: bool) -> str:
    """The session description; control addresses relative to `base`, or whole ones."""
    p = channel.packets.picturing
    prefix = base if absolute else ""
    sets = [base64.b64encode(n).decode() for n in channel.packets.parameter_sets]
    if p.codec is VideoCodec.H264:
        profile = channel.packets.parameter_sets[0][1:4].hex()
        encoding = "H264"
        fmtp = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
    else:
        encoding = "H265"
        fmtp = f"sprop-vps={sets[0]};sprop-sps={sets[1]};sprop-pps={sets[2]}"
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Simulated camera", "c=IN IP4 0.0.0.0", "t=0 0",
        f"a=control:{base.rstrip('/') if absolute else '*'}", "a=range:npt=now-",
        "m=video 0 RTP/AVP 96", f"b=AS:{p.bitrate // 1000}", f"a=rtpmap:96 {encoding}/90000", f"a=fmtp:96 {fmtp}",
        f"a=framerate:{p.fps}", f"a=control:{prefix}{VIDEO_TRACK}",
    ]  # fmt: skip
    if audio:
        lines += [
            f"m=audio 0 RTP/AVP {AUDIO_PAYLOAD_TYPE}", "a=rtpmap:8 PCMA/8000", f"a=control:{prefix}{AUDIO_TRACK}"
        ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
