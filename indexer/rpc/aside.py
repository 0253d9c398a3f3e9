"""Work on large answers, done beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LARGE_BYTES = 1 << 18
"""Answers of so many bytes are worked on in a thread; smaller ones take less time than handing them over."""

Params = ParamSpec("Params")
Result = TypeVar("Result")


async def aside(
    nbytes: int, work: Callable[Params, Result], *args: Params.args, **more: Params.kwargs
) -> Result:
    """Do CPU work in a worker thread where there is much of it, so that the event loop keeps turning."""
    if nbytes < LARGE_BYTES:
        return work(*args, **more)
    return await asyncio.to_thread(work, *args, **more)
