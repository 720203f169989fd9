"""Real H.264 access units from ffmpeg, and sources that feed them to a sink without a network."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from xomyen.camera.codec_config import codec_config, split_annex_b
from xomyen.camera.source import Batch, CodecConfig, StreamSink
from xomyen.terms.buffers import BufferPool
from xomyen.terms.words import VideoCodec

CAMERA = "01890000-0000-7000-8000-000000000001"
OTHER = "01890000-0000-7000-8000-000000000002"
NODE = "01890000-0000-7000-8000-0000000000ff"


@dataclass(frozen=True)
class Footage:
    """One GOP-aligned loop of pictures: feed it again and again."""

    config: CodecConfig
    units: tuple[bytes, ...]
    keys: tuple[bool, ...]
    shown_after: tuple[int, ...]  # presentation minus decoding time, in frames


@lru_cache
def footage(b_frames: int = 0, gop: int = 25, frames: int = 100, size: str = "160x120") -> Footage:
    """Encoded once per process. `frames` must be whole GOPs."""
    made = subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=25", "-frames:v", str(frames)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-bf", str(b_frames), "-g", str(gop)),
            *("-keyint_min", str(gop), "-sc_threshold", "0", "-x264-params", "open-gop=0:b-adapt=0"),
            *("-f", "h264", "-"),
        ],
        check=True,
        capture_output=True,
    ).stdout
    nals = split_annex_b(made)
    config = codec_config(VideoCodec.H264, [nal for nal in nals if nal[0] & 31 in (7, 8)])
    units: list[bytes] = []
    keys: list[bool] = []
    waiting = b""
    for nal in nals:
        kind = nal[0] & 31
        if kind in (7, 8, 9):
            continue
        framed = len(nal).to_bytes(4, "big") + nal
        if kind in (1, 5) and nal[1] & 0x80:
            units.append(waiting + framed)
            keys.append(kind == 5)
            waiting = b""
        elif kind in (1, 5):
            units[-1] += framed
        else:
            waiting += framed
    assert len(units) == frames
    return Footage(config, tuple(units), tuple(keys), tuple(_shown_after(b_frames, gop, frames)))


def _shown_after(b_frames: int, gop: int, frames: int) -> Iterator[int]:
    """x264 with b-adapt=0 codes I P b b P b b …; each GOP is closed, its last pictures are P."""
    if not b_frames:
        yield from [0] * frames
        return
    for _ in range(frames // gop):
        order = [0]
        shown = 0
        while shown < gop - 1:
            step = min(b_frames + 1, gop - 1 - shown)
            order.append(shown + step)
            order.extend(range(shown + 1, shown + step))
            shown += step
        yield from (position - number + 1 for number, position in enumerate(order))


class Feeder:
    """Plays footage into a sink in batches; knows how many pictures it gave."""

    def __init__(
        self,
        sink: StreamSink,
        source: Footage | None = None,
        *,
        ticks: int = 3600,
        start_ticks: int = 1_000_000,
        pool: BufferPool | None = None,
    ) -> None:
        self.sink = sink
        self.source = source or footage()
        self.ticks = ticks
        self.dts = start_ticks
        self.number = 0
        self.pool = pool

    def open(self) -> None:
        self.sink.opened(self.source.config)

    def batch(self, frames: int, arrived_ns: int, lost: int = 0) -> Batch:
        batch = Batch()
        batch.arrived_ns = arrived_ns
        batch.lost_packets = lost
        units = self.source.units
        chosen = [(self.number + i) % len(units) for i in range(frames)]
        lease = self.pool.take() if self.pool else None
        at = 0
        for i in chosen:
            unit = units[i]
            if lease is not None:
                lease.buffer[at : at + len(unit)] = unit
                batch.parts.append(lease.view[at : at + len(unit)])
                at += len(unit)
            else:
                half = len(unit) // 2
                batch.parts += [unit[:half], unit[half:]]
            batch.sizes.append(len(unit))
            batch.keys.append(self.source.keys[i])
            batch.dts_ticks.append(self.dts)
            batch.pts_ticks.append(self.dts + self.source.shown_after[i] * self.ticks)
            self.dts += self.ticks
        self.number += frames
        if lease is not None:
            batch.leases.append(lease)
        return batch

    def feed(self, frames: int, arrived_ns: int, lost: int = 0) -> None:
        """One batch, as from one read."""
        batch = self.batch(frames, arrived_ns, lost)
        self.sink.write(batch)
        for lease in batch.leases:
            lease.release()
