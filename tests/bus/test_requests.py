"""Request and reply: typed both ways, refusals arrive as the error they were."""

import asyncio
import errno

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel

from xomyen.bus.messages import ErrorReply
from xomyen.bus.requests import Empty, answer, ask
from xomyen.terms.errors import AlreadyRunning, Conflict, InvalidConfiguration, NotRunning, UnknownCamera, XomyenError


class Number(BaseModel):
    value: int


async def test_an_answer_comes_back_as_its_message(client: Client) -> None:
    async def double(request: Number) -> Number:
        return Number(value=request.value * 2)

    await answer(client, "svc.double", Number, double)
    assert (await ask(client, "svc.double", Number(value=21), Number)).value == 42


@pytest.mark.parametrize(
    "error", [UnknownCamera("chợ"), Conflict("changed"), AlreadyRunning("here"), XomyenError("odd")]
)
async def test_a_refusal_is_raised_as_the_same_error(client: Client, error: XomyenError) -> None:
    async def refuse(_request: Empty) -> Empty:
        raise error

    await answer(client, "svc.refuse", Empty, refuse)
    with pytest.raises(type(error)) as raised:
        await ask(client, "svc.refuse", Empty(), Empty)
    assert raised.value.message == error.message
    assert raised.value.exit_code == error.exit_code


async def test_a_request_that_makes_no_sense_is_refused_with_the_field(client: Client) -> None:
    async def never(request: Number) -> Number:
        raise AssertionError(request)

    await answer(client, "svc.number", Number, never)
    with pytest.raises(InvalidConfiguration, match="value") as raised:
        await ask(client, "svc.number", Empty(), Number)
    assert raised.value.details["field"] == "value"
    for garbage in (b"\xff\xfe", b"[1]", b"null", b'{"value":"x"}'):
        assert b"invalid_configuration" in (await client.request("svc.number", garbage, timeout=5)).data


async def test_a_fault_of_the_service_is_told_and_the_service_goes_on(client: Client) -> None:
    async def divide(request: Number) -> Number:
        return Number(value=10 // request.value)

    await answer(client, "svc.divide", Number, divide)
    with pytest.raises(XomyenError, match="ZeroDivisionError"):
        await ask(client, "svc.divide", Number(value=0), Number)
    assert (await ask(client, "svc.divide", Number(value=5), Number)).value == 2


async def test_a_bus_that_is_late_is_told_as_busy_and_a_fault_that_is_named_alike_as_a_fault(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [nats.errors.TimeoutError(), TimeoutError(), OSError(errno.ETIMEDOUT, "disk")]

    async def fail(request: Number) -> Number:
        raise faults[request.value]

    await answer(client, "svc.fail", Number, fail)
    with pytest.raises(NotRunning, match="too busy"):
        await ask(client, "svc.fail", Number(value=0), Number)
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
    for value in (1, 2):
        with pytest.raises(XomyenError, match="see the log") as raised:
            await ask(client, "svc.fail", Number(value=value), Number)
        assert not isinstance(raised.value, NotRunning)
        assert caplog.records[-1].exc_info is not None


async def test_a_service_that_waits_for_others_handles_requests_together_up_to_its_bound(client: Client) -> None:
    together: list[int] = []
    full, over = asyncio.Event(), asyncio.Event()

    async def wait(request: Number) -> Number:
        together.append(request.value)
        if len(together) == 2:
            full.set()
        await over.wait()
        return request

    await answer(client, "svc.wait", Number, wait, at_once=2)
    asked = [asyncio.create_task(ask(client, "svc.wait", Number(value=value), Number)) for value in (1, 2, 3)]
    await full.wait()
    await client.flush()
    assert together == [1, 2]
    over.set()
    assert [reply.value for reply in await asyncio.gather(*asked)] == [1, 2, 3]


async def test_a_refusal_of_a_kind_that_only_the_other_side_knows_keeps_its_code(client: Client) -> None:
    async def refuse(message: Msg) -> None:
        reply = ErrorReply(error="camera_of_another_kind", message="It is odd.")
        await message.respond(reply.model_dump_json().encode())

    await client.subscribe("svc.odd", cb=refuse)
    with pytest.raises(XomyenError, match="odd") as raised:
        await ask(client, "svc.odd", Empty(), Empty)
    assert raised.value.details["code"] == "camera_of_another_kind"


async def test_a_service_that_nobody_offers_is_told_at_once(client: Client) -> None:
    with pytest.raises(NotRunning, match="Nobody answers"):
        await ask(client, "xy.n.svc.recorder.state", Empty(), Empty)
