-- What an export reads. {table} and {columns} are names out of pg_attribute, quoted.

-- name: export_chains
-- Every chain that has final blocks, and through which block what is in the tables is final.
SELECT chain_id, name, least(finalized_number, coalesce(tip_number, finalized_number)) AS through_block
FROM sync.chain WHERE finalized_number IS NOT NULL ORDER BY chain_id;

-- name: export_columns
-- Columns of every table of logs with their comments, in their order.
SELECT class.relname AS table_name, attribute.attname AS name,
       format_type(attribute.atttypid, attribute.atttypmod) AS type,
       coalesce(col_description(class.oid, attribute.attnum), '') AS comment
FROM (SELECT DISTINCT table_name FROM sync.event_tables()) AS held
JOIN pg_class AS class ON class.relname = held.table_name AND class.relnamespace = to_regnamespace('event')
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY class.relname COLLATE "C", attribute.attnum;

-- name: export_reverts
-- Common ancestors of all reorgs and rewinds: rows above one may have been replaced under the same keys.
SELECT common_ancestor FROM sync.reorg WHERE chain_id = $1 ORDER BY common_ancestor;

-- name: export_parts
-- What each block range of a table holds: how many rows, between which blocks, and a sum over their keys.
SELECT block_number / $3 AS part, min(block_number) AS first, max(block_number) AS last, count(*) AS rows,
       sum(hashint8extended(block_number, log_index)) AS keys
FROM event.{table} WHERE chain_id = $1 AND block_number <= $2
GROUP BY 1 ORDER BY 1;

-- name: export_rows
-- Rows of a block range, in order.
SELECT {columns} FROM event.{table}
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY block_number, log_index;

-- name: export_lock
-- One export at a time into one place; false when another is under way.
SELECT pg_try_advisory_lock(1947021, hashtext($1));

-- name: export_patience
-- The snapshot of an export may wait for a slow store longer than a commit may.
SET LOCAL idle_in_transaction_session_timeout = 0;
