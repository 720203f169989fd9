"""IP addresses as they are compared and counted."""

import ipaddress

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def ip_of(text: str) -> Ip | None:
    """An address without its zone, an IPv4 one that is written as IPv6 (RFC 4291 §2.5.5.2) as what it is; or None."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def is_everywhere(host: str) -> bool:
    """Whether a server that listens there does so at all addresses of its machine; IPv6 with or without brackets."""
    found = ip_of(host.strip("[]"))
    return found is not None and found.is_unspecified


def network_of(address: str) -> str:
    """What an address is counted by: of IPv6 the /64, as whoever has one address there has them all."""
    found = ip_of(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, 64), strict=False).network_address)
    return address if found is None else str(found)
