"""Finding devices: by multicast on this machine, and at given addresses."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from tests.simulated import small_simulator

from xomyen.camera.onvif.discovery import Announcement, discover, own_addresses, read_matches
from xomyen.camera.onvif.networks import Networks
from xomyen.camera.onvif.scan import Looked, Ports, scan
from xomyen.camera.simulator.onvif import OnvifTrouble, SimulatedDevice
from xomyen.camera.simulator.onvif_answers import matches

Make = Callable[..., SimulatedDevice]


@pytest.fixture
def group() -> tuple[str, int]:
    """A multicast group of this test alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    return "239.255.255.250", port


async def first(found: AsyncIterator[Announcement], count: int) -> list[Announcement]:
    taken: list[Announcement] = []
    async for one in found:
        taken.append(one)
        if len(taken) == count:
            break
    return taken


async def test_devices_answer_a_multicast_and_each_counts_once(
    device: Make, loopback: Networks, group: tuple[str, int]
) -> None:
    async with device(group=group) as one, device(group=group) as other:
        found = await first(discover(loopback, 30, group=group, sources=["127.0.0.1"]), 2)
        assert {announcement.endpoint.url for announcement in found} == {one.url, other.url}
        assert {(announcement.name, announcement.hardware) for announcement in found} == {("Sân chợ", "Dome")}


async def test_a_device_that_names_an_address_it_had_before_is_where_its_answer_came_from(
    device: Make, loopback: Networks, group: tuple[str, int]
) -> None:
    async with device(group=group, host="192.168.77.77") as simulated:
        (found,) = await first(discover(loopback, 30, group=group, sources=["127.0.0.1"]), 1)
        assert found.endpoint.url == simulated.url


async def test_nobody_answers_and_the_search_ends(loopback: Networks, group: tuple[str, int]) -> None:
    assert [found async for found in discover(loopback, 0.05, group=group, sources=["127.0.0.1"])] == []


async def test_answers_from_elsewhere_count_for_nothing(device: Make, group: tuple[str, int]) -> None:
    async with device(group=group):
        elsewhere = discover(Networks(["10.0.0.0/8"]), 0.3, group=group, sources=["127.0.0.1"])
        assert [found async for found in elsewhere] == []


def test_an_answer_to_somebody_elses_question_is_none_of_ours() -> None:
    answer = matches("urn:uuid:1", 80, "http://192.168.1.2/onvif/device_service")
    assert read_matches(answer, "192.168.1.2", ["urn:uuid:2"]) == []
    (found,) = read_matches(answer, "192.168.1.2", ["urn:uuid:1", "urn:uuid:2"])
    assert (found.endpoint.host, found.endpoint.port) == ("192.168.1.2", 80)


def test_the_machines_own_addresses_are_those_on_the_networks_allowed(loopback: Networks) -> None:
    assert own_addresses(loopback) == ["127.0.0.1"]
    assert own_addresses(Networks([])) == []


async def test_a_scan_finds_rtsp_and_onvif_and_passes_by_what_is_neither(device: Make) -> None:
    page = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    other = page.sockets[0].getsockname()[1]
    async with page, small_simulator() as cameras, device() as simulated:
        ports = Ports(rtsp=(cameras.port, other), onvif=(simulated.port, other, cameras.port))
        (found,) = [looked async for looked in scan(["127.0.0.1"], ports)]
        assert found.rtsp_ports == (cameras.port,)
        assert [endpoint.url for endpoint in found.onvif] == [simulated.url]


async def test_a_scan_goes_through_all_addresses_and_says_of_each_that_it_is_done_with(device: Make) -> None:
    async with device() as simulated:
        ports = Ports(rtsp=(), onvif=(simulated.port,))
        addresses = [f"127.0.{third}.{fourth}" for third in (0, 1) for fourth in range(1, 120)]
        looked = [one async for one in scan(addresses, ports)]
        assert {one.address for one in looked} == set(addresses)
        # The device listens on 127.0.0.1 alone.
        assert [one.address for one in looked if one != Looked(one.address)] == ["127.0.0.1"]


async def test_a_web_page_at_the_port_is_no_device(device: Make) -> None:
    async with device() as simulated:
        for trouble in (OnvifTrouble.WEB_PAGE, OnvifTrouble.LOCKED_PAGE, OnvifTrouble.GARBAGE):
            simulated.trouble = trouble
            ports = Ports(rtsp=(), onvif=(simulated.port,))
            assert [one async for one in scan(["127.0.0.1"], ports)] == [Looked("127.0.0.1")]
