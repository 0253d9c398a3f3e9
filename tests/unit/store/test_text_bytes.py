from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode.text import text_of_bytes

RAWS = (
    b"",
    b"plain",
    "Grüße 🚀".encode(),
    b"\x00",
    b"a\x00b\xff\xfe",
    "\uf700\uf7ff".encode(),
    b"\xed\xa0\x80",
    bytes(range(256)),
)


async def test_text_bytes_gives_back_what_was_emitted(connection):
    for raw in RAWS:
        assert await connection.fetchval("SELECT event.text_bytes($1)", text_of_bytes(raw)) == raw
    assert await connection.fetchval("SELECT event.text_bytes(NULL)") is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raws=st.lists(
        st.one_of(
            st.binary(max_size=40), st.text(max_size=20).map(lambda s: s.encode("utf-8", "surrogatepass"))
        ),
        max_size=20,
    )
)
async def test_text_bytes_gives_back_any_bytes(connection, raws):
    rows = await connection.fetch(
        "SELECT event.text_bytes(t) AS b FROM unnest($1::text[]) WITH ORDINALITY AS x (t, n) ORDER BY n",
        [text_of_bytes(raw) for raw in raws],
    )
    assert [row["b"] for row in rows] == raws
