-- What `indexer status` shows of the database.

-- name: status_chains
-- Every chain's row.
SELECT chain_id, name, tip_number, tip_hash, finalized_number, head_number, halted, committed_at, updated_at
FROM sync.chain ORDER BY chain_id;

-- name: status_contracts
-- What each contract's sources cover together: the blocks that all of them have.
SELECT contract, count(*) AS sources, min(start_block) AS start_block, range_intersect_agg(coverage) AS coverage
FROM sync.source WHERE chain_id = $1 GROUP BY contract ORDER BY contract;

-- name: status_reorgs
-- The last reorgs and rewinds.
SELECT kind, detected_at, common_ancestor, depth, old_tip, new_tip, rows_removed
FROM sync.reorg WHERE chain_id = $1 ORDER BY id DESC LIMIT $2;

-- name: status_undecoded
-- Raw logs by reason.
SELECT reason, count(*) AS logs FROM event.undecoded WHERE chain_id = $1 GROUP BY reason ORDER BY logs DESC, reason LIMIT 50;

-- name: status_projections
-- Through which block each projection holds.
SELECT name, version, through_block FROM sync.projection WHERE chain_id = $1 ORDER BY name;

-- name: status_discovered
-- How many addresses each contract has by announcement.
SELECT contract, count(*) AS addresses FROM sync.discovered_address WHERE chain_id = $1 GROUP BY contract ORDER BY contract;

-- name: database_size
-- Bytes the database takes, and rows of event tables as the planner estimates them.
SELECT pg_database_size(current_database()) AS bytes,
       (SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
        WHERE relnamespace IN (to_regnamespace('event'), to_regnamespace('event_partition')) AND relkind = 'r') AS event_rows;
