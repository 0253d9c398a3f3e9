-- Rows of schema event: replaced, orphaned, and the raw ones.

-- name: orphan_above
-- Moves a chain's rows above a block to sync.orphan.
SELECT sync.orphan_above($1, $2, $3);

-- name: insert_reorg
-- A reorg or rewind; rows_removed follows.
INSERT INTO sync.reorg (chain_id, kind, common_ancestor, depth, old_tip, new_tip, old_tip_number, new_tip_number)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id;

-- name: count_reorg_rows
-- How many rows a reorg removed.
UPDATE sync.reorg SET rows_removed = $2 WHERE id = $1;

-- name: delete_logs
-- Deletes rows of a filter in a block range.
SELECT sync.delete_logs($1, $2, $3, $4, $5);

-- name: delete_anonymous
-- Deletes rows of anonymous events at the places of these logs.
SELECT sync.delete_anonymous($1, $2, $3);

-- name: newest_row
-- The newest block at or below a height that has a row.
SELECT block_number, block_hash, extract(epoch FROM block_time)::bigint AS timestamp FROM sync.newest_row($1, $2);

-- name: undecoded_page
-- Raw logs after a place, in order. Logs that share a log index are never parted.
SELECT block_number, extract(epoch FROM block_time)::bigint AS block_time, tx_index, log_index, block_hash, tx_hash,
       address, topics, data, reason
FROM event.undecoded
WHERE chain_id = $1 AND (block_number, log_index) > ($2, $3)
ORDER BY block_number, log_index
FETCH FIRST $4 ROWS WITH TIES;

-- name: remove_undecoded
-- Raw logs that are decoded now.
DELETE FROM event.undecoded AS raw
USING unnest($2::bigint[], $3::int[], $4::bytea[], $5::bytea[]) AS home (block_number, log_index, tx_hash, address)
WHERE raw.chain_id = $1 AND raw.block_number = home.block_number AND raw.log_index = home.log_index
  AND raw.tx_hash = home.tx_hash AND raw.address = home.address;

-- name: restate_undecoded
-- Today's reason why these raw logs are not decoded.
UPDATE event.undecoded AS raw SET reason = said.reason
FROM unnest($2::bigint[], $3::int[], $4::bytea[], $5::bytea[], $6::text[])
    AS said (block_number, log_index, tx_hash, address, reason)
WHERE raw.chain_id = $1 AND raw.block_number = said.block_number AND raw.log_index = said.log_index
  AND raw.tx_hash = said.tx_hash AND raw.address = said.address AND raw.reason <> said.reason;

-- name: taken_places
-- Which of these places have a decoded row.
SELECT block_number, log_index FROM sync.taken_places($1, $2, $3);
