-- projection: metadata_refresh
-- tables: state.metadata_refresh
-- reads: event.erc4906_metadata_update, event.erc4906_batch_metadata_update
--
-- Ranges may span all 2^256 tokens, so they stand as they were said, one row for each that ever was.

WITH said AS (
    SELECT address, token_id AS first_token_id, token_id AS last_token_id, block_number
    FROM event.erc4906_metadata_update
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, from_token_id, to_token_id, block_number
    FROM event.erc4906_batch_metadata_update
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
)
INSERT INTO state.metadata_refresh (chain_id, contract, first_token_id, last_token_id, updated_block)
SELECT $1, address, first_token_id, last_token_id, max(block_number)
FROM said
GROUP BY address, first_token_id, last_token_id
ON CONFLICT (chain_id, contract, first_token_id, last_token_id) DO UPDATE
SET updated_block = excluded.updated_block;
