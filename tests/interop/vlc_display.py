"""Plays a file with VLC's library as it comes and prints the number of each picture that VLC displays, one a line.

vlc_display.py FILE. The pictures are those of tests/numbered_footage.py.
"""

import ctypes
import sys
import threading

import numpy as np
from tests.numbered_footage import HEIGHT, WIDTH, read_number

END_REACHED = 265  # libvlc_MediaPlayerEndReached
LOCK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
UNLOCK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
DISPLAY = EVENT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def main(path: str) -> None:
    vlc = ctypes.CDLL("libvlc.so.5")
    for name in ("new", "media_new_path", "media_player_new_from_media", "media_player_event_manager"):
        getattr(vlc, f"libvlc_{name}").restype = ctypes.c_void_p
    options = (ctypes.c_char_p * 3)(b"--quiet", b"--no-audio", b"--intf=dummy")
    library = ctypes.c_void_p(vlc.libvlc_new(len(options), options))
    media = ctypes.c_void_p(vlc.libvlc_media_new_path(library, path.encode()))
    player = ctypes.c_void_p(vlc.libvlc_media_player_new_from_media(media))
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    seen: list[int] = []
    ended = threading.Event()

    def lock(_: object, planes: "ctypes._Pointer[ctypes.c_void_p]") -> None:
        planes[0] = picture.ctypes.data

    called = (
        LOCK(lock),
        UNLOCK(lambda *_: None),
        DISPLAY(lambda *_: seen.append(read_number(picture[..., :3]))),
        EVENT(lambda *_: ended.set()),
    )
    vlc.libvlc_video_set_callbacks(player, *called[:3], None)
    vlc.libvlc_video_set_format(player, b"RV32", WIDTH, HEIGHT, WIDTH * 4)
    events = ctypes.c_void_p(vlc.libvlc_media_player_event_manager(player))
    vlc.libvlc_event_attach(events, END_REACHED, called[3], None)
    vlc.libvlc_media_player_play(player)
    ended.wait(60)
    vlc.libvlc_media_player_stop(player)
    print(*seen, sep="\n")


main(sys.argv[1])
