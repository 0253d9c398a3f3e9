-- Sources, their coverage, and the addresses that events announced.

-- name: upsert_source
-- A source by its key, made or brought up to date; coverage stays.
INSERT INTO sync.source (chain_id, key, contract, start_block, addresses, topics, discovered)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (chain_id, key) DO UPDATE SET
    contract = excluded.contract, start_block = excluded.start_block, addresses = excluded.addresses,
    topics = excluded.topics, discovered = excluded.discovered
WHERE (source.contract, source.start_block, source.addresses, source.topics, source.discovered)
    IS DISTINCT FROM (excluded.contract, excluded.start_block, excluded.addresses, excluded.topics, excluded.discovered);

-- name: sources
-- All sources of a chain, in the order they were made.
SELECT id, key, contract, start_block, addresses, topics, discovered, coverage
FROM sync.source WHERE chain_id = $1 ORDER BY id;

-- name: cut_coverage
-- No source has anything above this block any more.
UPDATE sync.source SET coverage = coverage * int8multirange(int8range(0, $2, '[]'))
WHERE chain_id = $1 AND NOT upper(coverage) <= $2 + 1;

-- name: clear_coverage
-- No source has anything any more.
UPDATE sync.source SET coverage = '{}' WHERE chain_id = $1 AND NOT isempty(coverage);

-- name: filter_was_covered
-- Whether rows of a filter (NULL: any address, any topic) may be in the tables: whether a source that asked for such logs was
-- covered anywhere in the range. Rows come in with the coverage of the sources that asked for them, so nothing else can be there.
SELECT EXISTS (
    SELECT FROM sync.source
    WHERE chain_id = $1 AND coverage && int8range($2, $3, '[]')
      AND (discovered OR addresses IS NULL OR $4::bytea[] IS NULL OR addresses && $4)
      AND (topics IS NULL OR $5::bytea[] IS NULL OR topics && $5)
);

-- name: add_discovered
-- Members that were announced; the first announcement counts.
INSERT INTO sync.discovered_address AS known (chain_id, contract, address, from_block, announced_block, announced_log_index)
SELECT DISTINCT ON (contract, address) $1, contract, address, from_block, announced_block, announced_log_index
FROM unnest($2::text[], $3::bytea[], $4::bigint[], $5::bigint[], $6::int[])
    AS fresh (contract, address, from_block, announced_block, announced_log_index)
ORDER BY contract, address, announced_block, announced_log_index
ON CONFLICT (chain_id, contract, address) DO UPDATE SET
    from_block = excluded.from_block, announced_block = excluded.announced_block,
    announced_log_index = excluded.announced_log_index
WHERE (excluded.announced_block, excluded.announced_log_index) < (known.announced_block, known.announced_log_index);

-- name: remove_discovered_above
-- Members whose announcement a revert took back.
DELETE FROM sync.discovered_address WHERE chain_id = $1 AND announced_block > $2;

-- name: discovered
-- All announced members of a chain, in the order of their announcements.
SELECT contract, address, from_block, announced_block, announced_log_index FROM sync.discovered_address
WHERE chain_id = $1 ORDER BY announced_block, announced_log_index, contract, address;
