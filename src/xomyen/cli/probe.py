"""`xomyen camera probe`."""

import logging
from pathlib import Path
from typing import Annotated

import structlog
import typer

from xomyen.camera.probe import KEYFRAME_S, MEASURE_S, ProbeResult, probe
from xomyen.cli.cameras import read_password, take_credentials_out
from xomyen.cli.common import Json, finish, print_json
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import VideoCodec

_CODEC_NAMES = {VideoCodec.H264: "H.264", VideoCodec.H265: "H.265"}


def register(app: typer.Typer, camera: typer.Typer) -> None:
    """Adds the command."""
    camera.command("probe")(probe_camera)


def probe_camera(
    url: Annotated[str, typer.Argument(help="rtsp://, rtsps://, rtsp+udp://, rtmp://, http(s)://, file://")],
    user: Annotated[str | None, typer.Option("--user", help="User name at the camera.", show_default=False)] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File with the password at the camera; - reads it from the input."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=300, help="How long to measure.")] = MEASURE_S,
    keyframe: Annotated[
        float, typer.Option("--keyframe-within", min=1, max=300, help="Seconds to wait for a keyframe.")
    ] = KEYFRAME_S,
    as_json: Json = False,
) -> None:
    """Say what a camera sends, or in one line what is wrong with it.

    Exit codes: 21 connection refused, 22 no route or unknown name, 23 wrong user or password, 24 no such stream,
    25 the port does not speak RTSP, 26 codec not supported, 27 no keyframe, 28 no answer, 29 busy, 30 garbage,
    31 to 34 other refusals; 2 for an address that is none.

    Example: xomyen camera probe rtsp://192.168.1.20/stream1 --user admin --password-file camera.txt
    """
    address = take_credentials_out(url)
    name = user if user is not None else address.user
    password = read_password(password_file, user, address.password)
    # The source's own log would stand between the lines; what matters is in the result or the error.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    result = finish(probe(address.url, name, password, measure_s=seconds, keyframe_s=keyframe))
    if as_json:
        print_json(result.as_dict())
    else:
        _show(result)


def _show(result: ProbeResult) -> None:
    rows = [
        ("codec", f"{_CODEC_NAMES[result.codec]} ({result.codec_string}){', B-frames' if result.b_frames else ''}"),
        ("picture", f"{result.width} × {result.height}"),
        ("frame rate", "unknown" if result.frame_rate is None else f"{result.frame_rate:g} a second"),
        ("GOP", _gop(result)),
        ("bit rate", "unknown" if result.bit_rate is None else f"{result.bit_rate / 1e6:.2f} Mbit/s"),
        ("clock offset", _offset(result.clock_offset_ns)),
        ("server", result.server or "does not say"),
        ("audio", "offered; it is not recorded" if result.audio_offered else "not offered"),
    ]
    if result.lost_packets:
        rows.append(("lost", f"{result.lost_packets} packets in {result.measured_s:g} s"))
    print(result.url)
    for label, value in rows:
        print(f"  {label:<13}{value}")


def _gop(result: ProbeResult) -> str:
    if result.gop_frames is None:
        return f"longer than {result.measured_s:g} s (one keyframe seen)"
    return f"{result.gop_frames} pictures, {result.gop_s:g} s"


def _offset(offset_ns: int | None) -> str:
    if offset_ns is None:
        return "the camera does not tell its time"
    return f"{offset_ns / NS_PER_SECOND:+.3f} s against this machine"
