"""Where devices may be looked for."""

import pytest

from xomyen.camera.onvif.networks import Endpoint, Networks
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.settings import OWN_NETWORKS


@pytest.mark.parametrize(
    ("given", "first", "last", "count"),
    [
        (["192.168.1.20"], "192.168.1.20", "192.168.1.20", 1),
        (["192.168.1.0/24"], "192.168.1.1", "192.168.1.254", 254),
        (["10.0.0.0/22"], "10.0.0.1", "10.0.3.254", 1022),
        (["10.1.2.3 - 10.1.2.5", "10.1.2.4", "10.1.2.9"], "10.1.2.3", "10.1.2.9", 4),
        (["169.254.1.0/31"], "169.254.1.0", "169.254.1.1", 2),
        (["fd00::1"], "fd00::1", "fd00::1", 1),
    ],
)
def test_addresses_are_written_singly_as_a_network_or_as_a_range(
    given: list[str], first: str, last: str, count: int
) -> None:
    found = Networks(OWN_NETWORKS).expand(given, 1024)
    assert (found[0], found[-1], len(found)) == (first, last, count)


@pytest.mark.parametrize(
    "given",
    [
        ["8.8.8.8"],
        ["127.0.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["::1"],
        ["2001:db8::1"],
        ["::ffff:8.8.8.8"],
        ["172.31.255.250-172.32.0.2"],
        ["10.0.0.0/21"],
        ["10.0.0.0/8"],
        ["0.0.0.0/0"],
        ["fd00::/64"],
        ["10.0.0.0/22", "10.1.0.0/22"],
        ["10.0.0.5-10.0.0.1"],
        ["10.0.0.5-fd00::1"],
        ["camera.example"],
        ["10.0.0.5:554"],
        [""],
    ],
)
def test_the_internet_this_machine_too_many_and_what_is_no_address_are_refused(given: list[str]) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        Networks(OWN_NETWORKS).expand(given, 1024)
    assert refused.value.details["field"] == "addresses"


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/onvif/device_service",
        "http://127.0.0.1/onvif/device_service",
        "http://localhost/onvif/device_service",
        "http://169.254.169.254@8.8.8.8/",
        "http://[::ffff:8.8.8.8]/",
        "rtsp://192.168.1.2/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "192.168.1.2",
    ],
)
async def test_a_device_is_asked_on_networks_of_ones_own_only(url: str) -> None:
    with pytest.raises(InvalidConfiguration):
        await Networks(OWN_NETWORKS).resolve(url)


async def test_a_device_is_asked_at_the_address_its_name_had_when_it_was_checked() -> None:
    endpoint = await Networks(["127.0.0.0/8"]).resolve("http://localhost:8080/onvif/device_service?x=1")
    assert endpoint == Endpoint("http", "127.0.0.1", 8080, "/onvif/device_service?x=1")


def test_a_device_cannot_send_anybody_to_another_host() -> None:
    here = Endpoint("http", "192.168.1.2", 8000, "/onvif/device_service")
    assert here.beside("http://192.168.1.2/onvif/media") == Endpoint("http", "192.168.1.2", 80, "/onvif/media")
    assert here.beside("http://10.0.0.1:22/onvif/media") == Endpoint("http", "192.168.1.2", 8000, "/onvif/media")
    assert here.beside("ftp://192.168.1.2/") is None
    assert here.beside("http://[::1/") is None
    assert here.beside("http://192.168.1.2/\x7f") is None


def test_a_setting_that_is_no_network_is_refused() -> None:
    with pytest.raises(InvalidConfiguration):
        Networks(["192.168.1.0/33"])
