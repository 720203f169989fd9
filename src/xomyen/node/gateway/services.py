"""What the end-points share while the application runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from xomyen.access.device_proof import Nonces
from xomyen.node.gateway.access_log import AccessLog
from xomyen.node.gateway.context import GatewayContext
from xomyen.node.gateway.downloads import Downloads
from xomyen.node.gateway.live_limits import LivePlaces
from xomyen.node.gateway.renewal import Renewals
from xomyen.node.gateway.throttle import Throttle
from xomyen.node.gateway.tickets import Gate
from xomyen.playback.footage import FileShelf
from xomyen.playback.footage_reader import FootageReader
from xomyen.playback.lane import Lane, VolumeLanes
from xomyen.playback.live_hub import LiveHub
from xomyen.playback.pool import DecoderPool
from xomyen.playback.still import Stills
from xomyen.playback.transcode import PastTranscoder
from xomyen.recording.index_reader import IndexReader

_LOOKUP_THREADS = 4  # that ask the index
_LOOKUPS_WAITING = 256
_VOLUME_THREADS = 6  # that read the footage of one volume
_VOLUME_WAITING = 128
_STILL_PROCESSES = 2
_STILLS_WAITING = 64
_TRANSCODES_WAITING = 8
_SIGN_IN_BURST = 5
_SIGN_IN_SECONDS = 12.0
_BY_KEY_BURST = 30  # several screens behind one address, each with a few grants
_BY_KEY_SECONDS = 1.0


@dataclass(slots=True)
class Services:
    """Made when the application starts, gone when it ends."""

    context: GatewayContext
    gate: Gate
    renewals: Renewals
    told: AccessLog
    hub: LiveHub
    lookups: Lane
    footage: FootageReader
    downloads: Downloads
    stills: Stills
    transcoder: PastTranscoder
    sign_ins: Throttle
    by_key: Throttle
    nonces: Nonces
    closing: asyncio.Event  # set before the server stops: long answers end themselves
    places: LivePlaces = field(default_factory=LivePlaces)

    def index(self) -> IndexReader:
        """The recording index. Raises NoFootage while nothing was ever recorded."""
        return self.context.index.open()


@asynccontextmanager
async def services(context: GatewayContext, closing: asyncio.Event) -> AsyncIterator[Services]:
    """Starts what runs beside the requests and stops it again."""
    lookups = Lane("lookup", _LOOKUP_THREADS, _LOOKUPS_WAITING)
    async with (
        AccessLog(context.bus, context.node) as told,
        LiveHub(context.bus, context.node, context.index.open, context.clock, lookups, context.transcoders) as hub,
        DecoderPool(_STILL_PROCESSES, _STILLS_WAITING, warm=_STILL_PROCESSES) as decoders,
        DecoderPool(context.transcoders, _TRANSCODES_WAITING) as transcoders,
    ):
        volumes = VolumeLanes(_VOLUME_THREADS, _VOLUME_WAITING)
        downloads = Downloads()
        footage = FootageReader(FileShelf(), lookups, volumes)
        renewals = Renewals(context)
        running = Services(
            context=context,
            gate=Gate(context.checker, context.cameras, told, context.clock, renewals.newest, context.cookie),
            renewals=renewals,
            told=told,
            hub=hub,
            lookups=lookups,
            footage=footage,
            downloads=downloads,
            stills=Stills(decoders, footage),
            transcoder=PastTranscoder(transcoders, volumes),
            sign_ins=Throttle(context.clock, _SIGN_IN_BURST, _SIGN_IN_SECONDS),
            by_key=Throttle(context.clock, _BY_KEY_BURST, _BY_KEY_SECONDS),
            nonces=Nonces(context.clock),
            closing=closing,
        )
        try:
            yield running
        finally:
            closing.set()
            for lanes in (lookups, volumes, downloads.lane):
                lanes.close()


def services_of(connection: HTTPConnection) -> Services:
    """The running application's services."""
    return cast("Services", connection.app.state.services)
