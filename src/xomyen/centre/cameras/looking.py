"""Of which cameras a look at a stream, before it is saved, shows no picture."""

from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db.models import Q, QuerySet

from xomyen.bus.device_messages import MOST_GUARDED
from xomyen.bus.devices import Guarded
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.cameras.services import sees_unmasked
from xomyen.centre.cameras.values import hosts_of, urls_in_force, without_secrets
from xomyen.centre.organisation.models import Unit, UnitKind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, visible
from xomyen.terms.addresses import ip_of

_MOST_BYTES = 600_000  # a message of the bus takes 1 MiB
_LONGEST_HOST = 253
# Private addresses that whole provinces route: RFC 1918 §3, RFC 6598.
_ROUTED = tuple(map(ip_network, ("10.0.0.0/8", "100.64.0.0/10")))
_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
_ADDRESSES = ("main_url", "sub_url", "onvif_address", "in_force")


def guarded(person: Any, node: Node, camera: Camera | None) -> Guarded | None:
    """The hosts of which the node is to show this person nothing; None: no picture at all.

    They are those of cameras behind whose privacy masks the person may not look, whichever recorder they are on, since
    several reach one network; and those of the node's other cameras that the person may not watch. `camera` is the one
    whose form is open.
    """
    if not may(person, Action.VIEW_LIVE, node) or (camera and camera.masks and not sees_unmasked(person, camera)):
        return None
    watched = visible(person, Action.VIEW_LIVE, Camera.objects.all())
    changed = visible(person, Action.CAMERA_EDIT, Camera.objects.all())
    behind = ~Q(masks=[]) & ~Q(pk__in=watched.filter(pk__in=changed.values("pk")).values("pk"))
    here = Camera.objects.filter(node=node).filter(behind | ~Q(pk__in=watched.values("pk")))
    elsewhere = Camera.objects.exclude(node=node).filter(behind)
    near = _around(node)
    hosts = [_hosts(here), _hosts(elsewhere.filter(near)) | {*filter(_anywhere, _hosts(elsewhere.exclude(near)))}]
    if any(len(found) > MOST_GUARDED or any(len(host) > _LONGEST_HOST for host in found) for found in hosts):
        return None
    found = Guarded(*(tuple(sorted(one)) for one in hosts))
    return found if sum(len(host.encode()) + 3 for host in found.here + found.elsewhere) <= _MOST_BYTES else None


def unmasked(url: str, node: Node, camera: Camera | None) -> list[Camera]:
    """The cameras with masks whose picture a look by the node at this stream shows as it is; `camera` is the form's."""
    rows = Camera.objects.exclude(masks=[])
    if not all(map(_anywhere, hosts_of(url))):
        rows = rows.filter(Q(node=node) | _around(node))
    asked = _stream(url)
    return [one for one in rows if one == camera or any(_same(asked, _stream(other)) for other in _streams_of(one))]


def _streams_of(camera: Camera) -> list[str]:
    return [other for other in (camera.main_url, camera.sub_url, *urls_in_force(camera.in_force)) if other]


def _stream(url: str) -> tuple[Any, frozenset[tuple[str, str]]]:
    """What makes a stream, however it is written, and what its query asks for; what cannot be read is one by itself."""
    try:
        parts = urlsplit(without_secrets(url))
        host = (parts.hostname or "").rstrip(".")
        place = ip_of(host) or host, parts.port or _PORTS.get(parts.scheme.partition("+")[0])
        return (*place, parts.path.rstrip("/")), frozenset(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return url, frozenset()


def _same(asked: tuple[Any, frozenset[tuple[str, str]]], known: tuple[Any, frozenset[tuple[str, str]]]) -> bool:
    """Cameras ignore what else stands in a query."""
    return asked[0] == known[0] and known[1] <= asked[1]


def _around(node: Node) -> Q:
    """Cameras that may share a network with this recorder."""
    units = _near(node)
    return Q(node__unit__in=units) | Q(site__unit__in=units)


def _near(node: Node) -> QuerySet[Unit]:
    """The units whose recorders may share a network with this one: those of its commune, and all above."""
    above = Unit.objects.above(node.unit_id)
    commune = above.filter(kind=UnitKind.COMMUNE).values_list("pk", flat=True).first() or node.unit_id
    return Unit.objects.filter(Q(pk__in=above.values("pk")) | Q(pk__in=Unit.objects.below(commune).values("pk")))


def _anywhere(host: str) -> bool:
    """Whether it means the same machine in every commune, as 192.168.1.20 does not."""
    address = ip_of(host)
    if address is None:
        return True  # a name: the node looks whether it means something there
    return address.is_global or any(address in network for network in _ROUTED)


def _hosts(rows: QuerySet[Camera]) -> set[str]:
    return {host for addresses in rows.values_list(*_ADDRESSES) for host in _hosts_of(*addresses)}


def _hosts_of(main: str, sub: str, onvif: str, in_force: dict[str, Any] | None) -> set[str]:
    """The hosts of all addresses of a camera; those of files and of what cannot be read are on no network."""
    found = set()
    for url in (main, sub, onvif, *urls_in_force(in_force)):
        try:
            found.add(urlsplit(url.strip()).hostname)
        except ValueError:
            continue
    return {host for host in found if host}
