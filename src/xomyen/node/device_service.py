"""What a centre asks of the node about devices: probing, discovery, steering."""

import asyncio
import importlib
from contextlib import AsyncExitStack
from typing import Self

from nats.aio.client import Client

from xomyen.bus.device_messages import (
    MOST_ADDRESSES,
    DiscoverWanted,
    JobState,
    JobWanted,
    ProbeWanted,
    PtzWanted,
)
from xomyen.bus.messages import StreamConfig
from xomyen.bus.service import Service
from xomyen.node.config_service import validate_stream
from xomyen.node.device_credentials import Keyring
from xomyen.node.device_decoder import ProbeDecoder
from xomyen.node.device_jobs import Job, Jobs
from xomyen.node.device_ptz import Steering
from xomyen.node.device_search import Search, SearchPlaces
from xomyen.node.secrets import Secrets
from xomyen.terms.time import Clock

_STEERED_AT_ONCE = 32


class DeviceService:
    """Answers device.probe, .discover, .job, .stop and .ptz while it is entered."""

    def __init__(self, client: Client, node: str, secrets: Secrets, places: SearchPlaces, clock: Clock) -> None:
        """`places` bound where anything but a stream is asked; see `Networks`."""
        self._service = Service(client, node, "device")
        self._places = places
        self._keyring = Keyring(client, node, secrets)
        self._decoder = ProbeDecoder()
        self._jobs = Jobs(clock)
        self._steering = Steering(places.networks, self._keyring, clock)
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._exit.enter_async_context(self._decoder)
        await self._exit.enter_async_context(self._jobs)
        await self._exit.enter_async_context(self._steering)
        await self._service.offer("probe", ProbeWanted, self.probe)
        await self._service.offer("discover", DiscoverWanted, self.discover)
        await self._service.offer("job", JobWanted, self.job)
        await self._service.offer("stop", JobWanted, self.stop, at_once=4)
        await self._service.offer("ptz", PtzWanted, self._steering.handle, at_once=_STEERED_AT_ONCE)
        await self._service.reachable()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._service.close()
        await self._exit.aclose()

    async def probe(self, wanted: ProbeWanted) -> JobState:
        """Begins to look at a stream. Raises InvalidConfiguration, UnknownCamera, DevicesBusy."""
        validate_stream(StreamConfig(url=wanted.url), "probe")
        credentials = await self._keyring.open(wanted.credentials, wanted.url)

        async def work(job: Job) -> None:
            await _load_probing()
            from xomyen.node.device_probe import probe_stream

            await probe_stream(job, wanted, credentials, self._decoder)

        return self._jobs.begin("probe", work).state()

    async def discover(self, wanted: DiscoverWanted) -> JobState:
        """Begins to look for devices. Raises InvalidConfiguration, DevicesBusy."""
        addresses = self._places.networks.expand(wanted.addresses, MOST_ADDRESSES)
        credentials = await self._keyring.open(wanted.credentials)

        async def work(job: Job) -> None:
            # Whoever finds a camera wants to see its picture next.
            async with self._decoder.used():
                await asyncio.gather(_load_probing(), Search(job, self._places, credentials).run(wanted, addresses))

        return self._jobs.begin("discover", work).state()

    async def job(self, wanted: JobWanted) -> JobState:
        """How far it has come. Raises UnknownJob."""
        return self._jobs.find(wanted.job).state(wanted.skip)

    async def stop(self, wanted: JobWanted) -> JobState:
        """Ends it early. Raises UnknownJob."""
        return (await self._jobs.stop(wanted.job)).state(wanted.skip)


async def _load_probing() -> None:
    """Loads what reads video: when it is needed, and beside the loop, because a camera may have to be stopped."""
    await asyncio.to_thread(importlib.import_module, "xomyen.node.device_probe")
