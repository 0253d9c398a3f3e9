-- projection: pause_flag
-- tables: state.pause_flag
-- reads: event.pausable_paused, event.pausable_unpaused
--
-- The last word holds.

WITH said AS (
    SELECT address, true AS paused, account, block_number, log_index
    FROM event.pausable_paused
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, false, account, block_number, log_index
    FROM event.pausable_unpaused
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
)
INSERT INTO state.pause_flag (chain_id, contract, paused, account, updated_block)
SELECT DISTINCT ON (address) $1, address, paused, sync.address_or_null(account), block_number
FROM said
ORDER BY address, block_number DESC, log_index DESC
ON CONFLICT (chain_id, contract) DO UPDATE
SET paused = excluded.paused, account = excluded.account, updated_block = excluded.updated_block;
