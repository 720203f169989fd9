"""Of which cameras a look at a stream, before it is saved, shows no picture."""

from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q

from xomyen.bus.device_messages import MOST_GUARDED
from xomyen.bus.devices import Guarded
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.cameras.values import urls_in_force
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, visible

_MOST_BYTES = 600_000  # a message of the bus takes 1 MiB
_LONGEST_HOST = 253
_ADDRESSES = ("main_url", "sub_url", "onvif_address", "in_force")


def guarded(person: Any, node: Node, camera: Camera | None) -> Guarded | None:
    """The hosts of which the node is to show this person nothing; None: no picture at all.

    They are those of cameras with privacy masks, whichever recorder they are on, since several reach one network; and
    those of the node's other cameras that the person may not watch. `camera` is the one whose form is open.
    """
    if (camera is not None and camera.masks) or not may(person, Action.VIEW_LIVE, node):
        return None
    watched = visible(person, Action.VIEW_LIVE, Camera.objects.filter(node=node)).values("pk")
    here = Camera.objects.filter(node=node).filter(~Q(masks=[]) | ~Q(pk__in=watched))
    elsewhere = Camera.objects.exclude(node=node).exclude(masks=[])
    hosts = [
        {host for addresses in rows.values_list(*_ADDRESSES) for host in _hosts(*addresses)}
        for rows in (here, elsewhere)
    ]
    if any(len(found) > MOST_GUARDED or any(len(host) > _LONGEST_HOST for host in found) for found in hosts):
        return None
    found = Guarded(*(tuple(sorted(one)) for one in hosts))
    return found if sum(len(host.encode()) + 3 for host in found.here + found.elsewhere) <= _MOST_BYTES else None


def _hosts(main: str, sub: str, onvif: str, in_force: dict[str, Any] | None) -> set[str]:
    """The hosts of all addresses of a camera; those of files and of what cannot be read are on no network."""
    found = set()
    for url in (main, sub, onvif, *urls_in_force(in_force)):
        try:
            found.add(urlsplit(url.strip()).hostname)
        except ValueError:
            continue
    return {host for host in found if host}
