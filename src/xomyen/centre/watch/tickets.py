"""Tickets for the nodes: what somebody may see of which cameras, signed, for some minutes."""

import datetime
import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from xomyen.access.grants import grant_of, issue_grant
from xomyen.access.tickets import Action as NodeAction
from xomyen.access.tickets import Grant, MaskRule, issue, ticket_for
from xomyen.centre.audit.services import record_each
from xomyen.centre.cameras.desired import lacks_masks
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import limits_of
from xomyen.centre.permissions.roles import PictureLimits
from xomyen.centre.watch.ending import as_of_now, note_given, subject_of
from xomyen.centre.watch.lasting import until
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock

LIFETIME_S = 600
TAKING_S = 4 * 3600  # the longest life of a ticket that takes footage
GRANTED_S = 7 * 86_400  # a wall goes on for so long without the centre
LONGEST_TAKEN_S = 24 * 3600  # of footage; a node gives no more at once
MOST_IN_ONE = 200  # cameras; a ticket is a header of each request


class Use(StrEnum):
    """What the tickets are for."""

    LIVE = "live"  # a wall
    PAST = "past"  # the player of a camera, or of a few side by side
    TAKE = "take"  # one download


class WishRefused(ValueError):
    """No ticket is made of such a wish; `code` says why, for programs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see."""

    use: Use
    purpose: str = ""
    from_ns: int | None = None  # of what is taken
    to_ns: int | None = None
    device_key: str = ""  # thumbprint; grants for the device with this key are wanted, not tickets

    def check(self, cameras: int | None) -> None:
        """Raises WishRefused unless the span runs forward and what is taken is one stretch of one camera.

        `cameras` is how many were asked for; None: all there are.
        """
        length_ns = self._length_ns
        if length_ns is not None and length_ns <= 0:
            raise WishRefused("span_is_empty")
        if self.use is not Use.TAKE:
            return
        if cameras != 1:
            raise WishRefused("one_camera_at_a_time")
        if length_ns is None:
            raise WishRefused("span_is_missing")
        if length_ns > LONGEST_TAKEN_S * NS_PER_SECOND:
            raise WishRefused("span_is_too_long")

    @property
    def lifetime_s(self) -> int:
        """How long its tickets last, unless a right that they rest on ends sooner.

        The node breaks a download off when its ticket ends. A line that carries what the camera records takes as
        long as the footage is; ten minutes more are for asking, and for a short stretch over a slower one.
        """
        if self.device_key:
            return GRANTED_S
        if self.use is not Use.TAKE or self._length_ns is None:
            return LIFETIME_S
        return min(TAKING_S, LIFETIME_S + self._length_ns // NS_PER_SECOND)

    @property
    def _length_ns(self) -> int | None:
        return None if self.from_ns is None or self.to_ns is None else self.to_ns - self.from_ns


@dataclass(frozen=True, slots=True)
class GivenTicket:
    """A signed ticket for some cameras of one node that share their limits."""

    group: str  # the same for the same node and limits, so that a page knows what it renews
    node: Node
    token: str  # or a grant
    expires_s: int
    cameras: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Tickets, and the cameras whose past is shown only to somebody who says what for."""

    tickets: list[GivenTicket]
    needs_purpose: list[str]
    issued_s: int
    cameras: list[Camera]  # all that were read; for some of them there may be no ticket


# What allows which action on the node, for each use. Without the first of them there is no ticket at all.
_ASKED: dict[Use, tuple[tuple[Action, NodeAction], ...]] = {
    Use.LIVE: ((Action.VIEW_LIVE, NodeAction.LIVE),),
    Use.PAST: (
        (Action.VIEW_LIVE, NodeAction.LIVE),
        (Action.STILL, NodeAction.STILL),
        (Action.VIEW_PAST, NodeAction.PAST),
        (Action.CLIP, NodeAction.CLIP),
    ),
    Use.TAKE: ((Action.CLIP, NodeAction.CLIP),),
}
_LOOKS_BACK = frozenset({NodeAction.PAST, NodeAction.CLIP})


@functools.cache
def issuer() -> SigningKey:
    """The key whose tickets the nodes accept."""
    return SigningKey.load_or_create(settings.FOLDER.issuer_key)


def give(person: Any, cameras: QuerySet[Camera], wish: Wish, clock: Clock | None = None) -> Given:
    """The tickets with which the person sees of these cameras what may be seen; cameras that may not be are left out.

    They are read here, whatever was read of them before, and bring site, node and class along (see
    `services.for_tickets`). Raises WishRefused.
    """
    clock = clock or SystemClock()
    now_ns = clock.wall_ns()
    issued_s = now_ns // NS_PER_SECOND
    # Cameras and rights are read after the time that the tickets bear: see `ending`.
    listed = [camera for camera in cameras.all() if camera.node_id is not None]
    if not listed:
        return Given([], [], issued_s, [])
    wish.check(len(listed))
    now = as_of_now(person)
    if now is None:
        return Given([], [], issued_s, listed)
    person = now
    groups, asking = _grouped(person, listed, wish, now_ns)
    if not groups:
        return Given([], asking, issued_s, listed)
    reached = (camera for _node, _grant, members in groups for camera in members)
    times = issued_s, until(person, reached, issued_s, issued_s + wish.lifetime_s)
    tickets = [
        _signed(node, grant.model_copy(update={"cameras": _ids(part)}), number, times, clock, wish)
        for node, grant, members in groups
        for number, part in enumerate(_parts(members))
    ]
    note_given(subject_of(person), {one.node for one in tickets}, *times)
    return Given(tickets, asking, issued_s, listed)


def record_issued(given: Given, wish: Wish) -> None:
    """Notes in the audit log who got tickets for which cameras, of what time, and what for."""
    by_id = {str(camera.pk): camera for camera in given.cameras}
    for one in given.tickets:
        details = {"actions": one.actions, "from_ns": wish.from_ns, "to_ns": wish.to_ns}
        named = [by_id[key] for key in one.cameras]
        record_each("ticket.issued", ((camera, camera.site.unit_id) for camera in named), wish.purpose, details)


_Group = tuple[Any, Grant, list[Camera]]  # at a node


def _grouped(person: Any, cameras: list[Camera], wish: Wish, now_ns: int) -> tuple[list[_Group], list[str]]:
    """What the person may see, by node and limits; and the cameras whose past asks what for."""
    allowed = [(node_action, limits_of(person, action, cameras)) for action, node_action in _ASKED[wish.use]]
    asking: list[str] = []
    # Hundreds of cameras have a few kinds of limits, and some of these come to the same grant.
    alike: dict[Any, Grant | None] = {}
    same: dict[Grant | None, Grant | None] = {}
    groups: dict[tuple[Any, int], _Group] = {}
    for camera in cameras:
        limits = {action: one for action, found in allowed if (one := found.get(camera)) is not None}
        if allowed[0][0] not in limits:
            continue
        if _narrow(limits, camera, wish):
            asking.append(str(camera.pk))
        masked = any(one.masked for one in limits.values())
        # Masks that were drawn since have not reached the node.
        if not limits or (masked and lacks_masks(camera)):
            continue
        # Those that are drawn later are in force within seconds; those that are drawn, before anything is seen.
        blackened = MaskRule.REQUIRED if camera.masks else MaskRule.MASKED
        kind = tuple(limits.items()), blackened if masked else MaskRule.NONE
        if kind not in alike:
            grant = _grant(person, limits, kind[1], wish, now_ns)
            alike[kind] = same.setdefault(grant, grant)
        grant = alike[kind]
        if grant is not None:
            groups.setdefault((camera.node_id, id(grant)), (camera.node, grant, []))[2].append(camera)
    return list(groups.values()), asking


def _narrow(limits: dict[NodeAction, PictureLimits], camera: Camera, wish: Wish) -> bool:
    """Leaves out of the actions what is no use; True where the past is left out for want of a purpose."""
    if NodeAction.PAST in limits:
        limits.pop(NodeAction.STILL, None)  # stills are part of the past
    for action in [action for action, one in limits.items() if not _in_reach(action, one)]:
        del limits[action]
    if not camera.camera_class.past_needs_purpose or wish.purpose or _LOOKS_BACK.isdisjoint(limits):
        return False
    for action in _LOOKS_BACK:
        limits.pop(action, None)
    return True


def _in_reach(action: NodeAction, limits: PictureLimits) -> bool:
    """A role whose reach into the past is nothing does not look back, whatever else it may."""
    return action not in _LOOKS_BACK or limits.past is None or limits.past > datetime.timedelta(0)


def _grant(
    person: Any, limits: dict[NodeAction, PictureLimits], mask: MaskRule, wish: Wish, now_ns: int
) -> Grant | None:
    """One set of limits: the narrowest of those of the actions. None: the span lies wholly beyond their reach."""
    widths = [one.greatest_width for one in limits.values() if one.greatest_width is not None]
    # Live pictures need no past, so its bound is that of looking back.
    back = [one.past for action, one in limits.items() if action in _LOOKS_BACK]
    reaches = [one for one in back if one is not None]
    start_ns = None
    if reaches:
        start_ns = now_ns - int(min(reaches).total_seconds()) * NS_PER_SECOND
    if wish.from_ns is not None:
        start_ns = max(start_ns or 0, wish.from_ns)
    if start_ns is not None and wish.to_ns is not None and start_ns >= wish.to_ns:
        return None
    return Grant(
        subject=subject_of(person),
        actions=tuple(limits),
        start_ns=start_ns,
        end_ns=wish.to_ns,
        greatest_width=min(widths, default=None),
        mask=mask,
        purpose=wish.purpose,
    )


def _ids(cameras: Iterable[Camera]) -> tuple[str, ...]:
    return tuple(str(camera.pk) for camera in cameras)


def _parts(cameras: list[Camera]) -> list[list[Camera]]:
    return [cameras[begin : begin + MOST_IN_ONE] for begin in range(0, len(cameras), MOST_IN_ONE)]


def _signed(node: Node, grant: Grant, number: int, times: tuple[int, int], clock: Clock, wish: Wish) -> GivenTicket:
    issued_s, expires_s = times
    made = ticket_for(grant, node=str(node.pk), issuer=issuer(), clock=clock, lifetime_s=wish.lifetime_s)
    made = made.model_copy(update={"issued_s": issued_s, "not_before_s": issued_s, "expires_s": expires_s})
    reach_s = None if grant.start_ns is None else made.issued_s - grant.start_ns // NS_PER_SECOND
    limits = f"{grant.actions}|{grant.greatest_width}|{grant.mask}|{reach_s}|{number}"
    return GivenTicket(
        group=f"{node.pk}-{hashlib.sha256(limits.encode()).hexdigest()[:12]}",
        node=node,
        token=issue_grant(issuer(), grant_of(made, wish.device_key)) if wish.device_key else issue(issuer(), made),
        expires_s=made.expires_s,
        cameras=_ids_of(grant),
        actions=tuple(str(action) for action in grant.actions),
    )


def _ids_of(grant: Grant) -> tuple[str, ...]:
    return grant.cameras if isinstance(grant.cameras, tuple) else ()
