"""Each fault of a simulated camera does what it says, and only to the camera that it is ordered for."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from tests.collecting_sink import CollectingSink
from tests.simulated import decoded, marks, small_simulator
from tests.waiting import until

from xomyen.camera.ingest import Ingest
from xomyen.camera.rtsp_source import RtspSource
from xomyen.camera.simulator import FaultKind, Simulator
from xomyen.camera.simulator.faults import FaultOrder
from xomyen.terms.errors import InvalidConfiguration, UnknownCamera
from xomyen.terms.words import GapReason, VideoCodec

H264 = VideoCodec.H264


class Watched:
    """Two cameras, both played: what is wrong with the first must not touch the second."""

    def __init__(self, simulator: Simulator, ingest: Ingest) -> None:
        self.simulator = simulator
        self.first, self.second = CollectingSink(), CollectingSink()
        self.sources = [
            RtspSource(simulator.url(1), None, None, self.first, ingest, jitter=lambda: 0.0),
            RtspSource(simulator.url(2), None, None, self.second, ingest),
        ]

    async def more(self, count: int) -> None:
        """Waits for so many further pictures of the first camera."""
        wanted = len(self.first.units) + count
        await self.first.until(lambda s: len(s.units) >= wanted)

    async def others_go_on(self) -> None:
        wanted = len(self.second.units) + 10
        await self.second.until(lambda s: len(s.units) >= wanted)
        assert self.second.lost_packets == 0
        assert not self.second.closings


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with small_simulator(2, sub=None) as simulator, Ingest() as ingest:
        both = Watched(simulator, ingest)
        async with both.sources[0], both.sources[1]:
            await both.more(5)
            yield both


async def test_drop_loses_packets_and_says_how_many(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.DROP, share=0.1)
    await watched.more(25)
    trouble = watched.simulator.camera(1).trouble
    await watched.first.until(lambda s: s.lost_packets > 0)
    assert 0 < watched.first.lost_packets <= trouble.packets_dropped
    await watched.others_go_on()


async def test_stall_sends_nothing_and_clear_ends_it(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xomyen.camera.rtsp_source.SILENCE_S", 3600.0)  # however long it takes the others to go on
    await watched.simulator.fault(1, FaultKind.STALL)
    await watched.others_go_on()
    await watched.others_go_on()
    seen = len(watched.first.units)
    await watched.others_go_on()
    assert len(watched.first.units) == seen
    assert not watched.first.closings
    await watched.simulator.clear()
    await watched.more(10)


async def test_close_ends_connections_once(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.CLOSE)
    await watched.first.until(lambda s: bool(s.closings))
    await watched.more(5)
    await watched.others_go_on()


async def test_refuse_lasts_until_cleared(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.REFUSE)
    await watched.first.until(lambda s: any(r is GapReason.REFUSED for r, _ in s.closings))
    seen = len(watched.first.units)
    await watched.others_go_on()
    assert len(watched.first.units) == seen
    await watched.simulator.clear(1)
    await watched.more(5)


async def test_redirect_sends_the_client_to_another_address(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.REDIRECT, url=watched.simulator.url(2))
    await watched.simulator.fault(1, FaultKind.CLOSE)
    await until(lambda: len(watched.simulator.camera(2).sessions) == 2)
    await watched.more(5)


async def test_a_wrong_clock_shows_in_the_sender_reports_and_leaves_the_media_time_alone(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.WRONG_CLOCK, offset_s=-3600)
    await watched.first.until(lambda s: any(abs(o + 3600e9) < 600e9 for o in s.offsets_ns))
    assert {b - a for a, b in pairwise(watched.first.pts)} == {3600}
    assert len(watched.first.configs) == 1
    await watched.second.until(lambda s: bool(s.offsets_ns))
    assert all(abs(o) < 600e9 for o in watched.second.offsets_ns)


async def test_a_clock_step_makes_the_media_time_jump(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.CLOCK_STEP, offset_s=30)
    await watched.first.until(lambda s: any(b - a != 3600 for a, b in pairwise(s.pts)) or len(s.configs) > 1)
    await watched.more(10)
    await watched.others_go_on()


async def test_a_fast_clock_gains_one_percent(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.FAST_CLOCK)
    await watched.first.until(lambda s: any(b - a > 3600 for a, b in pairwise(s.pts)))
    begin = len(watched.first.pts)
    await watched.more(40)
    pts = watched.first.pts[begin:]
    assert (pts[-1] - pts[0]) / (len(pts) - 1) == pytest.approx(3636, abs=1)
    assert watched.first.lost_packets == 0


async def test_a_long_gop_has_no_keyframe_for_its_length(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.LONG_GOP, seconds=3)
    begin = len(watched.first.units)
    await watched.more(135)
    keys = [i for i, key in enumerate(watched.first.keys) if key and i >= begin]
    assert max(b - a for a, b in pairwise(keys)) == 75
    await _counts_up(watched.first, 0)


async def test_new_parameter_sets_come_without_a_lost_packet(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.NEW_PARAMETERS, size="704x576")
    await watched.first.until(lambda s: len(s.configs) == 2)
    await watched.more(20)
    assert [(c.width, c.height) for c in watched.first.configs] == [(640, 360), (704, 576)]
    assert watched.first.lost_packets == 0
    await _counts_up(watched.first, 1)
    await watched.others_go_on()


async def test_b_frames_are_shown_in_another_order_than_sent(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.B_FRAMES)
    await watched.more(40)
    await watched.first.until(lambda s: any(pts > dts for pts, dts in zip(s.pts, s.dts, strict=True)))
    watched.first.check_times()


@pytest.mark.parametrize("what", ["nal", "rtp", "stream"])
async def test_garbage_disturbs_nobody_else_and_passes(watched: Watched, what: str) -> None:
    await watched.simulator.fault(1, FaultKind.GARBAGE, what=what)
    await watched.others_go_on()
    await watched.others_go_on()
    await watched.simulator.clear(1)
    await watched.more(30)


async def test_a_restarted_camera_comes_back_with_times_of_its_own(watched: Watched) -> None:
    before = watched.simulator.camera(1).channels["main"].timestamp(0)
    await watched.simulator.fault(1, FaultKind.RESTART, seconds=0.5)
    await watched.first.until(lambda s: bool(s.closings))
    await watched.more(10)
    assert watched.simulator.camera(1).channels["main"].timestamp(0) != before
    await watched.others_go_on()


async def test_after_clear_the_same_session_goes_on_with_own_pictures(watched: Watched) -> None:
    await watched.simulator.fault(1, FaultKind.NEW_PARAMETERS, size=(704, 576))
    await watched.first.until(lambda s: len(s.configs) == 2)
    await watched.simulator.clear()
    await watched.first.until(lambda s: len(s.configs) == 3)
    await watched.more(10)
    assert watched.first.lost_packets == 0
    assert not watched.first.closings


async def test_faults_need_a_camera_that_exists(watched: Watched) -> None:
    with pytest.raises(UnknownCamera):
        await watched.simulator.fault(9, FaultKind.STALL)
    with pytest.raises(InvalidConfiguration, match="garbage"):
        await watched.simulator.fault(1, FaultKind.GARBAGE, what="noise")


async def _counts_up(sink: CollectingSink, config: int) -> None:
    """The pictures from that configuration on show a counter that goes up by one."""
    begin = sink.config_at[config]
    units, sets = list(sink.units[begin:]), sink.configs[config].parameter_sets
    counters = [m.counter for m in marks(await asyncio.to_thread(decoded, units, sets, H264))]
    assert counters == list(range(counters[0], counters[0] + len(counters)))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("stall", FaultOrder(FaultKind.STALL, None, 0.0)),
        ("fast-clock:3@12.5", FaultOrder(FaultKind.FAST_CLOCK, 3, 12.5)),
        ("drop@5", FaultOrder(FaultKind.DROP, None, 5.0)),
    ],
)
def test_fault_orders_are_read_from_the_command_line(text: str, order: FaultOrder) -> None:
    assert FaultOrder.parse(text) == order


@pytest.mark.parametrize("text", ["", "fire:1", "stall:x", "stall@soon"])
def test_a_fault_order_that_cannot_be_read_names_the_kinds(text: str) -> None:
    with pytest.raises(InvalidConfiguration, match="fast_clock"):
        FaultOrder.parse(text)
