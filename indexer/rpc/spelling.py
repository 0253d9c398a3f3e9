"""Error texts in one spelling, so that a few patterns hold for many providers' wordings.

Lower case, one space between words, numbers as plain digits, ranges as ``<first..last>``.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"<[^>]{0,200}>")
_SPACE = re.compile(r"\s+")
_NUMBER = r"(?:0x[0-9a-f]{1,16}|\d{1,20})"
_GROUPED = re.compile(r"(?<![\w.,])(\d{1,3})((?:[,_'\u2019\u202f\u00a0]\d{3})+)(?![\d])")
_KILO = re.compile(r"(?<![\w.])(\d{1,7}(?:\.\d{1,3})?) ?([km])(?![a-z0-9])")
_HEX = re.compile(r"(?<![\w])0x([0-9a-f]{1,16})(?![0-9a-z])")
_PAIRS = (
    re.compile(rf"[\[(]\s*({_NUMBER})\s*(?:,|-|\u2013|\.\.|:|to)\s*({_NUMBER})\s*[\])]"),
    re.compile(
        rf"(?:range|blocks?|from|between|retry with|try|with)\W{{0,4}}({_NUMBER})(?:\s*(?:-|\u2013|\.\.|to|and)\s*|,\s+)"
        rf"(?:to ?block\W{{0,3}})?({_NUMBER})(?![\w%])"
    ),
    re.compile(
        rf"from_?\s?(?:block)?\W{{0,4}}({_NUMBER})\W{{1,6}}(?:and |to )?to_?\s?(?:block)?\W{{0,4}}({_NUMBER})"
    ),
)
_PAIR = re.compile(r"<(\d+)\.\.(\d+)>")


def normalise(text: str) -> str:
    """The text in the one spelling; at most 4,000 characters of it."""
    plain = _SPACE.sub(" ", _TAG.sub(" ", text[:4000].lower())).strip()
    for pattern in _PAIRS:
        plain = pattern.sub(_spell_pair, plain)
    plain = _GROUPED.sub(lambda match: match[1] + re.sub(r"\D", "", match[2]), plain)
    plain = _KILO.sub(_spell_kilo, plain)
    return _HEX.sub(lambda match: str(int(match[1], 16)), plain)


def find_pair(normalised: str) -> tuple[int, int] | None:
    """The first range (first, last) named in a normalised text that goes forward, or None."""
    for match in _PAIR.finditer(normalised):
        first, last = int(match[1]), int(match[2])
        if first <= last:
            return first, last
    return None


def _spell_pair(match: re.Match[str]) -> str:
    first, last = _value(match[1]), _value(match[2])
    # The text around the numbers stays: it says what the range is for.
    head = match[0][: match.start(1) - match.start(0)].strip("[( ")
    return f"{head} <{first}..{last}>" if head else f"<{first}..{last}>"


def _spell_kilo(match: re.Match[str]) -> str:
    whole, _, fraction = match[1].partition(".")
    thousands = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return str(thousands if match[2] == "k" else thousands * 1000)


def _value(text: str) -> int:
    return int(text, 16) if text.startswith("0x") else int(text)
