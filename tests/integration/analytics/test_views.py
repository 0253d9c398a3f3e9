"""What the views show of the small history: hex text, scaled amounts, names, proofs."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from analytics_world import (
    ALICE,
    BOB,
    CHAIN,
    COLLATERAL,
    DIAMOND,
    FACTORY,
    HISTORY,
    IDENTITY,
    ISSUER,
    MULTI,
    RANGED,
    USDC,
    ZERO,
    tx_hash,
)


def shown(raw: bytes) -> str:
    return "0x" + raw.hex()


async def rows(connection, query: str, *arguments):
    return [tuple(row) for row in await connection.fetch(query, *arguments)]


def numbers(*values):
    return tuple(Decimal(value) for value in values)


async def test_transfers_of_three_standards_with_batches_unnested_and_ranges_in_one_row(world):
    told = await rows(
        world,
        """SELECT block_number, log_index, "position", standard, kind, symbol, token_id, last_token_id, amount, amount_raw
           FROM analytics.token_transfer WHERE block_number IN (2, 3) ORDER BY 1, 2, 3""",
    )
    one = Decimal(1)
    assert told == [
        (2, 0, 0, "erc20", "mint", "USDC", None, None, *numbers(5000, 5000000000)),
        (2, 1, 0, "erc20", "mint", "USDC", None, None, *numbers(1000, 1000000000)),
        (2, 2, 0, "erc20", "transfer", "USDC", None, None, *numbers(250, 250000000)),
        (3, 0, 0, "erc1155", "mint", None, *numbers(5, 5, 100, 100)),
        (3, 1, 0, "erc1155", "transfer", None, *numbers(5, 5, 10, 10)),
        (3, 1, 1, "erc1155", "transfer", None, *numbers(6, 6, 0, 0)),
        (3, 1, 2, "erc1155", "transfer", None, *numbers(5, 5, 1, 1)),
        (3, 2, 0, "erc721", "mint", None, *numbers(10, 14, 5, 5)),
        (3, 3, 0, "erc721", "transfer", None, *numbers(12, 12), one, one),
    ]
    ((sender, receiver, token, tx, operator),) = await rows(
        world,
        """SELECT from_, to_, token, tx_hash, operator FROM analytics.token_transfer
           WHERE block_number = 3 AND log_index = 0""",
    )
    assert (sender, receiver, token, tx, operator) == (
        shown(ZERO), shown(ALICE), shown(MULTI), shown(tx_hash(3)), shown(BOB),
    )  # fmt: skip


async def test_an_amount_without_known_decimals_is_null_and_an_exact_one_loses_no_digit(world):
    query = "SELECT analytics.scaled($1::numeric, $2)"
    top = 2**256 - 1
    assert await world.fetchval(query, top, 18) == Decimal(f"{top // 10**18}.{top % 10**18:018d}")
    assert await world.fetchval(query, 1, 255) == Decimal("1e-255")
    assert await world.fetchval(query, 5, 0) == 5
    assert [await world.fetchval(query, 1, odd) for odd in (None, -1, 256, 10**9)] == [None] * 4


async def test_the_feed_has_every_event_of_every_table(world):
    feed = await rows(
        world, "SELECT block_number, log_index, table_name FROM analytics.activity WHERE chain_id = $1", CHAIN
    )
    assert sorted(feed) == sorted(
        (number, place, f"event.{event.table}")
        for number, events in HISTORY.items()
        for place, event in enumerate(events)
    )
    ((event, signature, abi, contract, args),) = await rows(
        world,
        "SELECT event, signature, abi, contract, args FROM analytics.activity WHERE block_number = 14 AND log_index = 1",
    )
    assert (event, abi, contract) == ("USDCDepositedToTradeDeal", "trade_deal", shown(DIAMOND))
    assert signature == "USDCDepositedToTradeDeal(uint256,uint256,address)"
    assert json.loads(args) == {"trade_deal_id": "0", "amount": "400000000", "depositor": shown(ALICE)}


async def test_arguments_in_the_feed_are_json_that_every_reader_takes(world):
    ((batch, cut),) = await rows(
        world,
        """SELECT (SELECT args FROM analytics.activity WHERE event = 'TransferBatch'),
            (SELECT args FROM analytics.activity WHERE event = 'DiamondCut')""",
    )
    assert json.loads(batch)["ids"] == ["5", "6", "5"]
    assert json.loads(cut)["diamond_cut"][0]["functionSelectors"] == ["0x12345678"]


async def test_the_feed_reads_only_what_it_shows(world):
    (plan,) = (
        await rows(
            world,
            f"EXPLAIN (FORMAT JSON) SELECT * FROM analytics.activity WHERE chain_id = {CHAIN} "
            "ORDER BY block_number DESC, log_index DESC LIMIT 50",
        )
    )[0]
    assert '"Merge Append"' in plan
    assert '"Sort"' not in plan


async def test_portfolio_and_holders(world):
    mixed = "0xA11CE" + shown(ALICE)[7:]
    held = await rows(
        world,
        "SELECT standard, token, token_id, amount, amount_raw FROM analytics.portfolio($1) ORDER BY 1, 2, 3",
        mixed,
    )
    assert held == [
        ("erc1155", shown(MULTI), *numbers(5, 89, 89)),
        ("erc20", shown(USDC), None, *numbers(5042, 5042000000)),
        ("erc20", shown(COLLATERAL), None, *numbers(300, 300 * 10**18)),
        ("erc721", shown(RANGED), *numbers(12, 1, 1)),
    ]
    owners = await rows(
        world,
        "SELECT holder, tokens, amount_raw, share FROM analytics.holders($1, $2) ORDER BY amount_raw DESC",
        CHAIN,
        shown(RANGED),
    )
    assert owners == [
        (shown(BOB), 4, Decimal(4), Decimal("0.800000")),
        (shown(ALICE), 1, Decimal(1), Decimal("0.200000")),
    ]
    assert await rows(world, "SELECT symbol, supply, supply_raw FROM analytics.token WHERE standard = 'erc20' ORDER BY 1") == [
        ("COL", Decimal(300), Decimal(300 * 10**18)),
        ("USDC", Decimal(5999), Decimal(5999000000)),
    ]  # fmt: skip
    assert await rows(world, "SELECT owner, spender, amount FROM analytics.allowance") == [
        (shown(ALICE), shown(DIAMOND), Decimal(10))
    ]
    ((owner, attributes),) = await rows(
        world,
        "SELECT owner, attributes FROM analytics.nft WHERE contract_bytes = $1 AND token_id = 1",
        DIAMOND,
    )
    assert owner == shown(BOB)
    assert json.loads(attributes) == {"projectId": "forest-7", "amount": "1000"}


async def test_market(world):
    sale = await rows(
        world,
        "SELECT token_id, buyer, seller, price, payment_symbol, fee_total, seller_net, tx_hash FROM analytics.sale",
    )
    assert sale == [
        (
            Decimal(1), shown(BOB), shown(ALICE), Decimal(90), "USDC", Decimal(2), Decimal(88), shown(tx_hash(10)),
        )
    ]  # fmt: skip
    assert await rows(
        world,
        "SELECT sales, buyers, volume, lowest_price, highest_price, median_price, fees FROM analytics.market_day",
    ) == [(1, 1, Decimal(90), Decimal(90), Decimal(90), Decimal(90), Decimal(2))]
    assert await rows(
        world, "SELECT token_id, status, price, payment_token FROM analytics.listing ORDER BY token_id"
    ) == [
        (Decimal(0), "open", Decimal(2), None),
        (Decimal(1), "sold", Decimal(90), shown(USDC)),
    ]
    assert await rows(
        world, "SELECT kind, receiver, amount FROM analytics.sale_payout ORDER BY log_index"
    ) == [
        ("fee", shown(ISSUER), Decimal(2)),
        ("seller", shown(ALICE), Decimal(88)),
    ]


async def test_trade_deals(world):
    assert await rows(
        world,
        "SELECT deal_id, name, operation_mode, interest_percent, balance, balance_raw FROM analytics.trade_deal",
    ) == [(Decimal(0), "Coffee", "SELF_SERVICE", Decimal(5), Decimal(295), Decimal(295000000))]
    assert await rows(
        world,
        "SELECT party, deposited, redeemed, lent, drawn, borrowed, flows FROM analytics.trade_deal_exposure",
    ) == [(shown(ALICE), *numbers(400, 105, 295, 0, 0), 2)]
    assert await rows(
        world,
        "SELECT kind, amount, collateral_amount, tx_hash FROM analytics.trade_deal_cashflow ORDER BY block_number",
    ) == [
        ("deposit", *numbers(400, 400), shown(tx_hash(14))),
        ("redeem", *numbers(105, 100), shown(tx_hash(16))),
    ]


async def test_who_takes_part_by_claims_is_joined_in(world):
    assert await rows(
        world,
        "SELECT account, source, identity, added_block, active FROM analytics.trade_deal_participant ORDER BY source",
    ) == [
        (shown(ALICE), "claims", shown(IDENTITY), 5, True),
        (shown(ALICE), "depositor", None, 14, True),
    ]


async def test_carbon_with_proofs(world):
    assert await rows(world, "SELECT token_id, amount, owner, tx_hash FROM analytics.carbon_issuance") == [
        (*numbers(1, 1000), shown(ALICE), shown(tx_hash(4, 1)))
    ]
    assert await rows(
        world,
        "SELECT amount, remaining_after, owner, block_number, log_index FROM analytics.carbon_retirement ORDER BY 4",
    ) == [
        (*numbers(300, 700), shown(ALICE), 8, 0),
        (*numbers(200, 500), shown(BOB), 12, 0),
    ]
    months = await rows(
        world, "SELECT owner, sum(issued), sum(retired) FROM analytics.carbon_month GROUP BY 1 ORDER BY 1"
    )
    assert months == [(shown(ALICE), *numbers(1000, 300)), (shown(BOB), *numbers(0, 200))]
    proofs = [
        proof
        for (text,) in await rows(world, "SELECT proofs FROM analytics.carbon_month")
        for proof in json.loads(text)
    ]
    assert {
        "kind": "retired", "token_id": "1", "amount": "200", "tx_hash": shown(tx_hash(12)), "block_number": 12, "log_index": 0,
    } in proofs  # fmt: skip
    assert len(proofs) == 3


async def test_identities_and_claims(world):
    assert await rows(
        world,
        "SELECT wallet, announcer, identity, registered, claim_topics FROM analytics.identity ORDER BY registered",
    ) == [
        (shown(ALICE), shown(FACTORY), shown(IDENTITY), False, None),
        (shown(ALICE), shown(DIAMOND), shown(IDENTITY), True, [Decimal(1)]),
    ]
    assert await rows(
        world,
        """SELECT block_number, source, action, claim_topic, issuer FROM analytics.claim_history
           ORDER BY block_number, log_index, "position" """,
    ) == [
        (5, "registry", "added", Decimal(1), shown(ISSUER)),
        (5, "registry", "added", Decimal(7), shown(ISSUER)),
        (6, "registry", "removed", Decimal(7), shown(ISSUER)),
        (6, "erc735", "added", Decimal(1), shown(ISSUER)),
    ]
    assert await rows(
        world, "SELECT action, wallet, identity, announcer FROM analytics.identity_history ORDER BY log_index"
    ) == [
        ("created", shown(ALICE), shown(IDENTITY), shown(FACTORY)),
        ("registered", shown(ALICE), shown(IDENTITY), shown(DIAMOND)),
    ]
    assert await rows(world, "SELECT source, claim_topic, active FROM analytics.claim ORDER BY 1, 2") == [
        ("erc735", Decimal(1), True),
        ("registry", Decimal(1), True),
        ("registry", Decimal(7), False),
    ]
    assert await rows(world, "SELECT issuer, active, claim_topics FROM analytics.trusted_issuer") == [
        (shown(ISSUER), True, [Decimal(1), Decimal(7)])
    ]


async def test_admin_actions_and_transfers_from_false_owners(world):
    told = await rows(
        world,
        "SELECT block_number, action, severity, subject FROM analytics.admin_action ORDER BY 1, log_index",
    )
    assert told == [
        (1, "diamond_cut", "critical", None),
        (1, "ownership_transferred", "critical", shown(BOB)),
        (1, "claim_topic_added", "medium", None),
        (1, "trusted_issuer_added", "high", shown(ISSUER)),
        (20, "role_granted", "high", shown(BOB)),
        (22, "transfer_from_false_owner", "critical", shown(BOB)),
    ]


@pytest.fixture
async def editor(views_url):
    from indexer.store.connect import connect  # noqa: PLC0415 - only this test writes

    made = await connect(views_url)
    yield made
    await made.close()


async def test_names_of_enum_values_can_be_edited(editor):
    label = "SELECT analytics.enum_label($1, $2)"
    assert await editor.fetchval(label, "AttributeType", 1) == "String"
    assert await editor.fetchval(label, "FacetCutAction", 2) == "Remove"
    await editor.execute(
        "UPDATE analytics.enum_name SET name = 'ACCELERATED' WHERE enum = 'OperationMode' AND value = 1"
    )
    assert await editor.fetchval(label, "OperationMode", 1) == "ACCELERATED"
    assert await editor.fetchval(label, "OperationMode", 9) == "9"
    assert await editor.fetchval(label, "OperationMode", None) is None


async def test_block_at_finds_the_first_block_not_before_a_moment(world):
    times = dict(await rows(world, "SELECT DISTINCT block_number, block_time FROM analytics.block_times"))
    for number, moment in times.items():
        at = await world.fetchval("SELECT analytics.block_at($1, $2)", CHAIN, moment)
        later = await world.fetchval(
            "SELECT analytics.block_at($1, $2::timestamptz + interval '1 second')", CHAIN, moment
        )
        assert {block for block in times if block >= at} == {block for block in times if block >= number}
        assert {block for block in times if block >= later} == {block for block in times if block > number}
    assert await world.fetchval("SELECT analytics.block_at(999, now())") is None


async def test_classes_of_the_existing_user_interfaces(world):
    token = await rows(
        world,
        """SELECT "tokenId", owner, price, "existingCredits", "projectId", "transactionHash" FROM parity."Token"
           WHERE "contractAddress" = $1 ORDER BY 1""",
        shown(DIAMOND),
    )
    assert token == [
        (Decimal(0), shown(BOB), Decimal(2 * 10**18), None, None, shown(tx_hash(4))),
        (Decimal(1), shown(BOB), None, Decimal(500), "forest-7", shown(tx_hash(4, 1))),
    ]
    assert await rows(
        world, 'SELECT "tokenId", sold, "transactionHash" FROM parity."TokenListing" WHERE sold'
    ) == [(Decimal(1), True, shown(tx_hash(8, 1)))]
    assert await rows(world, 'SELECT "tokenId", buyer, price, fee FROM parity."TokenSale"') == [
        (Decimal(1), shown(BOB), Decimal(90000000), Decimal(2000000))
    ]
    assert await rows(
        world, 'SELECT "ownerAddress", "tradeDealId", amount FROM parity."TradeDealUSDCDeposit"'
    ) == [(shown(ALICE), Decimal(0), Decimal(400000000))]
    assert await rows(
        world, 'SELECT "ownerAddress", "vabbAmount", "usdcAmount" FROM parity."VABBTokensRedeemed"'
    ) == [(shown(ALICE), Decimal(100 * 10**18), Decimal(105000000))]
    assert await rows(world, 'SELECT topic, active, "displayName" FROM parity."ClaimTopic"') == [
        (Decimal(1), True, "1")
    ]
    assert await rows(world, 'SELECT issuer, active, "claimTopics" FROM parity."TrustedIssuer"') == [
        (shown(ISSUER), True, [Decimal(1), Decimal(7)])
    ]
    assert (shown(IDENTITY), shown(ALICE), [Decimal(1)], True) in await rows(
        world, 'SELECT identity, address, claims, active FROM parity."Identity"'
    )
    assert await rows(world, 'SELECT "projectId", tokens, "existingCredits" FROM parity."TokenProject"') == [
        ("forest-7", 1, Decimal(500))
    ]
    assert await rows(
        world,
        'SELECT "ownerAddress", tokens, "retiredCredits" FROM parity."CustomerPortfolioSnapshot" ORDER BY 1, 2',
    ) == [
        (shown(ALICE), 1, None),
        (shown(BOB), 2, Decimal(200)),
        (shown(BOB), 4, None),
    ]
    assert await rows(world, 'SELECT "tokenId", amount FROM parity."TokenDeposit"') == [numbers(1, 7)]
    assert await rows(world, 'SELECT "tokenId", "totalAmount" FROM parity."TokenWithdrawal"') == [
        numbers(1, 7)
    ]
    assert await rows(world, 'SELECT "tokenIds", amount FROM parity."TreasuryClaim"') == [
        ([Decimal(1)], Decimal(7))
    ]


async def test_one_class_for_each_event_name(world):
    assert await rows(
        world,
        '''SELECT "remainingBalance", "blockHash" IS NOT NULL, "transactionHash" FROM parity."CarbonCreditsRetired__e"
           WHERE "tokenId" = 1 ORDER BY "blockNumber"''',
    ) == [
        (Decimal(700), True, shown(tx_hash(8))),
        (Decimal(500), True, shown(tx_hash(12))),
    ]
    claims = await rows(
        world,
        '''SELECT "claimTopic", topic, claim, "eventSignature" FROM parity."ClaimAdded__e"
           WHERE identity = $1 OR address = $1 ORDER BY "blockNumber", "logIndex"''',
        shown(IDENTITY),
    )
    assert [row[:3] for row in claims] == [
        (Decimal(1), None, "0x01"),
        (Decimal(7), None, "0x"),
        (None, Decimal(1), None),
    ]
    assert {row[3] for row in claims} == {
        "ClaimAdded(address,address,uint256,bytes)",
        "ClaimAdded(bytes32,uint256,uint256,address,bytes,bytes,string)",
    }
    transfers = await rows(
        world, 'SELECT value, "tokenId", "from" FROM parity."Transfer__e" WHERE "blockNumber" IN (2, 4)'
    )
    assert (Decimal(5000000000), None, shown(ZERO)) in transfers
    assert (None, Decimal(0), shown(ZERO)) in transfers
    names = {
        row[0]
        for row in await rows(
            world, "SELECT viewname FROM pg_views WHERE schemaname = 'parity' AND viewname LIKE '%\\_\\_e'"
        )
    }
    events = {
        row[0] for row in await rows(world, "SELECT split_part(signature, '(', 1) FROM sync.event_table")
    }
    assert names == {f"{event}__e" for event in events}
    feed = await rows(
        world, 'SELECT "tokenId", amount FROM parity."Event" WHERE event = \'CarbonCreditsRetired\''
    )
    assert sorted(feed) == [("1", "200"), ("1", "300")]


async def test_every_view_and_column_has_a_comment_that_is_a_sentence(world):
    bad = await rows(
        world,
        """SELECT class.oid::regclass::text, attribute.attname
           FROM pg_class AS class
           JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum >= 0
           WHERE class.relnamespace IN ('analytics'::regnamespace, 'parity'::regnamespace) AND class.relkind IN ('v', 'r')
             AND coalesce(col_description(class.oid, attribute.attnum), '') NOT LIKE '%.'
           UNION ALL
           SELECT oid::regclass::text, NULL FROM pg_class
           WHERE relnamespace IN ('analytics'::regnamespace, 'parity'::regnamespace) AND relkind IN ('v', 'r')
             AND coalesce(obj_description(oid, 'pg_class'), '') NOT LIKE '%.'
           UNION ALL
           SELECT oid::regprocedure::text, NULL FROM pg_proc
           WHERE pronamespace = 'analytics'::regnamespace AND coalesce(obj_description(oid, 'pg_proc'), '') NOT LIKE '%.'""",
    )
    assert bad == []


async def test_every_view_can_be_read(world):
    for (name,) in await rows(
        world,
        "SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname IN ('analytics', 'parity')",
    ):
        await world.fetch(f"SELECT * FROM {name} LIMIT 3")
