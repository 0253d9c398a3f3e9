-- Tokens of the three standards: contracts, transfers, holders, what an account has.

CREATE OR REPLACE VIEW analytics.token AS
SELECT token.chain_id, analytics.hex(token.contract) AS token, token.kind AS standard, token.name, token.symbol, token.decimals,
    analytics.scaled(supply.supply, token.decimals) AS supply, supply.supply AS supply_raw, token.read_block,
    token.contract AS token_bytes
FROM state.token AS token
LEFT JOIN state.erc20_supply AS supply ON supply.chain_id = token.chain_id AND supply.token = token.contract;
COMMENT ON VIEW analytics.token IS 'Token contracts with their names, and the supply of ERC-20 tokens.';
COMMENT ON COLUMN analytics.token.standard IS 'erc20, erc721 or erc1155.';
COMMENT ON COLUMN analytics.token.name IS 'Name of the token; NULL until read.';
COMMENT ON COLUMN analytics.token.decimals IS 'Decimals; NULL until read, or when the contract has none.';
COMMENT ON COLUMN analytics.token.supply IS 'Minted less burned, in whole tokens; NULL while the decimals are not known.';
COMMENT ON COLUMN analytics.token.supply_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.token.read_block IS 'Block at which name, symbol and decimals were read.';
COMMENT ON COLUMN analytics.token.token_bytes IS 'The token contract as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.token_transfer AS
SELECT moved.chain_id, moved.block_number, moved.log_index, 0::bigint AS "position", moved.block_time,
    analytics.hex(moved.tx_hash) AS tx_hash, 'erc20'::text AS standard,
    CASE WHEN moved.from_ = '\x0000000000000000000000000000000000000000' THEN 'mint'
         WHEN moved.to_ = '\x0000000000000000000000000000000000000000' THEN 'burn' ELSE 'transfer' END AS kind,
    analytics.hex(moved.address) AS token, token.symbol, NULL::numeric AS token_id, NULL::numeric AS last_token_id,
    analytics.hex(moved.from_) AS from_, analytics.hex(moved.to_) AS to_, NULL::text AS operator,
    analytics.scaled(moved.value, token.decimals) AS amount, moved.value AS amount_raw,
    moved.address AS token_bytes, moved.from_ AS from_bytes, moved.to_ AS to_bytes
FROM event.erc20_transfer AS moved
LEFT JOIN state.token AS token ON token.chain_id = moved.chain_id AND token.contract = moved.address
UNION ALL
SELECT moved.chain_id, moved.block_number, moved.log_index, 0::bigint, moved.block_time,
    analytics.hex(moved.tx_hash), 'erc721'::text,
    CASE WHEN moved.from_ = '\x0000000000000000000000000000000000000000' THEN 'mint'
         WHEN moved.to_ = '\x0000000000000000000000000000000000000000' THEN 'burn' ELSE 'transfer' END,
    analytics.hex(moved.address), token.symbol, moved.token_id, moved.token_id,
    analytics.hex(moved.from_), analytics.hex(moved.to_), NULL::text,
    1::numeric, 1::numeric, moved.address, moved.from_, moved.to_
FROM event.erc721_transfer AS moved
LEFT JOIN state.token AS token ON token.chain_id = moved.chain_id AND token.contract = moved.address
UNION ALL
SELECT moved.chain_id, moved.block_number, moved.log_index, 0::bigint, moved.block_time,
    analytics.hex(moved.tx_hash), 'erc721'::text,
    CASE WHEN moved.from_ = '\x0000000000000000000000000000000000000000' THEN 'mint'
         WHEN moved.to_ = '\x0000000000000000000000000000000000000000' THEN 'burn' ELSE 'transfer' END,
    analytics.hex(moved.address), token.symbol, moved.from_token_id, moved.to_token_id,
    analytics.hex(moved.from_), analytics.hex(moved.to_), NULL::text,
    moved.to_token_id - moved.from_token_id + 1, moved.to_token_id - moved.from_token_id + 1,
    moved.address, moved.from_, moved.to_
FROM event.erc2309_consecutive_transfer AS moved
LEFT JOIN state.token AS token ON token.chain_id = moved.chain_id AND token.contract = moved.address
UNION ALL
SELECT moved.chain_id, moved.block_number, moved.log_index, 0::bigint, moved.block_time,
    analytics.hex(moved.tx_hash), 'erc1155'::text,
    CASE WHEN moved.from_ = '\x0000000000000000000000000000000000000000' THEN 'mint'
         WHEN moved.to_ = '\x0000000000000000000000000000000000000000' THEN 'burn' ELSE 'transfer' END,
    analytics.hex(moved.address), token.symbol, moved.id, moved.id,
    analytics.hex(moved.from_), analytics.hex(moved.to_), analytics.hex(moved.operator),
    analytics.scaled(moved.value, coalesce(token.decimals, 0)), moved.value, moved.address, moved.from_, moved.to_
FROM event.erc1155_transfer_single AS moved
LEFT JOIN state.token AS token ON token.chain_id = moved.chain_id AND token.contract = moved.address
UNION ALL
SELECT moved.chain_id, moved.block_number, moved.log_index, part.place - 1, moved.block_time,
    analytics.hex(moved.tx_hash), 'erc1155'::text,
    CASE WHEN moved.from_ = '\x0000000000000000000000000000000000000000' THEN 'mint'
         WHEN moved.to_ = '\x0000000000000000000000000000000000000000' THEN 'burn' ELSE 'transfer' END,
    analytics.hex(moved.address), token.symbol, part.id, part.id,
    analytics.hex(moved.from_), analytics.hex(moved.to_), analytics.hex(moved.operator),
    analytics.scaled(part.value, coalesce(token.decimals, 0)), part.value, moved.address, moved.from_, moved.to_
FROM event.erc1155_transfer_batch AS moved
CROSS JOIN LATERAL unnest(moved.ids, moved."values") WITH ORDINALITY AS part (id, value, place)
LEFT JOIN state.token AS token ON token.chain_id = moved.chain_id AND token.contract = moved.address;
COMMENT ON VIEW analytics.token_transfer IS
    'Every transfer of ERC-20, ERC-721 and ERC-1155 tokens: batches in one row for each token, ERC-2309 ranges in one row with first and last token.';
COMMENT ON COLUMN analytics.token_transfer."position" IS 'Place in a batch, from 0; 0 for all else.';
COMMENT ON COLUMN analytics.token_transfer.standard IS 'erc20, erc721 or erc1155.';
COMMENT ON COLUMN analytics.token_transfer.kind IS 'mint, burn or transfer.';
COMMENT ON COLUMN analytics.token_transfer.token_id IS 'The token, or the first one of an ERC-2309 range; NULL for ERC-20.';
COMMENT ON COLUMN analytics.token_transfer.last_token_id IS 'The last token of the range; the same as token_id unless it is one.';
COMMENT ON COLUMN analytics.token_transfer.from_ IS 'The sender as the event names it; the zero address when minted.';
COMMENT ON COLUMN analytics.token_transfer.to_ IS 'The receiver; the zero address when burned.';
COMMENT ON COLUMN analytics.token_transfer.operator IS 'Who moved them (ERC-1155); NULL for other standards.';
COMMENT ON COLUMN analytics.token_transfer.amount IS 'Amount in whole tokens, NULL while an ERC-20 token''s decimals are not known; for ERC-721 the number of tokens.';
COMMENT ON COLUMN analytics.token_transfer.amount_raw IS 'Amount in the smallest unit, as the event has it.';
COMMENT ON COLUMN analytics.token_transfer.token_bytes IS 'The token contract as bytes, to compare with analytics.bytes.';
COMMENT ON COLUMN analytics.token_transfer.from_bytes IS 'The sender as bytes; analytics.transfers_of finds accounts by index.';
COMMENT ON COLUMN analytics.token_transfer.to_bytes IS 'The receiver as bytes, likewise.';

-- The planner takes a bloom filter for useless wherever values are in no order, which is just where it helps; so it is told.
CREATE OR REPLACE FUNCTION analytics.transfers_of(account text) RETURNS SETOF analytics.token_transfer
LANGUAGE sql STABLE ROWS 100
SET enable_seqscan = off
AS $$
    SELECT * FROM analytics.token_transfer
    WHERE from_bytes = analytics.bytes(account) OR to_bytes = analytics.bytes(account)
$$;
COMMENT ON FUNCTION analytics.transfers_of(text) IS
    'Transfers in which an account sent or received tokens of any standard, found by index; the address in hex of any case.';

CREATE OR REPLACE VIEW analytics.holder AS
SELECT held.chain_id, 'erc20'::text AS standard, analytics.hex(held.token) AS token, token.symbol, NULL::numeric AS token_id,
    analytics.hex(held.holder) AS holder, analytics.scaled(held.balance, token.decimals) AS amount, held.balance AS amount_raw,
    held.updated_block, held.token AS token_bytes, held.holder AS holder_bytes
FROM state.erc20_balance AS held
LEFT JOIN state.token AS token ON token.chain_id = held.chain_id AND token.contract = held.token
WHERE held.balance <> 0
UNION ALL
SELECT held.chain_id, 'erc721'::text, analytics.hex(held.contract), token.symbol, held.token_id,
    analytics.hex(held.owner), 1::numeric, 1::numeric, held.updated_block, held.contract, held.owner
FROM state.nft AS held
LEFT JOIN state.token AS token ON token.chain_id = held.chain_id AND token.contract = held.contract
WHERE held.owner IS NOT NULL
UNION ALL
SELECT held.chain_id, 'erc1155'::text, analytics.hex(held.contract), token.symbol, held.token_id,
    analytics.hex(held.holder), analytics.scaled(held.balance, coalesce(token.decimals, 0)), held.balance,
    held.updated_block, held.contract, held.holder
FROM state.erc1155_balance AS held
LEFT JOIN state.token AS token ON token.chain_id = held.chain_id AND token.contract = held.contract
WHERE held.balance <> 0;
COMMENT ON VIEW analytics.holder IS
    'Who holds what now: one row for each balance that is not 0, and for each ERC-721 token that is not burned.';
COMMENT ON COLUMN analytics.holder.standard IS 'erc20, erc721 or erc1155.';
COMMENT ON COLUMN analytics.holder.token_id IS 'The token; NULL for ERC-20.';
COMMENT ON COLUMN analytics.holder.holder IS 'The account.';
COMMENT ON COLUMN analytics.holder.amount IS 'Balance in whole tokens, NULL while an ERC-20 token''s decimals are not known; 1 for an ERC-721 token.';
COMMENT ON COLUMN analytics.holder.amount_raw IS 'Balance in the smallest unit; below 0 where the history before the first indexed block is missing.';
COMMENT ON COLUMN analytics.holder.token_bytes IS 'The token contract as bytes, for filters that use an index.';
COMMENT ON COLUMN analytics.holder.holder_bytes IS 'The account as bytes, for filters that use an index.';

CREATE OR REPLACE FUNCTION analytics.portfolio(account text) RETURNS SETOF analytics.holder
LANGUAGE sql STABLE
AS $$
    SELECT held.* FROM sync.chain AS chain
    CROSS JOIN LATERAL (
        SELECT * FROM analytics.holder AS one WHERE one.chain_id = chain.chain_id AND one.holder_bytes = analytics.bytes(account)
    ) AS held
$$;
COMMENT ON FUNCTION analytics.portfolio(text) IS
    'All tokens of any standard that an account holds now, on every chain; the address in hex of any case.';

CREATE OR REPLACE FUNCTION analytics.holders(chain bigint, token text)
RETURNS TABLE (holder text, tokens bigint, amount numeric, amount_raw numeric, share numeric)
LANGUAGE sql STABLE
AS $$
    SELECT held.holder, count(*), sum(held.amount), sum(held.amount_raw),
        round(sum(held.amount_raw) / nullif(sum(sum(held.amount_raw)) OVER (), 0), 6)
    FROM analytics.holder AS held
    WHERE held.chain_id = chain AND held.token_bytes = analytics.bytes(holders.token)
    GROUP BY held.holder
$$;
COMMENT ON FUNCTION analytics.holders(bigint, text) IS
    'Holders of a token contract of any standard: how many balances or tokens each has, the amount, and its share of all, from 0 to 1.';

CREATE OR REPLACE VIEW analytics.allowance AS
SELECT granted.chain_id, analytics.hex(granted.token) AS token, token.symbol, analytics.hex(granted.owner) AS owner,
    analytics.hex(granted.spender) AS spender, analytics.scaled(granted.allowance, token.decimals) AS amount,
    granted.allowance AS amount_raw, granted.updated_block
FROM state.erc20_allowance AS granted
LEFT JOIN state.token AS token ON token.chain_id = granted.chain_id AND token.contract = granted.token
WHERE granted.allowance > 0;
COMMENT ON VIEW analytics.allowance IS 'ERC-20 allowances above 0 as last approved: upper bounds, since spending one emits no event.';
COMMENT ON COLUMN analytics.allowance.owner IS 'Whose tokens may be spent.';
COMMENT ON COLUMN analytics.allowance.spender IS 'Who may spend them.';
COMMENT ON COLUMN analytics.allowance.amount IS 'Allowance in whole tokens; NULL while the decimals are not known.';
COMMENT ON COLUMN analytics.allowance.amount_raw IS 'Allowance in the smallest unit.';

CREATE OR REPLACE VIEW analytics.nft AS
SELECT nft.chain_id, analytics.hex(nft.contract) AS contract, token.symbol, nft.token_id, analytics.hex(nft.owner) AS owner,
    analytics.hex(nft.approved) AS approved, analytics.hex(nft.minter) AS minter, nft.minted_block, nft.burned,
    nft.last_transfer_block, held.attributes, nft.inconsistent, nft.inconsistency,
    nft.contract AS contract_bytes, nft.owner AS owner_bytes
FROM state.nft AS nft
LEFT JOIN state.token AS token ON token.chain_id = nft.chain_id AND token.contract = nft.contract
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(attribute.key, attribute.value) AS attributes FROM state.token_attribute AS attribute
    WHERE attribute.chain_id = nft.chain_id AND attribute.contract = nft.contract AND attribute.token_id = nft.token_id
      AND NOT attribute.removed
) AS held ON true;
COMMENT ON VIEW analytics.nft IS 'ERC-721 tokens with owner and the attributes that events told.';
COMMENT ON COLUMN analytics.nft.owner IS 'The owner; NULL when burned.';
COMMENT ON COLUMN analytics.nft.approved IS 'Who may move it besides the owner and operators; NULL when nobody may.';
COMMENT ON COLUMN analytics.nft.minter IS 'Who minted it; NULL when the mint was not seen.';
COMMENT ON COLUMN analytics.nft.minted_block IS 'Block of its mint; NULL when it was not seen.';
COMMENT ON COLUMN analytics.nft.burned IS 'Whether it was burned.';
COMMENT ON COLUMN analytics.nft.last_transfer_block IS 'Block of its last transfer, mint or burn.';
COMMENT ON COLUMN analytics.nft.attributes IS 'Its attributes by key; NULL when events told none.';
COMMENT ON COLUMN analytics.nft.contract_bytes IS 'The contract as bytes, for filters that use an index.';
COMMENT ON COLUMN analytics.nft.owner_bytes IS 'The owner as bytes, for filters that use an index.';
