-- Statements of the reconciler.

-- name: session_limits
-- It never waits long for a lock, nor works long in the database.
SELECT set_config('lock_timeout', '2s', false), set_config('statement_timeout', '60s', false);

-- name: final_block
-- The newest final block that every projection of ours ($2 names) holds through; NULL before there is one.
SELECT least(chain.finalized_number, chain.tip_number, (
    SELECT min(through_block) FROM sync.projection AS book WHERE book.chain_id = $1 AND book.name = ANY ($2::text[])
))
FROM sync.chain AS chain
WHERE chain.chain_id = $1;

-- name: show_token
-- Gives a row of state.token ($2) what was read of its contract; the trigger of the table does it.
UPDATE state.token AS live
SET read_block = silent.read_block
FROM state.silent_token AS silent
WHERE live.chain_id = $1 AND live.contract = $2 AND silent.chain_id = $1 AND silent.contract = $2
  AND (live.name, live.symbol, live.decimals, live.read_block)
      IS DISTINCT FROM (silent.name, silent.symbol, silent.decimals, silent.read_block);

-- name: told_attributes
-- What events say of the attributes of a token ($2, $3) as of a block ($4).
SELECT key, value FROM state.token_attribute
WHERE chain_id = $1 AND contract = $2 AND token_id = $3 AND NOT removed AND updated_block <= $4;

-- name: note_check
-- What a comparison found.
INSERT INTO sync.reconciliation (chain_id, check_name, block_number, compared, drift, unanswered, examples)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (chain_id, check_name) DO UPDATE
SET block_number = excluded.block_number, compared = excluded.compared, drift = excluded.drift,
    unanswered = excluded.unanswered, examples = excluded.examples, checked_at = clock_timestamp();

-- name: marking_tables
-- Tables of schema state that mark rows whose events contradict each other.
SELECT class.relname AS name
FROM pg_class AS class
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
WHERE class.relnamespace = 'state'::regnamespace AND class.relkind = 'r'
  AND attribute.attname = 'inconsistent' AND NOT attribute.attisdropped
ORDER BY 1;
