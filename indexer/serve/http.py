"""``/livez``, ``/readyz`` and ``/metrics`` over aiohttp."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from indexer import __version__, metrics
from indexer.config_values import split_listen
from indexer.errors import ConfigError
from indexer.logging import logger
from indexer.redaction import redact

_PLAIN = "text/plain; version=0.0.4; charset=utf-8"
_STOP_SECONDS = 1.0
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What ``/readyz`` says. ``problems`` is empty exactly when ``ready``; ``chains`` holds figures for people."""

    ready: bool
    problems: list[str]
    chains: Mapping[str, Any] = field(default_factory=dict)


class HealthServer:
    """Serves health and metrics on one address.

    ``health`` is called for each ``/readyz`` on the event loop: it has to answer from memory, at once. ``/livez`` asks
    nobody; that it answers shows that the event loop turns.

    Args:
        listen: ``host:port``; port 0 takes a free one, which ``port`` tells.
        health: the state to report.
    """

    def __init__(self, listen: str, health: Callable[[], Health]) -> None:
        self._listen = listen
        self._health = health
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to serve; raises ``ConfigError`` when the address cannot be had."""
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        host, port = split_listen(self._listen)
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(f'http.listen = "{self._listen}": {_reason(error)}') from error
        self._runner = runner
        _log.info("http listens", address=f"{host}:{self.port}")

    async def stop(self) -> None:
        """Stop serving within about a second; safe to call twice, and before ``start``."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def port(self) -> int:
        """The port that is served, known once started."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the server is not started")
        return int(self._runner.addresses[0][1])

    async def _index(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"gemforce-indexer {__version__}\n\n/livez\n/readyz\n/metrics\n")

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _readyz(self, _request: web.Request) -> web.Response:
        health = self._health()
        body = {
            "ready": health.ready,
            "problems": [redact(problem) for problem in health.problems],
            "chains": dict(health.chains),
        }
        return web.json_response(body, status=200 if health.ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": _PLAIN})


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; stop what uses it, choose another, or let port 0 take a free one"
    if error.errno == errno.EACCES:
        return "not permitted; ports below 1024 need privileges, choose a higher one"
    return f"cannot be listened on ({error.strerror or error}); the host has to be an address of this machine"
