-- The cursor of a chain and the links at its end.

-- name: register_chain
-- The chain's row, made or renamed.
INSERT INTO sync.chain (chain_id, name) VALUES ($1, $2)
ON CONFLICT (chain_id) DO UPDATE SET name = excluded.name, updated_at = clock_timestamp()
WHERE chain.name <> excluded.name;

-- name: chain_state
-- A chain's row.
SELECT chain_id, name, tip_number, tip_hash, finalized_number, head_number, halted, last_commit
FROM sync.chain WHERE chain_id = $1;

-- name: lock_chain
-- One commit of a chain at a time; the lock is also how a commit under way is found (see end_commit_under_way).
SELECT pg_advisory_xact_lock(1947012, hashint8($1));

-- name: lock_chain_row
-- The chain's row, held until the transaction ends.
SELECT chain_id, name, tip_number, tip_hash, finalized_number, head_number, halted, last_commit
FROM sync.chain WHERE chain_id = $1 FOR NO KEY UPDATE;

-- name: begin_commit
-- In one go, and in this order: the lease as hold_lease has it, the limits of commit_limits, the lock of lock_chain.
WITH held AS (SELECT epoch, holder FROM sync.lease WHERE chain_id = $1 FOR KEY SHARE)
SELECT epoch, holder,
       set_config('idle_in_transaction_session_timeout', '60s', true), set_config('lock_timeout', '30s', true),
       pg_advisory_xact_lock(1947012, hashint8($1))
FROM held;

-- name: chain_to_commit
-- After begin_commit: the chain's row, held until the transaction ends, and whether rows of the range may be there already.
SELECT chain_id, name, tip_number, tip_hash, finalized_number, head_number, halted, last_commit,
       EXISTS (SELECT FROM sync.source WHERE source.chain_id = $1 AND coverage && int8range($2, $3, '[]')) AS covered
FROM sync.chain WHERE chain_id = $1 FOR NO KEY UPDATE OF chain;

-- name: settled_commit
-- The last commit's identity, waiting for one that is still under way.
SELECT last_commit FROM sync.chain WHERE chain_id = $1 FOR SHARE;

-- name: commit_limits
-- A writer that is paused inside a commit lets go after this long; a lock is not waited for longer.
SELECT set_config('idle_in_transaction_session_timeout', '60s', true), set_config('lock_timeout', '30s', true);

-- name: end_commit
-- In one go: new links at the end of the chain and none below the floor; the range covered by the sources; the cursor after the
-- commit (tip, head and finality, which never decreases) and its identity. No new link is below the floor.
WITH linked AS (
    INSERT INTO sync.block (chain_id, number, hash, parent_hash, block_time)
    SELECT $1, number, hash, parent_hash, to_timestamp(seconds)
    FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[]) AS fresh (number, hash, parent_hash, seconds)
    ON CONFLICT (chain_id, number) DO UPDATE
    SET hash = excluded.hash, parent_hash = excluded.parent_hash, block_time = excluded.block_time
), pruned AS (
    DELETE FROM sync.block WHERE chain_id = $1 AND number < $6::bigint
), covered AS (
    UPDATE sync.source SET coverage = coverage + int8multirange(int8range($8, $9, '[]'))
    WHERE chain_id = $1 AND id = ANY ($7::bigint[]) AND NOT coverage @> int8range($8, $9, '[]')
)
UPDATE sync.chain SET
    tip_number = $10, tip_hash = $11,
    head_number = coalesce($12, head_number),
    finalized_number = greatest(finalized_number, $13),
    last_commit = $14, committed_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE chain_id = $1;

-- name: rewind_cursor
-- The cursor after a rewind: finality goes down with it and the halt is over.
UPDATE sync.chain SET
    tip_number = $2, tip_hash = $3, halted = NULL,
    finalized_number = CASE WHEN finalized_number > $4 THEN $4 ELSE finalized_number END,
    last_commit = $5, committed_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE chain_id = $1;

-- name: set_head
-- What the providers say is newest and final, without a commit.
UPDATE sync.chain SET
    head_number = coalesce($2, head_number), finalized_number = greatest(finalized_number, $3),
    updated_at = clock_timestamp()
WHERE chain_id = $1
  AND (head_number IS DISTINCT FROM coalesce($2, head_number)
       OR finalized_number IS DISTINCT FROM greatest(finalized_number, $3));

-- name: set_halted
-- Why the chain is halted; NULL lets it run again.
UPDATE sync.chain SET halted = $2, updated_at = clock_timestamp() WHERE chain_id = $1;

-- name: chain_links
-- The links we hold, ascending.
SELECT number, hash, parent_hash, extract(epoch FROM block_time)::bigint AS timestamp
FROM sync.block WHERE chain_id = $1 ORDER BY number;

-- name: link_at
-- Our block of a height, where its link is kept.
SELECT number, hash, parent_hash, extract(epoch FROM block_time)::bigint AS timestamp
FROM sync.block WHERE chain_id = $1 AND number = $2;

-- name: insert_links
-- New links at the end of the chain.
INSERT INTO sync.block (chain_id, number, hash, parent_hash, block_time)
SELECT $1, number, hash, parent_hash, to_timestamp(seconds)
FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[]) AS fresh (number, hash, parent_hash, seconds)
ON CONFLICT (chain_id, number) DO UPDATE
SET hash = excluded.hash, parent_hash = excluded.parent_hash, block_time = excluded.block_time;

-- name: remove_links_above
-- Links that a revert removes.
DELETE FROM sync.block WHERE chain_id = $1 AND number > $2;

-- name: prune_links
-- Links that can no longer be reverted to.
DELETE FROM sync.block WHERE chain_id = $1 AND number < $2;
