"""IP addresses as they are compared and counted."""

import ipaddress

import pytest

from xomyen.terms.addresses import ip_of, is_everywhere, network_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.1.20", "192.168.1.20"),
        ("::ffff:192.168.1.20", "192.168.1.20"),
        ("fe80::1%eth0", "fe80::1"),
        ("FD00:0:0::1", "fd00::1"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert ip_of(text) == ipaddress.ip_address(address)


@pytest.mark.parametrize("text", ["", "camera.example", "192.168.1", "192.168.1.300", "[::1]"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert ip_of(text) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("no address", "no address"),
    ],
)
def test_tries_count_by_the_network_that_one_subscriber_has(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("host", "everywhere"),
    [("0.0.0.0", True), ("[::]", True), ("::", True), ("127.0.0.1", False), ("[::1]", False), ("xa.example", False)],
)
def test_a_server_may_listen_at_all_addresses_of_its_machine(host: str, everywhere: bool) -> None:
    assert is_everywhere(host) is everywhere
