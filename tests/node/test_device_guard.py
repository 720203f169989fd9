"""No picture is taken of a guarded host, however its address is written."""

import socket
from pathlib import Path

import pytest
from tests.device_place import device_place
from tests.simulated import small_simulator

from xomyen.bus.devices import Guarded
from xomyen.node.device_guard import Guard


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "::ffff:192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:DB8::0007", "2001:db8::7"),
        ("fe80::1", "fe80::1%eth0"),
        ("localhost", "127.0.0.1"),
        ("LOCALHOST.", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("0.0.0.0", "::1"),
    ],
)
async def test_one_host_is_known_by_every_way_to_write_it(host: str, reached: str) -> None:
    async with Guard((host,), ()) as guard:
        assert await guard.hides(reached)
    async with Guard((), ("192.0.2.9", host)) as guard:
        assert await guard.hides(reached)


async def test_another_host_is_shown_and_so_is_any_where_none_is_guarded() -> None:
    async with Guard(("192.0.2.7", "127.0.0.1"), ("192.0.2.8",)) as guard:
        assert not await guard.hides("192.0.2.70")
    async with Guard((), ()) as guard:
        assert not await guard.hides("192.0.2.7")
        assert not await guard.hides("")


async def test_what_cannot_be_compared_is_hidden() -> None:
    async with Guard(("192.0.2.7",), ()) as guard:
        assert await guard.hides("")  # nobody knows where a web address leads in the end
        assert await guard.hides("2001:db8::7")  # a device has addresses of both families
    async with Guard(("no-such-camera.invalid",), ()) as guard:
        assert await guard.hides("192.0.2.7")
    async with Guard((), ("no-such-camera.invalid",)) as guard:
        assert not await guard.hides("192.0.2.7")  # a name of another network


async def test_an_address_of_this_machine_is_this_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            own = "127.0.0.1"  # a machine without a network has no other
        else:
            own = str(sock.getsockname()[0])
    async with Guard(("127.0.0.1",), ()) as guard:
        assert await guard.hides(own)
    async with Guard((own,), ()) as guard:
        assert await guard.hides("127.0.0.1")


async def test_a_probe_of_a_guarded_host_measures_and_makes_no_picture(tmp_path: Path) -> None:
    async with device_place(tmp_path) as place, small_simulator(port=place.rtsp_port) as cameras:
        for asked in ({"guarded": Guarded(elsewhere=("LOCALHOST.",))}, {"still": False}):
            state = await place.ended(await place.devices.probe(cameras.url(), seconds=1, **asked))
            assert (state.phase, state.still, state.withheld) == ("done", "", True)
            assert (state.seen is not None, state.reached) == (True, "127.0.0.1")
        free = Guarded(here=("192.0.2.7",))
        state = await place.ended(await place.devices.probe(cameras.url(), seconds=1, guarded=free))
        assert (state.withheld, bool(state.still)) == (False, True)
