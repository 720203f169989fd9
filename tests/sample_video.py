"""Small videos with sound beside the picture, made by FFmpeg, for tests of sources and servers."""

import subprocess
from pathlib import Path


def make_video(path: Path, *codec: str, seconds: float = 3, size: str = "320x180", rate: int = 25) -> Path:
    """A test picture and a tone; the container follows from the name, the codec options are FFmpeg's."""
    command = ["ffmpeg", "-v", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}"]
    if path.suffix not in (".h264", ".hevc", ".avi"):
        command += ["-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:a", "aac"]
    subprocess.run([*command, "-threads", "1", *codec, str(path)], check=True)
    return path


H264_B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p")
H264_PLAIN = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "25", "-pix_fmt", "yuv420p")
H265_B_FRAMES = (
    "-c:v", "libx265", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-tag:v", "hvc1",
    "-x265-params", "bframes=2:b-adapt=0:log-level=error:pools=1:frame-threads=1",
)  # fmt: skip

H265_PLAIN = (*H265_B_FRAMES[:-1], H265_B_FRAMES[-1].replace("bframes=2", "bframes=0"))


def expected_times(path: Path) -> list[tuple[int, int | None, bool]]:
    """(pts, dts, key) of every video packet as FFmpeg reads the file, in 90 kHz ticks from the first pts on.

    Decoding times are None where the container carries none.
    """
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,dts_time,flags",
         "-of", "csv=p=0", str(path)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = [line.split(",") for line in shown.stdout.split()]
    first = _ticks(rows[0][0]) or 0
    return [(_since(first, row[0]) or 0, _since(first, row[1]), "K" in row[2]) for row in rows]


def _since(first: int, text: str) -> int | None:
    ticks = _ticks(text)
    return None if ticks is None else ticks - first


def _ticks(text: str) -> int | None:
    return None if text == "N/A" else round(float(text) * 90_000)


def decode_all(parameter_sets: tuple[bytes, ...], units: list[bytes], codec: str, folder: Path) -> int:
    """Decodes 4-byte-length access units with FFmpeg; how many pictures came out. Fails on the first error."""
    stream = b"".join(b"\x00\x00\x00\x01" + nal for nal in parameter_sets)
    for unit in units:
        at = 0
        while at < len(unit):
            end = at + 4 + int.from_bytes(unit[at : at + 4], "big")
            stream += b"\x00\x00\x00\x01" + unit[at + 4 : end]
            at = end
        assert at == len(unit)
    path = folder / f"collected.{codec}"
    path.write_bytes(stream)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-f", codec, "-i", str(path),
         "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-vf", "scale=16:16", "-"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b"", done.stderr.decode()
    return len(done.stdout) // 256
