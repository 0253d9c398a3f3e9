"""Log lines: structlog, JSON where stderr is no terminal and coloured lines where it is, never a secret.

The standard library's loggers (asyncio, aiohttp, websockets, …) go the same way, so that one stream has one format.
Every value of every line passes ``redact``: a URL keeps scheme, host and port, nothing else.

The package imports absolutely: ``import logging`` in here is the standard library.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from indexer.redaction import HIDDEN, redact

__all__ = ["LogFormat", "LogLevel", "configure", "logger", "redact", "redact_secrets"]

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

_SECRET_KEY = re.compile(r"password|passwd|secret|api_?key|authorization|private_?key", re.IGNORECASE)
_MAX_DEPTH = 6
_CHATTY = ("asyncio", "aiohttp", "web3", "websockets", "urllib3", "asyncpg")


def _redact_value(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        return {_redact_value(key, depth + 1): _redact_item(key, item, depth) for key, item in value.items()}
    if depth < _MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
        return [_redact_value(item, depth + 1) for item in value]
    named = isinstance(value, BaseException)
    return redact(f"{type(value).__name__}: {value}" if named else str(value))


def _redact_item(key: Any, value: Any, depth: int) -> Any:
    return HIDDEN if _SECRET_KEY.search(str(key)) else _redact_value(value, depth + 1)


def redact_secrets(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """A structlog processor: ``redact`` on every value, and nothing at all of values whose key speaks of a secret.

    Keys that begin with ``_`` belong to structlog and stay; bytes become ``0x`` and hex.
    """
    return {
        key: value if key.startswith("_") else _redact_item(key, value, 0)
        for key, value in event_dict.items()
    }


class _CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is at that moment, so that a progress display may stand in its place."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """The stream is always the current one."""


def configure(level: LogLevel = "info", log_format: LogFormat = "auto") -> None:
    """Route structlog and the standard library's loggers to stderr; may be called again to change either.

    Args:
        level: least severe level that is printed; libraries speak from ``warning`` on, unless it is ``debug``.
        log_format: ``auto`` is ``console`` where stderr is a terminal and ``json`` elsewhere.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _install_handler(_formatter(shared, console=console), level)


def _formatter(shared: list[Processor], *, console: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, pad_event_to=24)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _install_handler(formatter: logging.Formatter, level: LogLevel) -> None:
    handler = _CurrentStderr()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _CurrentStderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; its name stands in each line as ``logger``."""
    return structlog.stdlib.get_logger(name)
