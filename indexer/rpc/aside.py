"""Work on large answers, done beside the event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

LARGE_BYTES = 1 << 18
"""Answers of so many bytes are worked on in a thread; smaller ones take less time than handing them over."""

_WORKER = ThreadPoolExecutor(1, thread_name_prefix="answers")
"""One at a time: the interpreter's lock lets no two of them be faster than one, and each takes memory."""

Params = ParamSpec("Params")
Result = TypeVar("Result")


async def aside(
    nbytes: int, work: Callable[Params, Result], *args: Params.args, **more: Params.kwargs
) -> Result:
    """Do CPU work in a worker thread where there is much of it, so that the event loop keeps turning."""
    if nbytes < LARGE_BYTES:
        return work(*args, **more)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_WORKER, functools.partial(work, *args, **more))
