"""The cameras a ticket covers and what their streams do: a list, and a stream of changes, with the node's alarms."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import JSONResponse, Response

from xomyen.access.tickets import Ticket
from xomyen.bus.messages import Alarm, CameraEvent, CameraStatus, StreamConfig
from xomyen.node.gateway.services import Services
from xomyen.node.gateway.streamed import StreamedResponse
from xomyen.node.gateway.telling import detail_for, in_charge
from xomyen.node.gateway.tickets import RECHECK_S
from xomyen.node.gateway.visit import NO_STORE, Visit
from xomyen.terms.errors import Forbidden
from xomyen.terms.time import format_utc
from xomyen.terms.words import CameraState, StreamName

_PING_S = 10.0
_CHANGES_WAITING = 2000


def camera_json(camera: CameraStatus, ticket: Ticket) -> dict[str, Any]:
    """A camera as docs/api.md describes it: without its URL, user or password."""
    config = camera.config
    streams = {StreamName.MAIN: config.main, **({StreamName.SUB: config.sub} if config.sub else {})}
    return {
        "id": config.id,
        "name": config.name,
        "site": config.site,
        "order": config.order,
        "enabled": config.enabled,
        "streams": {
            name: _stream_json(stream, camera.streams.get(name), config.enabled, ticket)
            for name, stream in streams.items()
        },
    }


def _stream_json(config: StreamConfig, event: CameraEvent | None, enabled: bool, ticket: Ticket) -> dict[str, Any]:
    resting = CameraState.CONNECTING if enabled else CameraState.DISABLED
    if event is None:
        return {
            "state": resting,
            "since": None,
            "reason": None,
            "detail": "",
            "codec": None,
            "codec_string": "",
            "width": 0,
            "height": 0,
            "recorded": config.record,
        }
    return {
        "state": event.state,
        "since": format_utc(event.since_ns),
        "reason": event.reason,
        "detail": detail_for(ticket, event.detail),
        "codec": event.codec,
        "codec_string": event.codec_string,
        "width": event.width,
        "height": event.height,
        "recorded": config.record,
    }


async def list_cameras(visit: Visit) -> Response:
    """Those of the ticket, in the order of the wall."""
    listed = visit.services.context.cameras.listed()
    cameras = [camera_json(camera, visit.ticket) for camera in listed if visit.ticket.may_see(camera.config.id)]
    return JSONResponse({"cameras": cameras}, headers=NO_STORE)


async def changes(visit: Visit) -> Response:
    """Server-Sent Events (HTML standard §9.2): every camera once, then each change; alarms to those in charge."""
    return StreamedResponse(
        _events(visit.services, visit.ticket, visit.services.gate.by_cookie(visit.request)),
        media_type="text/event-stream",
        headers={**NO_STORE, "X-Accel-Buffering": "no"},
    )


async def _events(services: Services, ticket: Ticket, renewable: bool) -> AsyncGenerator[bytes, None]:
    context = services.context
    queue: asyncio.Queue[bytes] = asyncio.Queue(_CHANGES_WAITING)
    overrun = asyncio.Event()

    def put(event: bytes) -> None:
        try:
            queue.put_nowait(event)
        except asyncio.QueueFull:
            overrun.set()  # the browser reconnects and gets everything afresh

    def changed(camera: str, status: CameraStatus | None) -> None:
        if ticket.may_see(camera):
            put(_camera_event(camera, status, ticket))

    stops = [context.cameras.listen(changed)]
    if in_charge(ticket):
        stops.append(context.alarms.listen(lambda: put(_alarms_event(context.alarms.standing))))
    closing = asyncio.create_task(services.closing.wait())
    waiting = asyncio.create_task(queue.get())
    try:
        yield b"retry: 1000\n\n"
        for camera in context.cameras.listed():
            if ticket.may_see(camera.config.id):
                yield _camera_event(camera.config.id, camera, ticket)
        if in_charge(ticket):
            yield _alarms_event(context.alarms.standing)
        silent_s = 0.0
        while not overrun.is_set() and not closing.done():
            done, _ = await asyncio.wait({waiting, closing}, timeout=RECHECK_S, return_when=asyncio.FIRST_COMPLETED)
            if waiting in done:
                silent_s = 0.0
                event = waiting.result()
                waiting = asyncio.create_task(queue.get())
                yield event
                continue
            try:
                services.gate.still_valid(ticket)
            except Forbidden:
                yield b"event: signed_out\ndata: {}\n\n"
                return
            if renewable and services.renewals.due(ticket):
                return  # the browser asks again at once, and the answer to that renews the cookie
            silent_s += RECHECK_S
            if silent_s + RECHECK_S > _PING_S:
                silent_s = 0.0
                yield b": ping\n\n"
    finally:
        for stop in stops:
            stop()
        closing.cancel()
        waiting.cancel()


def _camera_event(camera: str, status: CameraStatus | None, ticket: Ticket) -> bytes:
    if status is None:
        return f"event: removed\ndata: {json.dumps({'id': camera})}\n\n".encode()
    return f"event: camera\ndata: {json.dumps(camera_json(status, ticket), ensure_ascii=False)}\n\n".encode()


def _alarms_event(alarms: tuple[Alarm, ...]) -> bytes:
    told = [
        {"code": alarm.code, "path": alarm.path, "since": format_utc(alarm.since_ns), "detail": alarm.text}
        for alarm in alarms
    ]
    return f"event: alarms\ndata: {json.dumps({'alarms': told}, ensure_ascii=False)}\n\n".encode()
