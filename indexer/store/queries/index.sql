-- Indexes that the configuration asks for on event tables ([database.indexes]).

-- name: indexes_of_tables
-- Plain B-trees over columns of these event tables, and whether they are whole.
SELECT held.relname::text AS table_name, class.relname::text AS name, index.indisvalid AS whole,
       ARRAY(
           SELECT attribute.attname::text FROM unnest(index.indkey) WITH ORDINALITY AS key (number, place)
           JOIN pg_attribute AS attribute ON attribute.attrelid = index.indrelid AND attribute.attnum = key.number
           ORDER BY key.place
       ) AS "columns"
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
JOIN pg_class AS held ON held.oid = index.indrelid
JOIN pg_am ON pg_am.oid = class.relam
WHERE held.relnamespace = to_regnamespace('event') AND held.relname = ANY ($1::text[])
  AND pg_am.amname = 'btree' AND index.indpred IS NULL AND index.indexprs IS NULL;

-- name: writers_may_share
-- Whether another chain may be written while an index of a table is made, and the table lets it.
SELECT (SELECT count(*) > 1 FROM sync.chain)
   AND (SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(format('event.%I', $1::text)));

-- name: index_limits
-- Waits for no table lock longer than this, and sorts in more memory than a query should take.
SELECT set_config('lock_timeout', $1, $2), set_config('statement_timeout', '0', $2),
       set_config('maintenance_work_mem', '256MB', $2);
