"""A task that is to end ends, also when a library swallows its cancellation."""

import asyncio

from xomyen.terms.tasks import end_task


async def test_a_task_whose_cancellation_was_swallowed_ends_all_the_same() -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    rounds = 0

    async def ask_again_and_again() -> None:
        nonlocal rounds
        while True:
            await asyncio.wait_for(answer if rounds == 0 else asyncio.sleep(3600), 3600)
            rounds += 1

    task = asyncio.create_task(ask_again_and_again())
    await asyncio.sleep(0)
    answer.set_result(None)  # in the same turn of the loop as the cancellation
    async with asyncio.timeout(30):
        await end_task(task)
    assert task.cancelled()


async def test_nothing_and_what_has_failed_already_is_quiet() -> None:
    async def fail() -> None:
        raise ValueError("told elsewhere")

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end_task(task)
    await end_task(None)
    assert isinstance(task.exception(), ValueError)
