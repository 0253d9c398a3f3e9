from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.decode.text import text_bytes, text_of_bytes

EXAMPLES = [
    (b"", ""),
    (b"hello", "hello"),
    ("h\u00e9llo \u4e16\u754c \U0001f600".encode(), "h\u00e9llo \u4e16\u754c \U0001f600"),
    (b"a\x00b", "a\uf700b"),
    (b"\xff", "\uf7ff"),
    (b"ok\xc3", "ok\uf7c3"),
    (b"\xe2\x82A", "\uf7e2\uf782A"),
    (b"\xed\xa0\x80", "\uf7ed\uf7a0\uf780"),  # a surrogate is not well-formed
    (b"\xf4\x90\x80\x80", "\uf7f4\uf790\uf780\uf780"),  # above U+10FFFF
    (b"\xc0\x80", "\uf7c0\uf780"),  # an overlong NUL
    ("\uf700".encode(), "\uf7ef\uf79c\uf780"),
    ("\uf7ff".encode(), "\uf7ef\uf79f\uf7bf"),
    ("\uf6ff\uf800".encode(), "\uf6ff\uf800"),
    ("\uf6ff\x00".encode(), "\uf6ff\uf700"),
    ("\u00e9\x00\xff".encode("latin-1"), "\uf7e9\uf700\uf7ff"),
]


@pytest.mark.parametrize(("raw", "text"), EXAMPLES)
def test_rule_6_by_example(raw: bytes, text: str) -> None:
    assert text_of_bytes(raw) == text
    assert text_bytes(text) == raw


PIECES = st.one_of(
    st.binary(max_size=6),
    st.text(max_size=4).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers(0xF6FE, 0xF801).map(lambda code: chr(code).encode()),
    st.sampled_from([b"\x00", b"\xef", b"\xef\x9c", b"\xed\xb2\x80"]),
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_bytes_come_back_and_postgres_can_hold_the_text(raw: bytes) -> None:
    text = text_of_bytes(raw)
    assert "\x00" not in text
    text.encode("utf-8")  # no lone surrogates
    assert text_bytes(text) == raw
    plain = raw.decode("utf-8", "replace")
    if "\ufffd" not in plain and not any(0xF700 <= ord(one) <= 0xF7FF or one == "\x00" for one in plain):
        assert text == plain
