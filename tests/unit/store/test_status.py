from __future__ import annotations

from store_world import CHAIN, HOLDER, Log, header, source_spec

from indexer.chain.refs import BlockRange
from indexer.store.commit import DiscoveredAddress


async def test_an_empty_database_has_no_chains(store):
    found = await store.status()
    assert found.chains == ()
    assert found.bytes > 1_000_000


async def test_status_tells_everything_of_a_chain(books):
    await books.store.register_sources(CHAIN, [source_spec("late:*", contract="late", start_block=4)])
    member = DiscoveredAddress("late", b"\x01" * 20, 1, 1, 0)
    await books.commit(
        0, 5, [Log(4, 0), Log(1, 1, known=False)], head_number=8, finalized_number=2, discovered=(member,)
    )
    await books.reorg(3, 6, [Log(6, 0)], "b", head_number=9)
    await books.store.halt(CHAIN, books.epoch, "told to")
    ((chain),) = (await books.store.status()).chains
    assert (chain.chain_id, chain.name, chain.tip) == (CHAIN, "test", header(6, "b", 3).ref)
    assert (chain.head_number, chain.finalized_number, chain.halted) == (9, 2, "told to")
    assert chain.committed_at is not None
    assert (chain.lease.holder, chain.lease.epoch, chain.lease.expired) == (HOLDER, books.epoch, False)
    demo, late = chain.contracts
    assert (demo.contract, demo.sources, demo.coverage, demo.discovered) == (
        "demo",
        1,
        (BlockRange(0, 6),),
        0,
    )
    assert (late.contract, late.start_block, late.coverage, late.discovered) == ("late", 4, (), 1)
    (reorg,) = chain.reorgs
    assert (reorg.kind, reorg.common_ancestor, reorg.depth, reorg.rows_removed) == ("reorg", 3, 2, 1)
    assert chain.undecoded == {"unknown_topic": 1}
    assert chain.projections == ()


async def test_coverage_of_a_contract_is_what_all_its_sources_have(books):
    (second,) = await books.store.register_sources(CHAIN, [source_spec("demo:second")])
    await books.commit(0, 9)
    await books.commit(2, 4, next=None, links=(), sources=(second.id,))
    await books.commit(7, 8, next=None, links=(), sources=(second.id,))
    (contract,) = (await books.store.status()).chains[0].contracts
    assert contract.sources == 2
    assert contract.coverage == (BlockRange(2, 4), BlockRange(7, 8))
