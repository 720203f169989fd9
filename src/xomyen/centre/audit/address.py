"""Where a request came from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The client's address; behind a proxy on this machine the one the proxy saw, else the connection's own.

    Only what our own proxy added is believed: a client can write the header too, but not behind the proxy's entry.
    """
    seen = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "")
    if settings.CENTRE.behind_tls and forwarded and _is_this_machine(seen):
        seen = forwarded.rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(seen))
    except ValueError:
        return ""


def _is_this_machine(address: str) -> bool:
    if not address:  # a Unix socket
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
