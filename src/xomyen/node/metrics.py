"""What the recorder's process has to say to Prometheus, and what it calls a problem."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xomyen.bus.messages import CameraEvent
from xomyen.recording.statistics import RecorderStatistics
from xomyen.terms.buffers import BufferPool
from xomyen.terms.words import CameraState, StreamName


class RecorderMetrics(Collector):
    """One look at the recorder, as metric families."""

    def __init__(
        self,
        statistics: RecorderStatistics,
        states: Iterable[CameraEvent],
        pool: BufferPool,
        counts: dict[str, int],
        gauges: dict[str, int],
    ) -> None:
        """`counts` (which only grow) and `gauges` are further values: name without prefix, and value."""
        self._statistics = statistics
        self._states = list(states)
        self._pool = pool
        self._counts = counts
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        yield self._cameras()
        yield from self._streams()
        yield from self._volumes()
        yield GaugeMetricFamily("xomyen_receive_buffers_out", "Receive buffers on loan", self._pool.out)
        yield GaugeMetricFamily("xomyen_receive_buffers_limit", "Receive buffers there may be", self._pool.limit)
        yield CounterMetricFamily("xomyen_index_commits", "Commits of the index", self._statistics.commits)
        yield GaugeMetricFamily("xomyen_alarms", "Things somebody must look at", len(self._statistics.alarms))
        for name, value in self._counts.items():
            yield CounterMetricFamily(f"xomyen_{name}", name.replace("_", " ").capitalize(), value)
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(f"xomyen_{name}", name.replace("_", " ").capitalize(), value)

    def _cameras(self) -> Metric:
        family = GaugeMetricFamily("xomyen_cameras", "Cameras by the state of their main stream", labels=["state"])
        counted = Counter(event.state for event in self._states if event.stream is StreamName.MAIN)
        for state in CameraState:
            family.add_metric([state.value], counted[state])
        return family

    def _streams(self) -> Iterable[Metric]:
        labels = ["camera", "stream"]
        frames = CounterMetricFamily("xomyen_frames", "Pictures handed to the disk", labels=labels)
        lost = CounterMetricFamily("xomyen_lost_packets", "RTP packets that never came", labels=labels)
        dropped = CounterMetricFamily("xomyen_dropped_frames", "Pictures not written", labels=labels)
        watched = GaugeMetricFamily("xomyen_watched", "1 while somebody watches", labels=labels)
        for stream in self._statistics.streams:
            names = [stream.camera, stream.stream.value]
            frames.add_metric(names, stream.frames)
            lost.add_metric(names, stream.lost_packets)
            dropped.add_metric(names, stream.dropped_frames)
            watched.add_metric(names, stream.watched)
        return frames, lost, dropped, watched

    def _volumes(self) -> Iterable[Metric]:
        def gauge(name: str, text: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"xomyen_volume_{name}", text, labels=["volume"])

        def counter(name: str, text: str) -> CounterMetricFamily:
            return CounterMetricFamily(f"xomyen_volume_{name}", text, labels=["volume"])

        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
            "paused": gauge("paused", "1 while nothing is written"),
            "free_bytes": gauge("free_bytes", "Bytes free on the volume"),
            "total_bytes": gauge("total_bytes", "Size of the volume"),
            "floor_bytes": gauge("floor_bytes", "Bytes that retention keeps free"),
            "queued_bytes": gauge("queued_bytes", "Bytes that wait for the disk"),
            "written_bytes": counter("written_bytes", "Bytes written"),
            "written_frames": counter("written_frames", "Pictures written"),
            "dropped_frames": counter("dropped_frames", "Pictures the disk did not take"),
            "sealed_segments": counter("sealed_segments", "Segments sealed"),
            "abandoned_segments": counter("abandoned_segments", "Segments given up after a failed sync"),
            "syncs": counter("syncs", "Syncs of the volume"),
            "sync_interval": gauge("sync_interval_seconds", "Time from one sync to the next"),
            "last_sync": gauge("last_sync_seconds", "Time the newest sync took"),
        }
        for volume in self._statistics.volumes:
            for name, family in families.items():
                value = getattr(volume, name)
                family.add_metric([volume.id], float(bool(value)) if name == "paused" else value)
        return families.values()


def exposition(metrics: RecorderMetrics) -> str:
    """The text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode()


def problems_of(statistics: RecorderStatistics) -> tuple[str, ...]:
    """What is wrong with the recorder itself, a sentence each; a camera that is away is not."""
    found = {*(alarm.text for alarm in statistics.alarms), *statistics.refused_volumes.values()}
    found.update(f"{volume.path}: {volume.paused}." for volume in statistics.volumes if volume.paused)
    return tuple(sorted(found))
