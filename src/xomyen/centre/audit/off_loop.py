"""Database work of the worker's duties, away from its event loop."""

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

Answer = TypeVar("Answer")


async def in_database(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """Runs the work in the thread that holds the process's database connection, with one that is still alive."""

    def alive() -> Answer:
        close_old_connections()
        return work(*arguments)

    found: Answer = await sync_to_async(alive)()
    return found
