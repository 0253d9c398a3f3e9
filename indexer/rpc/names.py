"""Names of endpoints, and the guard that keeps the rest of a URL out of every text.

URLs of providers carry keys in path, query or user information. An endpoint is called by host and port only; whatever
a provider, a library or the system says is scrubbed before it becomes a message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from indexer.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s/@\"'<>]*@)?([^\s/?#\"'<>@]*)[^\s\"'<>]*", re.IGNORECASE)
_LONGEST_MESSAGE = 300
_SHORTEST_SECRET = 6
_HIDDEN = "…"


def endpoint_names(urls: Sequence[str]) -> list[str]:
    """A name for each URL: ``host:port``, the second of one host and port with ``#2``, and so on.

    Raises:
        ConfigError: for a URL that is none, naming its place in the list and never its text.
    """
    counts: dict[str, int] = {}
    names = []
    for place, url in enumerate(urls):
        base = _host_and_port(url, place)
        counts[base] = counts.get(base, 0) + 1
        names.append(base if counts[base] == 1 else f"{base}#{counts[base]}")
    return names


def _host_and_port(url: str, place: int) -> str:
    problem = f"rpc[{place}]: not an http, https, ws or wss URL with a host"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(problem) from None  # the cause quotes the URL
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ConfigError(problem)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port or _DEFAULT_PORTS[parts.scheme]}"


class Scrubber:
    """Removes from texts what of ``url`` may be a secret: user information, path segments, query."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        pieces = {parts.username or "", parts.password or "", parts.query, parts.fragment, parts.path}
        pieces |= set(re.split(r"[/&=]", parts.path)) | set(re.split(r"[&=]", parts.query))
        pieces |= {unquote(piece) for piece in pieces}
        kept = {piece for piece in pieces if len(piece) >= _SHORTEST_SECRET}
        self._secrets = sorted(kept, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text in one line, without secrets and with any URL cut to scheme, host and port; at most 300 characters."""
        clean = _URL.sub(r"\1\2", " ".join(text[: 20 * _LONGEST_MESSAGE].split()))
        for secret in self._secrets:
            clean = clean.replace(secret, _HIDDEN)
        return clean if len(clean) <= _LONGEST_MESSAGE else clean[:_LONGEST_MESSAGE] + _HIDDEN
