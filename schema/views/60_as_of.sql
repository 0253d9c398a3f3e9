-- How things stood after a past block, from the event tables alone: balances, owners, carbon credits, open listings.
--
-- Each reads the events up to the block; with an account or token named, only those.

CREATE OR REPLACE FUNCTION analytics.erc20_balances_as_of(chain bigint, token text, block bigint)
RETURNS TABLE (holder text, balance numeric)
LANGUAGE sql STABLE
AS $$
    SELECT analytics.hex(moved.account), sum(moved.change)
    FROM (
        SELECT to_ AS account, value AS change FROM event.erc20_transfer
        WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(token)
        UNION ALL
        SELECT from_, -value FROM event.erc20_transfer
        WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(token)
    ) AS moved
    WHERE moved.account <> '\x0000000000000000000000000000000000000000'
    GROUP BY moved.account
$$;
COMMENT ON FUNCTION analytics.erc20_balances_as_of(bigint, text, bigint) IS
    'Balances of an ERC-20 token after a block, in its smallest unit; accounts that never moved it have no row, others stay with 0.';

CREATE OR REPLACE FUNCTION analytics.erc20_balance_as_of(chain bigint, token text, holder text, block bigint)
RETURNS numeric
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
    SELECT coalesce(sum(CASE WHEN moved.to_ = analytics.bytes(holder) THEN moved.value ELSE 0 END)
        - sum(CASE WHEN moved.from_ = analytics.bytes(holder) THEN moved.value ELSE 0 END), 0)
    FROM event.erc20_transfer AS moved
    WHERE moved.chain_id = chain AND moved.block_number <= block AND moved.address = analytics.bytes(token)
      AND (moved.from_ = analytics.bytes(holder) OR moved.to_ = analytics.bytes(holder))
$$;
COMMENT ON FUNCTION analytics.erc20_balance_as_of(bigint, text, text, bigint) IS
    'Balance of one account of an ERC-20 token after a block, in its smallest unit.';

CREATE OR REPLACE FUNCTION analytics.nft_owners_as_of(chain bigint, contract text, block bigint)
RETURNS TABLE (token_id numeric, owner text)
LANGUAGE sql STABLE
AS $$
    SELECT latest.token_id, analytics.hex(latest.to_)
    FROM (
        SELECT DISTINCT ON (moved.token_id) moved.token_id, moved.to_
        FROM (
            SELECT token_id, to_, block_number, log_index FROM event.erc721_transfer
            WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(contract)
            UNION ALL
            SELECT part.id, minted.to_, minted.block_number, minted.log_index
            FROM event.erc2309_consecutive_transfer AS minted
            CROSS JOIN LATERAL generate_series(minted.from_token_id,
                least(minted.to_token_id, minted.from_token_id + 9999)) AS part (id)
            WHERE minted.chain_id = chain AND minted.block_number <= block AND minted.address = analytics.bytes(contract)
        ) AS moved
        ORDER BY moved.token_id, moved.block_number DESC, moved.log_index DESC
    ) AS latest
    WHERE latest.to_ <> '\x0000000000000000000000000000000000000000'
$$;
COMMENT ON FUNCTION analytics.nft_owners_as_of(bigint, text, bigint) IS
    'Owners of the tokens of an ERC-721 contract after a block; burned tokens have no row. ERC-2309 ranges are expanded up to 10,000 tokens, as in state.nft.';

CREATE OR REPLACE FUNCTION analytics.nft_owner_as_of(chain bigint, contract text, token_id numeric, block bigint)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT analytics.hex(analytics.nft_owner_at_log(chain, analytics.bytes(contract), token_id, block, 2147483647))
$$;
COMMENT ON FUNCTION analytics.nft_owner_as_of(bigint, text, numeric, bigint) IS
    'Owner of one ERC-721 token after a block; NULL when burned or not minted yet.';

CREATE OR REPLACE FUNCTION analytics.erc1155_balances_as_of(chain bigint, contract text, block bigint)
RETURNS TABLE (token_id numeric, holder text, balance numeric)
LANGUAGE sql STABLE
AS $$
    SELECT moved.id, analytics.hex(ends.account), sum(ends.change)
    FROM (
        SELECT id, value, from_, to_ FROM event.erc1155_transfer_single
        WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(contract)
        UNION ALL
        SELECT part.id, part.value, batch.from_, batch.to_ FROM event.erc1155_transfer_batch AS batch
        CROSS JOIN LATERAL unnest(batch.ids, batch."values") AS part (id, value)
        WHERE batch.chain_id = chain AND batch.block_number <= block AND batch.address = analytics.bytes(contract)
          AND part.id IS NOT NULL AND part.value IS NOT NULL
    ) AS moved
    CROSS JOIN LATERAL (VALUES (moved.to_, moved.value), (moved.from_, -moved.value)) AS ends (account, change)
    WHERE ends.account <> '\x0000000000000000000000000000000000000000'
    GROUP BY moved.id, ends.account
$$;
COMMENT ON FUNCTION analytics.erc1155_balances_as_of(bigint, text, bigint) IS
    'Balances of the tokens of an ERC-1155 contract after a block; accounts that never moved a token have no row, others stay with 0.';

CREATE OR REPLACE FUNCTION analytics.carbon_credits_as_of(chain bigint, contract text, block bigint)
RETURNS TABLE (token_id numeric, remaining numeric, total_initialized numeric, total_retired numeric, owner text)
LANGUAGE sql STABLE
AS $$
    SELECT told.token_id,
        (array_agg(told.remaining ORDER BY told.block_number DESC, told.log_index DESC))[1],
        coalesce(sum(told.amount) FILTER (WHERE told.issued), 0),
        coalesce(sum(told.amount) FILTER (WHERE NOT told.issued), 0),
        analytics.hex(analytics.nft_owner_at_log(chain, analytics.bytes(contract), told.token_id, block, 2147483647))
    FROM (
        SELECT token_id, initial_balance AS remaining, initial_balance AS amount, true AS issued, block_number, log_index
        FROM event.carbon_credits_initialized
        WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(contract)
        UNION ALL
        SELECT token_id, remaining_balance, amount, false, block_number, log_index FROM event.carbon_credits_retired
        WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(contract)
    ) AS told
    GROUP BY told.token_id
$$;
COMMENT ON FUNCTION analytics.carbon_credits_as_of(bigint, text, bigint) IS
    'Carbon credits of each token of a diamond after a block: left, issued and retired until then, and the owner of the token.';

CREATE OR REPLACE FUNCTION analytics.open_listings_as_of(chain bigint, diamond text, block bigint)
RETURNS TABLE (
    token_id numeric, seller text, price_raw numeric, payment_token text, opened_block bigint, opened_log_index integer
)
LANGUAGE sql STABLE
AS $$
    SELECT newest.token_id, analytics.hex(sync.address_or_null(newest.seller)), newest.price,
        analytics.hex(sync.address_or_null(newest.payment_token)), newest.block_number, newest.log_index
    FROM (
        SELECT DISTINCT ON (said.token_id) said.*
        FROM (
            SELECT token_id, true AS opened, seller, price, payment_token, block_number, log_index
            FROM event.marketplace_listings
            WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(diamond)
            UNION ALL
            SELECT token_id, false, NULL, NULL, NULL, block_number, log_index FROM event.marketplace_sales
            WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(diamond)
            UNION ALL
            SELECT item_id, false, NULL, NULL, NULL, block_number, log_index FROM event.marketplace_delisted
            WHERE chain_id = chain AND block_number <= block AND address = analytics.bytes(diamond)
        ) AS said
        ORDER BY said.token_id, said.block_number DESC, said.log_index DESC
    ) AS newest
    WHERE newest.opened
$$;
COMMENT ON FUNCTION analytics.open_listings_as_of(bigint, text, bigint) IS
    'Listings of a marketplace that were open after a block, with the price in the smallest unit of the payment token.';
