"""Keeps secrets out of text: log lines, errors, tables, reports."""

from __future__ import annotations

import re

_URL = re.compile(r"\b(https?|wss?|postgres(?:ql)?(?:\+\w+)?)://([^\s'\"<>\\`]*)", re.IGNORECASE)
_PASSWORD = re.compile(
    r"\b(password|passwd|pgpassword|secret|api_?key)(\s*[=:]\s*)[^\s,;&'\"]+", re.IGNORECASE
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_HOSTS = re.compile(
    r"(\[[0-9a-fA-F:.]+\]|[^\[\]:,@/?#]*)(:\d+)?(,(\[[0-9a-fA-F:.]+\]|[^\[\]:,@/?#]*)(:\d+)?)*"
)
HIDDEN = "[redacted]"


def redact(text: str) -> str:
    """The text with every URL cut to ``scheme://host:port`` and every password or bearer token replaced.

    What stands where a host should and cannot be one (a password with a slash in it) is hidden as well.
    """
    text = _URL.sub(_cut_url, text)
    text = _PASSWORD.sub(rf"\1\2{HIDDEN}", text)
    return _BEARER.sub(rf"\1 {HIDDEN}", text)


def _cut_url(match: re.Match[str]) -> str:
    scheme, rest = match.group(1), match.group(2)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host = authority.rstrip(".,;:)]}") if not authority.startswith("[") else authority.rstrip(".,;:)}")
    trailing = authority[len(host) :] if authority == rest else ""
    return f"{scheme}://{host if _HOSTS.fullmatch(host) else HIDDEN}{trailing}"
