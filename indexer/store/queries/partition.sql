-- Event tables that are partitioned by block range.

-- name: partitioned_tables
-- Event tables that are partitioned.
SELECT relname::text AS table_name FROM pg_class
WHERE relnamespace = to_regnamespace('event') AND relkind = 'p';

-- name: plain_tables
-- Event tables that are not partitioned.
SELECT held.table_name FROM (SELECT DISTINCT table_name FROM sync.event_table) AS held
JOIN pg_class AS class ON class.relname = held.table_name AND class.relnamespace = to_regnamespace('event')
WHERE class.relkind = 'r' ORDER BY 1;

-- name: add_partitions
-- Makes the partitions that blocks of tables belong to, where there are none; how many were made.
SELECT count(*) FILTER (WHERE sync.add_partition(table_name, block, $3))
FROM unnest($1::text[], $2::bigint[]) AS wanted (table_name, block);

-- name: bound_table
-- First step of partitioning a table that has rows.
SELECT sync.bound_table($1, $2);

-- name: partition_table
-- Second step; the block at which new partitions begin.
SELECT sync.partition_table($1);
