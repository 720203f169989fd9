"""HLS media playlists (RFC 8216bis): whole groups of pictures as byte ranges of the recorded files."""

import math
from collections.abc import Callable, Sequence

from xomyen.playback.footage import Group
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND, format_utc

LONGEST_NS = 6 * 3600 * NS_PER_SECOND
# Groups shorter than this are joined: half-second segments break seeking in hls.js.
LEAST_TICKS = 2 * TICKS_PER_SECOND
MEDIA_TYPE = "application/vnd.apple.mpegurl"


def media_playlist(
    groups: Sequence[Group],
    ended: bool,
    playable: Callable[[Group], bool],
    prefix: str = "",
) -> str:
    """The playlist of these groups, by time.

    `ended` says that nothing will be added (ENDLIST). Groups that are not `playable` as recorded are named where
    they are re-encoded on demand. `prefix` stands before every address. Between runs, and where footage of a run
    was deleted, stands a discontinuity; each group carries the wall time of its first picture.
    """
    longest_ticks = max((group.duration for group in groups), default=LEAST_TICKS)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        # RFC 8216bis §4.4.3.1: no segment, rounded to the nearest second, is longer than this.
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest_ticks / TICKS_PER_SECOND))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
    ]
    before: Group | None = None
    for group in groups:
        as_is = playable(group)
        if before is None or before.segment.run != group.segment.run or before.end_dts != group.first_dts:
            if before is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f"#EXT-X-MAP:{_recorded_head(group, prefix) if as_is else _transcoded_head(group, prefix)}")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{format_utc(group.wall_ns)}")
        lines.append(f"#EXTINF:{group.duration / TICKS_PER_SECOND:.6f},")
        lines.append(_recorded_place(group, prefix) if as_is else _transcoded_place(group, prefix))
        before = group
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _recorded_head(group: Group, prefix: str) -> str:
    """The recorded file's own header as the initialisation section."""
    return f'URI="{prefix}segments/{group.segment.id}.mp4",BYTERANGE="{group.header_bytes}@0"'


def _recorded_place(group: Group, prefix: str) -> str:
    """The group's bytes in the recorded file."""
    return f"#EXT-X-BYTERANGE:{group.end - group.offset}@{group.offset}\n{prefix}segments/{group.segment.id}.mp4"


def _transcoded_head(group: Group, prefix: str) -> str:
    """A header made on demand; one serves the whole run."""
    return f'URI="{prefix}transcoded/{group.segment.id}/init.mp4"'


def _transcoded_place(group: Group, prefix: str) -> str:
    """The group re-encoded on demand, named by the bytes it is made from."""
    return f"{prefix}transcoded/{group.segment.id}/{group.offset}-{group.end}.m4s"
