-- projection: erc1155_balance
-- tables: state.erc1155_balance
-- reads: event.erc1155_transfer_single, event.erc1155_transfer_batch
--
-- A batch is as many transfers as it has pairs of id and value; where one array is longer, its rest moved nothing. The
-- zero address (mints and burns) is no account. Rows are written in the order of the key, which costs the index least.

WITH transfer AS (
    SELECT address, from_, to_, id, value, block_number
    FROM event.erc1155_transfer_single
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, from_, to_, pair.id, pair.value, block_number
    FROM event.erc1155_transfer_batch AS batch, unnest(batch.ids, batch."values") AS pair (id, value)
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND pair.id IS NOT NULL AND pair.value IS NOT NULL
), moved AS (
    SELECT address, id, to_ AS holder, value AS amount, block_number
    FROM transfer WHERE sync.address_or_null(to_) IS NOT NULL
    UNION ALL
    SELECT address, id, from_, -value, block_number
    FROM transfer WHERE sync.address_or_null(from_) IS NOT NULL
)
INSERT INTO state.erc1155_balance AS live (chain_id, contract, token_id, holder, balance, updated_block)
SELECT $1, address, id, holder, sum(amount), max(block_number)
FROM moved
GROUP BY address, id, holder
ORDER BY address, id, holder
ON CONFLICT (chain_id, contract, token_id, holder) DO UPDATE
SET balance = live.balance + excluded.balance, updated_block = excluded.updated_block;
