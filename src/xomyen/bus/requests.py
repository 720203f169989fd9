"""Request and reply on the bus: typed messages there and back, refusals as the error they were."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import BaseModel, ValidationError

from xomyen.bus.messages import ErrorReply
from xomyen.terms.errors import Conflict, InvalidConfiguration, NotRunning, XomyenError

_LOG = logging.getLogger(__name__)

Reply = TypeVar("Reply", bound=BaseModel)
Request = TypeVar("Request", bound=BaseModel)


class Empty(BaseModel):
    """A request or a reply that says nothing but that it is one."""


async def ask(
    client: Client, subject: str, request: BaseModel | None, reply: type[Reply], seconds: float = 10.0
) -> Reply:
    """Asks a service of the node and waits for its answer.

    Raises the XomyenError with which the service refused, or NotRunning when none answers in time.
    """
    payload = request.model_dump_json().encode() if request is not None else b"{}"
    try:
        answer = await client.request(subject, payload, timeout=seconds)
    except nats.errors.NoRespondersError as error:
        raise NotRunning(f"Nobody answers for {_service(subject)}: that part of the node is not running.") from error
    except (nats.errors.TimeoutError, TimeoutError) as error:
        raise NotRunning(f"{_service(subject)} did not answer within {seconds:.0f} s.") from error
    except nats.errors.Error as error:
        raise NotRunning(f"The bus does not answer ({type(error).__name__}).") from error
    return read_reply(answer.data, reply)


def read_reply(data: bytes, reply: type[Reply]) -> Reply:
    """The reply's message; raises the XomyenError it carries when it is a refusal."""
    try:
        found = json.loads(data)
        if isinstance(found, dict) and "error" in found:
            refusal = ErrorReply.model_validate(found)
            raise error_of(refusal)
        return reply.model_validate(found)
    except ValueError as error:
        raise Conflict(f"The node's answer cannot be read by this version: {error}") from error


def error_of(refusal: ErrorReply) -> XomyenError:
    """The same error on this side of the bus as on the other.

    A kind that this side does not know, as the centre those of cameras, becomes a XomyenError; `details["code"]` has
    the code of any.
    """
    kind = _kinds().get(refusal.error, XomyenError)
    error = kind.__new__(kind)
    # Leaves of the tree build their message in different ways; here it is ready.
    XomyenError.__init__(error, refusal.message, field=refusal.field or None, code=refusal.error)
    return error


def _kinds() -> dict[str, type[XomyenError]]:
    found: dict[str, type[XomyenError]] = {}
    waiting: list[type[XomyenError]] = [XomyenError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    return found


def refusal_of(error: XomyenError) -> ErrorReply:
    """What a service answers when it refuses."""
    return ErrorReply(error=error.code, message=error.message, field=str(error.details.get("field") or ""))


async def answer(
    client: Client,
    subject: str,
    request: type[Request],
    handler: Callable[[Request], Awaitable[BaseModel]],
    at_once: int = 1,
) -> Subscription:
    """Offers a service: every request on the subject is handled in turn, every refusal is answered.

    With `at_once` so many are handled together, for handlers that wait for others than this machine.
    """
    some = asyncio.Semaphore(at_once)
    running: set[asyncio.Task[None]] = set()

    async def respond(message: Msg) -> None:
        try:
            reply = await _handled(message.data, request, handler, subject)
        finally:
            some.release()
        try:
            await message.respond(reply.model_dump_json().encode())
        except nats.errors.Error as error:
            _LOG.info("an answer of %s did not go out: %s", _service(subject), type(error).__name__)

    async def received(message: Msg) -> None:
        if not message.reply:
            return
        await some.acquire()
        if at_once == 1:
            await respond(message)
        else:
            task = asyncio.create_task(respond(message))
            running.add(task)
            task.add_done_callback(running.discard)

    return await client.subscribe(subject, queue="service", cb=received)


async def _handled(
    data: bytes, request: type[Request], handler: Callable[[Request], Awaitable[BaseModel]], subject: str
) -> BaseModel:
    try:
        asked = request.model_validate_json(data or b"{}")
    except ValidationError as error:
        return refusal_of(_invalid(error))
    try:
        return await handler(asked)
    except XomyenError as error:
        return refusal_of(error)
    except nats.errors.TimeoutError:
        # The bus itself, whose store waits for a disk that has much to do: nothing speaks against what was asked.
        _LOG.warning("%s: the bus did not answer in time", _service(subject))
        return refusal_of(NotRunning(f"The node is too busy for {_service(subject)}: try again."))
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  # the one who asked must hear of it, whatever it was
        _LOG.exception("%s failed", _service(subject))
        return ErrorReply(error="error", message=f"{_service(subject)} failed: {type(error).__name__}; see the log.")


def _invalid(error: ValidationError) -> InvalidConfiguration:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return InvalidConfiguration(f"{field or 'The request'}: {first['msg']}.", field=field)


def _service(subject: str) -> str:
    """config.put, from xy.NODE.svc.config.put."""
    return subject.partition(".svc.")[2] or subject
