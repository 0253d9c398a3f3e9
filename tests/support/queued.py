"""A connection that sends statements without a result together with the next that has one.

A fold is a dozen small statements, and on one machine each takes longer to send than to run. Their order, transactions and
texts are what the program under test asked for; only an error shows later, at the next statement with a result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg

SAVEPOINT = "queued"


def literal(value: Any) -> str:
    """A value as SQL text without a type: the statement's parameter has one."""
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int, Decimal)):
        return str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, (list, tuple)):
        return f"ARRAY[{', '.join(map(literal, value))}]" if value else "'{}'"
    raise TypeError(f"no literal for {type(value).__name__}")


class QueuedConnection:
    """The part of an asyncpg connection that projections use, over ``connection``.

    Every statement is prepared once in the session and executed by name after that.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._queue: list[str] = []
        self._names: dict[str, str] = {}
        self._depth = 0

    async def execute(self, statement: str, *arguments: Any) -> None:
        """Queue a statement; nobody here asks how many rows it concerned."""
        if not arguments:
            self._queue.append(statement)
            return
        name = self._names.get(statement)
        if name is None:
            name = self._names[statement] = f"queued_{len(self._names)}"
            self._queue.append(f"PREPARE {name} AS {statement.rstrip().removesuffix(';')}")
        self._queue.append(f"EXECUTE {name} ({', '.join(map(literal, arguments))})")

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        await self.flush()
        return await self._connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        await self.flush()
        return await self._connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        await self.flush()
        return await self._connection.fetchval(statement, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A transaction, or a savepoint inside one."""
        depth = self._depth
        self._queue.append(f"SAVEPOINT {SAVEPOINT}_{depth}" if depth else "BEGIN")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._queue.clear()
            await self._connection.execute(
                f"ROLLBACK TO SAVEPOINT {SAVEPOINT}_{depth}" if depth else "ROLLBACK"
            )
            raise
        else:
            self._queue.append(f"RELEASE SAVEPOINT {SAVEPOINT}_{depth}" if depth else "COMMIT")
        finally:
            self._depth -= 1

    async def flush(self) -> None:
        """Send what is queued. An error names what was sent with it."""
        if not self._queue:
            return
        script = "\n;\n".join(self._queue)
        self._queue.clear()
        try:
            await self._connection.execute(script)
        except asyncpg.PostgresError as error:
            error.add_note(script[:10_000])
            raise
