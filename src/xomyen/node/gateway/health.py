"""The node's state for its own machine and for those who watch it: /healthz and /metrics."""

import hmac
import ipaddress

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xomyen.bus import subjects
from xomyen.bus.messages import NodeHealth, RecorderState, Statistics
from xomyen.bus.requests import Empty, ask
from xomyen.node.gateway.problems import problem
from xomyen.node.gateway.services import Services, services_of
from xomyen.node.gateway.tickets import address_of
from xomyen.terms.errors import XomyenError
from xomyen.terms.words import CameraState, StreamName

_PATIENCE_S = 2.0


def _is_own_machine(request: Request) -> bool:
    """Whether the request comes from this machine itself, not through a proxy on it."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        return False


def _may_read(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return _is_own_machine(request) or (bool(token) and hmac.compare_digest(given.encode(), token.encode()))


def _refusal() -> Response:
    return problem(403, "forbidden", "This is told only on the node's own machine, or to the metrics token.")


async def show_health(request: Request) -> Response:
    """Whether every part of the node runs: 200 when so, 503 with what is wrong when not."""
    services = services_of(request)
    if not _may_read(request, services.context.metrics_token):
        return _refusal()
    context = services.context
    parts: list[dict[str, object]] = []
    problems: list[str] = []
    try:
        health = await ask(
            context.bus, subjects.service(context.node, "node", "health"), Empty(), NodeHealth, _PATIENCE_S
        )
        parts = [part.model_dump(include={"name", "running", "restarts", "detail"}) for part in health.parts]
        problems += [f"{part.name}: {part.detail or 'not running'}" for part in health.parts if not part.running]
    except XomyenError as error:
        problems.append(f"supervisor: {error.message}")
    try:
        state = await ask(
            context.bus, subjects.service(context.node, "recorder", "state"), Empty(), RecorderState, _PATIENCE_S
        )
        problems += [f"recorder: {text}" for text in state.problems]
    except XomyenError as error:
        problems.append(f"recorder: {error.message}")
    states = [
        event.state
        for camera in context.cameras.listed()
        for stream, event in camera.streams.items()
        if stream is StreamName.MAIN
    ]
    document = {
        "ok": not problems,
        "node": context.node,
        "parts": parts,
        "problems": problems,
        "cameras": {state: states.count(state) for state in CameraState},
    }
    return JSONResponse(document, 503 if problems else 200, {"Cache-Control": "no-store"})


async def show_metrics(request: Request) -> Response:
    """Prometheus text exposition: the recorder's own values, then the gateway's."""
    services = services_of(request)
    if not _may_read(request, services.context.metrics_token):
        return _refusal()
    context = services.context
    text = ""
    try:
        statistics = await ask(
            context.bus, subjects.service(context.node, "recorder", "statistics"), Empty(), Statistics, _PATIENCE_S
        )
        text = statistics.text
    except XomyenError:
        text = "# the recorder does not answer\n"
    own = generate_latest(_registry(services)).decode()
    return Response(text + own, 200, {"Cache-Control": "no-store"}, "text/plain; version=0.0.4; charset=utf-8")


def _registry(services: Services) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(f"xomyen_gateway_{name}", text, registry=registry).set(value)

    gauge("live_sockets", "Pages that watch live pictures", services.places.pages)
    gauge("live_feeds", "Streams watched live", len(services.hub.feeds))
    delays = [feed.delay_ns for feed in services.hub.feeds]
    gauge("live_delay_seconds", "Greatest delay from write to viewer, newest fragments", max(delays, default=0) / 1e9)
    gauge("transcoding", "Live streams being re-encoded", services.hub.transcoding)
    gauge("downloads", "Clips and exports being sent", services.downloads.running)
    gauge("access_events_dropped", "Access events that the bus could not take", services.told.dropped)
    return registry
