-- projection: erc20_balance
-- tables: state.erc20_balance
-- reads: event.erc20_transfer
--
-- Each transfer takes from one account and gives to another; the zero address (mints and burns) is no account. Only sums
-- are applied, so the order within a range does not matter, and a transfer to oneself leaves a row that it does not change.
-- Rows are written in the order of the key, which costs the index least.

WITH moved AS (
    SELECT address AS token, to_ AS holder, value AS amount, block_number
    FROM event.erc20_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND sync.address_or_null(to_) IS NOT NULL
    UNION ALL
    SELECT address, from_, -value, block_number
    FROM event.erc20_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND sync.address_or_null(from_) IS NOT NULL
)
INSERT INTO state.erc20_balance AS live (chain_id, token, holder, balance, updated_block)
SELECT $1, token, holder, sum(amount), max(block_number)
FROM moved
GROUP BY token, holder
ORDER BY token, holder
ON CONFLICT (chain_id, token, holder) DO UPDATE
SET balance = live.balance + excluded.balance, updated_block = excluded.updated_block;
