"""The runner: catching up in bounded steps under the lease, rebuilding beside the live tables, going back anywhere."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from indexer.chain.refs import BlockRange
from indexer.errors import ConfigError, InvariantViolated, LeaseLost
from indexer.projections.files import PROJECTIONS_DIR
from indexer.projections.folding import step_end
from indexer.projections.rebuild import Rebuild
from indexer.projections.runner import Projections
from indexer.store.cursor import lock_chain

ZERO = bytes(20)
TOKEN, ALICE, BOB = b"\xaa" * 20, b"\x01" * 20, b"\x02" * 20
EPOCH = 7


def mint(said, value=1, holder=ALICE):
    return said("erc20_transfer", TOKEN, {"from_": ZERO, "to_": holder, "value": Decimal(value)})


async def chain_of(ledger, said, blocks, finalized):
    """``blocks`` blocks from 1 on with a mint of 1 each."""
    for number in range(1, blocks + 1):
        await ledger.say(number, [mint(said)])
    await ledger.ends(blocks, finalized)
    await ledger.connection.execute(
        "INSERT INTO sync.lease (chain_id, holder, epoch, seconds, expires_at) VALUES ($1, 'me', $2, 15, now())",
        ledger.chain_id,
        EPOCH,
    )


async def books(ledger, *columns, name="erc20_balance"):
    text = ", ".join(columns)
    row = await ledger.connection.fetchrow(
        f"SELECT {text} FROM sync.projection WHERE chain_id = $1 AND name = $2", ledger.chain_id, name
    )
    return tuple(row)


async def balance(connection, chain_id=1):
    return await connection.fetchval(
        "SELECT balance FROM state.erc20_balance WHERE chain_id = $1 AND holder = $2", chain_id, ALICE
    )


async def test_catching_up_folds_bounded_steps_and_journals_what_is_not_final(ledger, pool, said):
    await chain_of(ledger, said, 20, finalized=11)
    small = Projections.load(step_rows=3)
    await small.catch_up(pool, 1, 18, EPOCH)
    assert await small.through(ledger.connection, 1) == dict.fromkeys(small.names, 18)
    assert await balance(ledger.connection) == 18
    ranges = await ledger.connection.fetch(
        "SELECT DISTINCT first_block, last_block FROM sync.journal WHERE relation = 'state.erc20_balance' ORDER BY 1"
    )
    assert [tuple(row) for row in ranges] == [(12, 14), (15, 17), (18, 18)]
    assert await books(ledger, "through_block", "journal_floor") == (18, 11)


async def test_catching_up_never_goes_beyond_the_tip(ledger, pool, said):
    await chain_of(ledger, said, 5, finalized=5)
    await ledger.projections.catch_up(pool, 1, 99, EPOCH)
    assert await books(ledger, "through_block") == (5,)


async def test_trailing_folds_what_is_final_beside_a_commit_that_is_under_way(ledger, pool, said):
    await chain_of(ledger, said, 9, finalized=7)
    async with pool.acquire() as other, other.transaction():
        await lock_chain(other, ledger.chain_id)
        async with asyncio.timeout(20):
            await Projections.load(step_rows=3).trail(pool, 1, 9, EPOCH)
        assert await balance(ledger.connection) == 7
        assert await books(ledger, "through_block", "journal_floor") == (7, 7)
    await ledger.projections.catch_up(pool, 1, 9, EPOCH)
    assert await balance(ledger.connection) == 9


async def through(ledger):
    return await ledger.projections.through(ledger.connection, ledger.chain_id)


async def holds_through(ledger, name, block):
    async with asyncio.timeout(20):
        while (await through(ledger))[name] < block:  # noqa: ASYNC110 - the database has no event to wait for
            await asyncio.sleep(0.01)


async def test_a_fold_that_waits_holds_up_no_other(ledger, pool, said):
    await chain_of(ledger, said, 9, finalized=7)
    async with pool.acquire() as other:
        blocked = other.transaction()
        await blocked.start()
        await other.execute("LOCK TABLE state.erc20_supply IN EXCLUSIVE MODE")
        trailing = asyncio.create_task(Projections.load(step_rows=3).trail(pool, 1, 9, EPOCH))
        for name in set(ledger.projections.names) - {"erc20_supply"}:
            await holds_through(ledger, name, 7)
        assert (await through(ledger))["erc20_supply"] == -1
        assert not trailing.done()
        await blocked.rollback()
    await trailing
    assert (await through(ledger))["erc20_supply"] == 7


async def test_a_fold_that_fails_is_raised_and_the_rest_goes_on_from_where_it_stood(ledger, pool, said):
    await chain_of(ledger, said, 9, finalized=7)
    await ledger.connection.execute("ALTER TABLE state.erc20_supply ADD CONSTRAINT small CHECK (supply < 5)")
    small = Projections.load(step_rows=2)
    with pytest.raises(InvariantViolated, match=r"erc20_supply.sql, statement 1, blocks 5\.\.6"):
        await small.trail(pool, 1, 9, EPOCH)
    assert await books(ledger, "through_block", name="erc20_supply") == (4,)
    await ledger.connection.execute("ALTER TABLE state.erc20_supply DROP CONSTRAINT small")
    await small.catch_up(pool, 1, 9, EPOCH)
    assert await through(ledger) == dict.fromkeys(ledger.projections.names, 9)
    assert await ledger.rows("erc20_supply", "supply") == [(9,)]


async def test_a_fold_under_way_can_be_found_and_ends_with_its_task(ledger, pool, said):
    await chain_of(ledger, said, 5, finalized=5)
    async with pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE state.erc20_supply IN EXCLUSIVE MODE")
        trailing = asyncio.create_task(ledger.projections.trail(pool, 1, 5, EPOCH))
        for name in set(ledger.projections.names) - {"erc20_supply"}:
            await holds_through(ledger, name, 5)
        held = "SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = 1947013"
        async with asyncio.timeout(20):
            while not (holders := await ledger.connection.fetch(held)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        assert {row["mode"] for row in holders} == {"ShareLock"}
        trailing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trailing
        left = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1947013"
        assert await ledger.connection.fetchval(left) == 0


async def test_trailing_under_a_stale_epoch_writes_nothing(ledger, pool, said):
    await chain_of(ledger, said, 5, finalized=5)
    with pytest.raises(LeaseLost):
        await ledger.projections.trail(pool, 1, 5, EPOCH - 1)
    assert await ledger.rows("erc20_balance", "holder") == []


async def test_catching_up_under_a_stale_epoch_writes_nothing(ledger, pool, said):
    await chain_of(ledger, said, 5, finalized=5)
    with pytest.raises(LeaseLost, match="this commit was made in epoch 6") as caught:
        await ledger.projections.catch_up(pool, 1, 5, EPOCH - 1)
    assert caught.value.holder == "me"
    assert await ledger.rows("erc20_balance", "holder") == []


async def test_a_rebuild_under_a_stale_epoch_swaps_nothing_in(ledger, pool, said):
    await chain_of(ledger, said, 5, finalized=3)
    await ledger.projections.catch_up(pool, 1, 5, EPOCH)
    await ledger.connection.execute("UPDATE state.erc20_balance SET balance = 99")
    with pytest.raises(LeaseLost):
        await ledger.projections.rebuild(pool, None, chain_id=1, epoch=EPOCH - 1)
    assert await balance(ledger.connection) == 99
    await ledger.projections.rebuild(pool, None, chain_id=1, epoch=EPOCH)
    assert await balance(ledger.connection) == 5


async def test_what_final_blocks_can_no_longer_need_is_dropped_from_the_journal(ledger, said):
    await chain_of(ledger, said, 6, finalized=1)
    for number in range(1, 7):
        await ledger.fold(number, number)
    count = "SELECT array_agg(DISTINCT last_block ORDER BY last_block) FROM sync.journal"
    assert await ledger.connection.fetchval(count) == [2, 3, 4, 5, 6]
    await ledger.projections.forget(ledger.connection, 1, 4)
    assert await ledger.connection.fetchval(count) == [5, 6]
    assert await books(ledger, "journal_floor") == (4,)


async def test_going_back_below_the_journal_folds_anew(ledger, said):
    await chain_of(ledger, said, 9, finalized=7)
    await ledger.fold(1, 9, journal=False)
    async with ledger.connection.transaction():
        await ledger.unsay(3)
        await ledger.projections.unfold(ledger.connection, 1, 3)
    assert await balance(ledger.connection) == 3
    assert await books(ledger, "through_block", "journal_floor") == (3, 3)


async def test_going_back_before_the_first_block_leaves_nothing(ledger, said):
    await chain_of(ledger, said, 4, finalized=4)
    await ledger.fold(1, 4, journal=False)
    async with ledger.connection.transaction():
        await ledger.unsay(-1)
        await ledger.projections.unfold(ledger.connection, 1, -1)
    assert await ledger.rows("erc20_balance", "holder") == []
    assert await books(ledger, "through_block") == (-1,)


async def test_a_rebuild_repairs_rows_and_leaves_other_chains_alone(ledger, pool, said, new_ledger):
    other = new_ledger(ledger.connection, ledger.projections, 2)
    await other.open()
    await other.say(1, [mint(said, 9)])
    await other.ends(1, 1)
    await other.fold(1, 1, journal=False)
    await chain_of(ledger, said, 12, finalized=6)
    await ledger.projections.catch_up(pool, 1, 12, EPOCH)
    right = await ledger.state()
    await ledger.connection.execute("UPDATE state.erc20_balance SET balance = 99 WHERE chain_id = 1")
    await ledger.connection.execute("INSERT INTO state.erc20_supply VALUES (1, $1, 5, 5)", BOB)
    rebuilt = await Projections.load(step_rows=2).rebuild(pool, {"erc20_balance", "erc20_supply"}, chain_id=1)
    assert set(rebuilt) == {"erc20_balance", "erc20_supply"}
    assert await ledger.state() == right
    assert await balance(ledger.connection, 2) == 9
    leftovers = "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
    assert await ledger.connection.fetchval(leftovers) == 0


async def test_a_reorg_after_a_rebuild_is_undone_all_the_same(ledger, pool, said):
    await chain_of(ledger, said, 12, finalized=6)
    await ledger.projections.catch_up(pool, 1, 12, EPOCH)
    await ledger.projections.rebuild(pool, None, chain_id=1)
    async with ledger.connection.transaction():
        await ledger.unsay(8)
        await ledger.projections.unfold(ledger.connection, 1, 8)
    assert await balance(ledger.connection) == 8
    assert await books(ledger, "through_block", "journal_floor") == (8, 6)


async def test_readers_never_see_an_empty_table_while_it_is_rebuilt(ledger, pool, said):
    await chain_of(ledger, said, 30, finalized=25)
    await ledger.projections.catch_up(pool, 1, 30, EPOCH)
    seen = set()
    done = asyncio.Event()

    async def reader():
        async with pool.acquire() as connection:
            while not done.is_set():
                seen.add(await balance(connection))

    task = asyncio.create_task(reader())
    for _ in range(3):
        await ledger.projections.rebuild(pool, {"erc20_balance"}, chain_id=1)
    done.set()
    await task
    assert seen == {Decimal(30)}


async def test_rows_that_came_late_are_stale_until_a_rebuild(ledger, pool, said):
    await chain_of(ledger, said, 10, finalized=8)
    await ledger.projections.catch_up(pool, 1, 10, EPOCH)
    names = ledger.projections.reading({"erc20_transfer"})
    assert names >= {"erc20_balance", "erc20_supply"}
    await ledger.projections.mark_stale(pool, 1, names)
    await ledger.say(0, [mint(said, 100)])
    assert await ledger.projections.stale(pool, 1) == names
    await ledger.projections.rebuild(pool, names)
    assert await ledger.projections.stale(pool, 1) == frozenset()
    assert await balance(ledger.connection) == 110


async def test_a_rebuild_that_events_change_under_starts_over_and_then_gives_up(
    ledger, pool, said, monkeypatch
):
    await chain_of(ledger, said, 10, finalized=8)
    await ledger.projections.catch_up(pool, 1, 10, EPOCH)
    build = Rebuild._build
    builds = []

    async def disturbed(self, connection, through):
        await build(self, connection, through)
        builds.append(through)
        if len(builds) != 2:
            await ledger.projections.mark_stale(pool, 1, {"erc20_balance"})

    monkeypatch.setattr(Rebuild, "_build", disturbed)
    await ledger.projections.rebuild(pool, {"erc20_balance"}, chain_id=1)
    assert len(builds) == 2
    with pytest.raises(InvariantViolated, match="changed 3 times"):
        await ledger.projections.rebuild(pool, {"erc20_balance"}, chain_id=1)
    assert await balance(ledger.connection) == 10


async def test_there_is_no_projection_of_that_name(ledger, pool):
    with pytest.raises(ConfigError, match="no projection nonsense; there are "):
        await ledger.projections.rebuild(pool, {"nonsense"})


def copied(tmp_path: Path, text: str | None = None) -> Path:
    source = (PROJECTIONS_DIR / "erc20_balance.sql").read_text()
    (tmp_path / "erc20_balance.sql").write_text(source if text is None else text)
    return tmp_path


async def test_a_projection_whose_file_changed_is_left_alone_and_rebuilt_when_catching_up(
    ledger, pool, said, tmp_path
):
    await chain_of(ledger, said, 6, finalized=4)
    await ledger.projections.catch_up(pool, 1, 6, EPOCH)
    source = (PROJECTIONS_DIR / "erc20_balance.sql").read_text()
    doubled = Projections.load([copied(tmp_path, source.replace("sum(amount)", "2 * sum(amount)"))])
    await ledger.say(7, [mint(said)])
    await ledger.ends(7, 4)
    async with ledger.connection.transaction():
        await doubled.fold(ledger.connection, 1, BlockRange(7, 7), True)
    assert (await balance(ledger.connection), await books(ledger, "through_block")) == (6, (6,))
    assert await doubled.stale(pool, 1) == {"erc20_balance"}
    await doubled.catch_up(pool, 1, 7, EPOCH)
    assert (await balance(ledger.connection), await books(ledger, "through_block")) == (14, (7,))


async def test_a_projection_added_later_is_folded_from_the_first_block(ledger, pool, said, tmp_path):
    await chain_of(ledger, said, 6, finalized=4)
    await Projections.load([copied(tmp_path)]).catch_up(pool, 1, 6, EPOCH)
    assert await ledger.rows("erc20_supply", "supply") == []
    await ledger.projections.catch_up(pool, 1, 6, EPOCH)
    assert await ledger.rows("erc20_supply", "supply") == [(Decimal(6),)]


async def test_other_abis_are_another_version_of_what_matches_facets(ledger, pool, said):
    await chain_of(ledger, said, 2, finalized=2)
    await ledger.projections.catch_up(pool, 1, 2, EPOCH)
    await ledger.connection.execute("INSERT INTO sync.abi_selector VALUES ('new', 'abcd')")
    assert await Projections.load().stale(pool, 1) == {"diamond_selector"}


@pytest.mark.parametrize(
    ("old", "new", "error", "said_what"),
    [
        ("sum(amount)", "sum(amountt)", ConfigError, "erc20_balance.sql, statement 1, blocks 0..1: column"),
        ("sum(amount)", "sum(amount) / 0", InvariantViolated, "erc20_balance.sql, statement 1, blocks 0..1: division by zero"),
    ],
)  # fmt: skip
async def test_a_statement_that_fails_is_named(ledger, said, tmp_path, old, new, error, said_what):
    source = (PROJECTIONS_DIR / "erc20_balance.sql").read_text()
    ledger.projections = Projections.load([copied(tmp_path, source.replace(old, new))])
    await ledger.say(1, [mint(said)])
    with pytest.raises(error, match=said_what):
        await ledger.fold(0, 1)


async def test_the_database_can_parse_every_statement(ledger, tmp_path):
    await ledger.projections.verify(ledger.connection)
    source = (PROJECTIONS_DIR / "erc20_balance.sql").read_text()
    broken = Projections.load([copied(tmp_path, source.replace("FROM moved", "FROM mooved"))])
    with pytest.raises(ConfigError, match='statement 1: relation "mooved" does not exist'):
        await broken.verify(ledger.connection)


async def test_the_writer_role_may_do_all_of_it(ledger, said, migrated_url):
    await chain_of(ledger, said, 6, finalized=3)
    # A copied database does not have the template's rights, so its event tables are not the owner's.
    await ledger.connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA event TO indexer_writer")
    writer = await asyncpg.create_pool(
        migrated_url,
        min_size=1,
        max_size=2,
        server_settings={"role": "indexer_writer", "search_path": "pg_catalog"},
    )
    try:
        await ledger.projections.catch_up(writer, 1, 6, EPOCH)
        await ledger.projections.rebuild(writer, None)
        async with writer.acquire() as connection, connection.transaction():
            await ledger.projections.unfold(connection, 1, 4)
    finally:
        await writer.close()
    assert await balance(ledger.connection) == 4


async def test_what_large_folds_read_is_known_to_the_planner(ledger, pool, said):
    rows = "SELECT reltuples FROM pg_class WHERE oid = 'event.erc20_transfer'::regclass"
    await chain_of(ledger, said, 20, finalized=15)
    assert await ledger.connection.fetchval(rows) == -1, "nobody has analysed it"
    await ledger.projections.catch_up(pool, 1, 20, EPOCH)
    assert await ledger.connection.fetchval(rows) == 20
    told = "SELECT sync.gather_statistics(ARRAY['event.erc20_transfer', 'event.marketplace_listings', 'sync.chain'])"
    assert await ledger.connection.fetchval(told) == ["event.marketplace_listings"], (
        "known already, and no event table"
    )


async def test_a_table_with_fewer_rows_than_a_step_is_one_step(ledger, pool, said):
    await chain_of(ledger, said, 20, finalized=20)
    await ledger.connection.execute("ANALYZE event.erc20_transfer")
    balances = [one for one in ledger.projections.all if one.name == "erc20_balance"]
    whole = BlockRange(0, 20)

    async def end(rows):
        return await step_end(ledger.connection, 1, balances, whole, rows)

    assert [await end(rows) for rows in (3, 15, 16, 100)] == [3, 15, 20, 20]
