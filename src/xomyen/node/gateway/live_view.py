"""One live picture on a page: which feed it gets, and what is said of its state."""

import json
from dataclasses import dataclass
from typing import Literal

from xomyen.access.errors import WidthNotAllowed
from xomyen.access.tickets import Ticket
from xomyen.bus.messages import CameraEvent, CameraStatus
from xomyen.node.gateway.live_outbox import Lane
from xomyen.node.gateway.services import Services
from xomyen.node.gateway.telling import detail_for, words_for
from xomyen.node.gateway.tickets import Wish
from xomyen.playback.live import Feed, Init, Piece
from xomyen.playback.live_hub import WHOLE_PIXELS
from xomyen.playback.masks import NO_MASKS, Masks
from xomyen.terms.errors import UnknownCamera, XomyenError
from xomyen.terms.time import format_utc
from xomyen.terms.words import CameraState, StreamName, VideoCodec

Note = Literal["sub_instead", "transcoded", "masked"]

_CONVERTED: tuple[Note, ...] = ("transcoded", "masked")
_STATES = {
    CameraState.RECORDING: "live",
    CameraState.CONNECTING: "connecting",
    CameraState.LOST: "lost",
    CameraState.NOT_RECORDING: "lost",  # pictures come from the file: what is not written is not seen
    CameraState.DISABLED: "lost",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which stream is shown, and what was done to make it playable."""

    stream: StreamName
    note: Note | None
    masks: Masks = NO_MASKS  # what is black in it


def choose(
    status: CameraStatus, wanted: StreamName, codecs: frozenset[VideoCodec], seen: dict[StreamName, VideoCodec]
) -> Choice:
    """The stream wanted when the browser can play it, else the camera's sub-stream, else a conversion.

    `seen` are codecs that runs were found to have; they count more than what was last announced.
    """
    if wanted is StreamName.SUB and status.config.sub is None:
        wanted = StreamName.MAIN

    def codec(stream: StreamName) -> VideoCodec | None:
        event = status.streams.get(stream)
        return seen.get(stream) or (event.codec if event else None)

    known = codec(wanted)
    if known is None or known in codecs:
        return Choice(wanted, None)
    if wanted is StreamName.MAIN and status.config.sub is not None and codec(StreamName.SUB) in (None, *codecs):
        return Choice(StreamName.SUB, "sub_instead")
    return Choice(wanted, "transcoded")


class _Tap:
    """What of a feed reaches a view, until it is shut.

    A feed that is reading from the disk may still hand out a piece after its viewer has left; pictures of a feed that
    the view has left, such as those without masks, must not reach it.
    """

    def __init__(self, view: "LiveView", feed: Feed) -> None:
        self._view: LiveView | None = view
        self._feed = feed

    def open(self) -> None:
        self._feed.join(self)

    def shut(self) -> None:
        self._view = None
        self._feed.leave(self)

    def begin(self, init: Init) -> None:
        if self._view is not None:
            self._view.begin(init)

    def piece(self, piece: Piece) -> None:
        if self._view is not None:
            self._view.piece(piece)

    def stalled(self) -> None:
        if self._view is not None:
            self._view.stalled()


class LiveView:
    """Follows a feed for one picture; called on the loop, never waits."""

    def __init__(
        self,
        services: Services,
        ticket: Ticket,
        address: str,
        lane: Lane,
        camera: str,
        stream: StreamName,
        codecs: frozenset[VideoCodec],
    ) -> None:
        self.camera = camera
        self._services = services
        self._ticket = ticket
        self._address = address
        self._lane = lane
        self._wanted = stream
        self._codecs = codecs
        self._seen: dict[StreamName, VideoCodec] = {}
        self._tap: _Tap | None = None
        self._masks = NO_MASKS  # that the ticket asked for when the view last began
        self._choice = Choice(stream, None)
        self._said: dict[str, object] = {}
        self._stalled = False
        self._refused: XomyenError | None = None
        self._skip = json.dumps({"type": "skip", "view": lane.number})

    def watch(self) -> None:
        """Begins to follow; a refusal is said as this view's state."""
        self._refused = None
        self._masks = self._masks_now()
        try:
            status = self._services.context.cameras.get(self.camera) if self._may_know() else None
            if status is None:
                self._allow(self._wanted, 1)
                raise UnknownCamera(self.camera)
            self._choice = self._allowed(status)
            self._say_state(status)
            self._attach()
        except XomyenError as refusal:
            self.leave()
            self._refuse(refusal)

    def leave(self) -> None:
        """Follows no longer."""
        self._detach()
        self._lane.clear()

    def renew(self, ticket: Ticket) -> None:
        """The page's new ticket: what it covers goes on without a break, what it does not ends."""
        self._ticket = ticket
        if self._refused is not None or self._masks_now() != self._masks:
            self._watch_anew()
            return
        try:
            status = self._services.context.cameras.get(self.camera)
            self._allow(self._choice.stream, _width(status, self._choice.stream))
        except XomyenError as refusal:
            self.leave()
            self._refuse(refusal)

    def changed(self, status: CameraStatus | None) -> None:
        """The camera's state or configuration changed."""
        if status is None:
            self.leave()
            self._refuse(UnknownCamera(self.camera))
        elif isinstance(self._refused, UnknownCamera) or self._masks_now() != self._masks:
            self._watch_anew()
        elif self._refused is None:
            self._say_state(status)

    def _watch_anew(self) -> None:
        """What waits to be sent goes too: it was made with other masks, or none."""
        self.leave()
        self._said = {}
        self.watch()

    def begin(self, init: Init) -> None:
        """A run begins."""
        stream = self._choice.stream
        # What was converted is the last resort, also for a page that says it cannot play even that.
        if init.codec not in self._codecs and self._choice.note not in _CONVERTED:
            self._seen[stream] = init.codec
            self._attach_again()
            return
        if self._ticket.greatest_width is not None and init.width > self._ticket.greatest_width:
            self._detach()
            self._refuse(WidthNotAllowed(init.width, self._ticket.greatest_width))
            return
        if self._stalled and (status := self._services.context.cameras.find(self.camera)) is not None:
            self._stalled = False
            self._say_state(status)
        self._lane.text(
            json.dumps(
                {
                    "type": "init",
                    "view": self._lane.number,
                    "stream": stream,
                    "mime": init.mime,
                    "note": self._choice.note,
                    "width": init.width,
                    "height": init.height,
                }
            )
        )
        self._lane.header(init.data)

    def piece(self, piece: Piece) -> None:
        """The next fragment."""
        self._lane.piece(piece, self._skip)

    def stalled(self) -> None:
        """The pictures are not converted, or not masked, for the moment: none are shown."""
        self._stalled = True
        now = format_utc(self._services.context.clock.wall_ns())
        self._say({"state": "lost", "reason": "converter", "detail": "", "since": now})

    def _may_know(self) -> bool:
        return self._ticket.may_see(self.camera)

    def _masks_now(self) -> Masks:
        return self._services.gate.masks(self._ticket, self.camera)

    def _allow(self, stream: StreamName, width: int) -> None:
        now_ns = self._services.context.clock.wall_ns()
        wish = Wish("live", "live", self.camera, stream, now_ns, now_ns, width, burns=True)
        self._services.gate.allow(self._ticket, wish, self._address)

    def _allowed(self, status: CameraStatus) -> Choice:
        """What the ticket lets be shown, and what is black in it. Raises Forbidden."""
        # Masked pictures are made anew as H.264, whatever the camera sends.
        codecs = frozenset(VideoCodec) if self._masks else self._codecs
        choice = self._fitting(status, codecs)
        return Choice(choice.stream, "masked", self._masks) if self._masks else choice

    def _fitting(self, status: CameraStatus, codecs: frozenset[VideoCodec]) -> Choice:
        """What can be played of what the ticket allows; too wide for it, the sub-stream is shown. Raises Forbidden."""
        choice = choose(status, self._wanted, codecs, self._seen)
        if choice.note == "sub_instead" and choice.stream not in self._ticket.streams:
            choice = Choice(self._wanted, "transcoded")
        try:
            self._allow(choice.stream, _width(status, choice.stream))
        except WidthNotAllowed:
            if choice.stream is StreamName.SUB or status.config.sub is None:
                raise
            choice = choose(status, StreamName.SUB, codecs, self._seen)
            self._allow(choice.stream, _width(status, choice.stream))
            choice = Choice(choice.stream, choice.note or "sub_instead")
        return choice

    def _attach(self) -> None:
        self._detach()
        hub = self._services.hub
        feed: Feed
        if self._choice.note in _CONVERTED:
            status = self._services.context.cameras.get(self.camera)
            pixels = _pixels(status, self._choice.stream)
            feed = hub.transcoded(self.camera, self._choice.stream, self._choice.masks, pixels)
        else:
            feed = hub.feed(self.camera, self._choice.stream)
        self._tap = _Tap(self, feed)
        self._tap.open()

    def _attach_again(self) -> None:
        """What came cannot be played: choose anew now that its codec is known."""
        try:
            status = self._services.context.cameras.get(self.camera)
            choice = self._allowed(status)
            if choice == self._choice:
                choice = Choice(choice.stream, "transcoded")
            self._choice = choice
            self._attach()
        except XomyenError as refusal:
            self._detach()
            self._refuse(refusal)

    def _detach(self) -> None:
        if self._tap is not None:
            self._tap.shut()
            self._tap = None
            self._stalled = False

    def _say_state(self, status: CameraStatus) -> None:
        if not self._stalled:
            self._say(_state(self._ticket, status.streams.get(self._choice.stream)))

    def _refuse(self, refusal: XomyenError) -> None:
        self._refused = refusal
        self._said = {}
        self._say({"state": "refused", "reason": refusal.code, "detail": words_for(refusal), "since": None})

    def _say(self, said: dict[str, object]) -> None:
        if said != self._said:
            self._said = said
            self._lane.text(json.dumps({"type": "state", "view": self._lane.number, **said}))


def _width(status: CameraStatus, stream: StreamName) -> int:
    event = status.streams.get(stream)
    return max(1, event.width) if event else 1


def _pixels(status: CameraStatus, stream: StreamName) -> int:
    """Of the stream's pictures; those of the largest kind while it is not known."""
    event = status.streams.get(stream)
    return (event.width * event.height if event else 0) or WHOLE_PIXELS


def _state(ticket: Ticket, event: CameraEvent | None) -> dict[str, object]:
    if event is None:
        return {"state": "connecting", "reason": None, "detail": "", "since": None}
    return {
        "state": _STATES[event.state],
        "reason": event.reason,
        "detail": detail_for(ticket, event.detail),
        "since": format_utc(event.since_ns),
    }
