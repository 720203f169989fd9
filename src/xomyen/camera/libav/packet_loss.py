"""Lost RTP packets, which libavformat tells only in its log: counted for the thread that reads, nothing else is kept.

Its demuxer writes a message for each gap in the sequence numbers that no late packet filled (FFmpeg,
libavformat/rtpdec.c), in the thread that asked for the next packet. A message costs its thread Python's lock for some
microseconds; there are at most a few for each packet that is missing or late, and none for one that comes in order.
"""

import logging
import re
import threading

import av.logging

from xomyen.camera.rtp import MAX_DROPOUT

_MISSED = re.compile(r"RTP: missed (\d{1,5}) packets")
_ABOVE_ALL = logging.CRITICAL + 1


class LostPackets:
    """RTP packets that never came, of all that one thread reads."""

    def __init__(self) -> None:
        self.total = 0  # written by that thread alone

    def count_here(self) -> None:
        """From now on what this thread misses counts here."""
        _this_thread.counter = self


class _ThisThread(threading.local):
    counter: LostPackets | None = None


_this_thread = _ThisThread()


def listen_to_libav() -> None:
    """Once in a process: losses are counted, and libav's messages, which quote URLs, go no further than here."""
    logging.getLogger("libav").setLevel(_ABOVE_ALL)
    # The demuxer's name. Records are judged by the logger they are given to, so this level goes for it alone.
    rtsp = logging.getLogger("libav.rtsp")
    rtsp.setLevel(logging.WARNING)
    rtsp.addFilter(_count)
    # Else a message that equals the one before would be left out, whichever camera's thread that was.
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.WARNING)


def _count(record: logging.LogRecord) -> bool:
    """Lets no record pass."""
    missed = _MISSED.match(str(record.msg))
    counter = _this_thread.counter
    if missed and counter is not None:
        # libavformat says one too few, and so perhaps none, when the 16-bit number wrapped within the gap.
        packets = max(int(missed[1]), 1)
        counter.total += packets if packets < MAX_DROPOUT else 1
    return False
