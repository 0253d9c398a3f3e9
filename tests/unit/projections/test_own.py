"""An operator's projection file: what is wrong in it is told with file and line before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncpg import Connection

from indexer.errors import ConfigError
from indexer.projections.files import load_projections
from indexer.projections.own import load_own
from indexer.projections.runner import Projections

GOOD = """-- projection: mine
-- tables: custom.mine
-- reads: event.erc20_transfer

CREATE TABLE custom.mine (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    transfers bigint NOT NULL,
    PRIMARY KEY (chain_id, token)
);

INSERT INTO custom.mine AS live (chain_id, token, transfers)
SELECT $1, address, count(*)
FROM event.erc20_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
GROUP BY address
ON CONFLICT (chain_id, token) DO UPDATE SET transfers = live.transfers + excluded.transfers;
"""


def write(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.sql"
    path.write_text(text, "utf-8")
    return path


def test_a_good_file_is_read_as_it_says(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (one,) = load_own([tmp_path], load_projections())
    assert (one.name, one.tables, one.reads) == ("mine", ("custom.mine",), ("event.erc20_transfer",))
    assert one.own is not None
    assert [(found.table, found.line, found.creates) for found in one.own.definitions] == [
        ("custom.mine", 5, True)
    ]
    assert one.own.lines == (12,)
    assert one.place(1).endswith("mine.sql:12")
    assert one.place(1, one.statements[0].index("GROUP")).endswith("mine.sql:15")
    assert one.written_elsewhere("pg_temp")[0].startswith("INSERT INTO pg_temp.mine AS live")


WRONG = {
    "another name": (("-- projection: mine", "-- projection: other"), 1, "has to begin with `-- projection: mine`"),
    "no tables": (("-- tables: custom.mine\n", ""), 1, "has to say in `-- tables:`"),
    "a state table": (("custom.mine", "state.mine"), 2, "state.mine: its tables are custom.NAME"),
    "no reads": (("-- reads: event.erc20_transfer\n", ""), 1, "has to say in `-- reads:`"),
    "reads state": (("-- reads: event.erc20_transfer", "-- reads: event.erc20_transfer, state.nft"), 3, "state.nft: only tables of schema event"),
    "reads secretly": (("FROM event.erc20_transfer", "FROM event.erc20_transfer, partner.key"), 12, "reads partner.key, and may read schema event only"),
    "reads another event": (("FROM event.erc20_transfer", "FROM event.erc721_transfer"), 12, "reads event.erc721_transfer, which `-- reads:` does not name"),
    "writes ours": (("INSERT INTO custom.mine", "INSERT INTO state.nft"), 12, "writes state.nft; it may write its own tables only"),
    "writes by quotes": (("INSERT INTO custom.mine", 'INSERT INTO "custom"."mine"'), 12, "custom.NAME, lower case, without quotes"),
    "writes in capitals": (("INSERT INTO custom.mine", "INSERT INTO CUSTOM.mine"), 12, "custom.NAME, lower case, without quotes"),
    "no range": (("BETWEEN $2 AND $3", "> 5"), 12, "does not use $2, $3"),
    "the moment": (("count(*)", "count(*) + extract(epoch FROM now())"), 12, "uses now"),
    "a select": (("INSERT INTO custom.mine AS live (chain_id, token, transfers)\n", ""), 12, "is neither a definition nor an INSERT"),
    "drops": (("CREATE TABLE", "DROP TABLE IF EXISTS custom.mine; CREATE TABLE"), 5, "are made by CREATE TABLE custom.NAME"),
    "truncates": (("INSERT INTO custom.mine", "TRUNCATE custom.mine;\nINSERT INTO custom.mine"), 12, "are made by CREATE TABLE custom.NAME"),
    "makes by select": (("(\n    chain_id bigint NOT NULL", "AS SELECT (\n    chain_id bigint NOT NULL"), 5, "leave out AS and REFERENCES"),
    "runs after": (("-- reads:", "-- after: nft\n-- reads:"), 3, "`-- after:` is for built-in projections"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, case: str) -> None:
    change, line, said = WRONG[case]
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load_own([tmp_path], load_projections())
    assert any(one.startswith(f"{path}:{line}: ") and said in one for one in caught.value.problems), str(
        caught.value
    )


def test_a_definition_after_the_fold_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "CREATE INDEX ON custom.mine (token);\n")
    with pytest.raises(ConfigError, match=rf"{path}:18: stands after the fold"):
        load_own([tmp_path], load_projections())


def test_names_of_ours_and_of_each_other_are_taken(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("custom.mine", "custom.nft"))
    write(tmp_path, GOOD.replace("projection: mine", "projection: nft"), "nft")
    with pytest.raises(ConfigError) as caught:
        load_own([tmp_path], load_projections())
    text = str(caught.value)
    assert "the name of custom.nft is taken: state.nft is a table of ours" in text
    assert "the name nft is taken by a built-in projection" in text
    other = tmp_path / "other"
    other.mkdir()
    write(other, GOOD.replace("projection: mine", "projection: twin"), "twin")
    write(other, GOOD)
    with pytest.raises(ConfigError, match=r"twin.sql:1: the name of custom.mine is taken"):
        load_own([other], load_projections())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_own([tmp_path / "nowhere"], ())


async def loaded(folder: Path, connection: Connection) -> Projections:
    projections = Projections(load_own([folder], ()))
    await projections.make_tables(connection)
    await projections.verify(connection)
    return projections


@pytest.fixture
async def there(connection: Connection) -> Connection:
    await connection.execute(
        "CREATE TABLE event.erc20_transfer (chain_id bigint, block_number bigint, address bytea);"
        "CREATE VIEW event.peek AS SELECT * FROM sync.lease"
    )
    return connection


async def test_the_database_has_the_last_word_on_names(tmp_path: Path, there: Connection) -> None:
    path = write(tmp_path, GOOD.replace("SELECT $1, address", "SELECT $1, addres"))
    with pytest.raises(ConfigError, match=rf'{path}:13: column "addres" does not exist'):
        await loaded(tmp_path, there)


async def test_a_view_does_not_smuggle_another_schema_in(tmp_path: Path, there: Connection) -> None:
    text = GOOD.replace("event.erc20_transfer", "event.peek").replace("address", "holder::bytea")
    path = write(tmp_path, text.replace("block_number", "epoch"))
    with pytest.raises(ConfigError, match=rf"{path}:12: reads sync.lease; it may read schema event"):
        await loaded(tmp_path, there)


async def test_a_table_without_the_chain_in_its_key_is_refused(tmp_path: Path, there: Connection) -> None:
    path = write(tmp_path, GOOD.replace("PRIMARY KEY (chain_id, token)", "UNIQUE (chain_id, token)"))
    with pytest.raises(ConfigError, match=rf"{path}:5: .*primary key has to begin with chain_id"):
        await loaded(tmp_path, there)
    assert await there.fetchval("SELECT to_regclass('custom.mine')") is None


async def test_a_wrong_definition_names_its_line(tmp_path: Path, there: Connection) -> None:
    path = write(tmp_path, GOOD.replace("token bytea", "token byteas"))
    with pytest.raises(ConfigError, match=rf'{path}:7: type "byteas" does not exist'):
        await loaded(tmp_path, there)


async def test_tables_are_made_once_and_journaled_apart_from_ours(tmp_path: Path, there: Connection) -> None:
    write(tmp_path, GOOD)
    projections = await loaded(tmp_path, there)
    assert await projections.make_tables(there) == []
    functions = await there.fetch(
        "SELECT DISTINCT proname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
        "WHERE tgrelid = 'custom.mine'::regclass ORDER BY 1"
    )
    assert [row["proname"] for row in functions] == ["journal_custom_mine", "refuse_change"]
    for role, verb, may in (
        ("indexer_writer", "INSERT", True),
        ("indexer_reader", "SELECT", True),
        ("indexer_reader", "INSERT", False),
    ):
        held = await there.fetchval("SELECT has_table_privilege($1, 'custom.mine', $2)", role, verb)
        assert held is may, (role, verb)


async def test_a_role_that_may_not_make_tables_is_told_what_to_run(tmp_path: Path, there: Connection) -> None:
    write(tmp_path, GOOD)
    await there.execute("SET ROLE indexer_writer")
    with pytest.raises(ConfigError, match="indexer db migrate"):
        await loaded(tmp_path, there)
