-- Event tables, selectors of ABIs, and what diamonds' loupes told.

-- name: known_tables
-- Which event has which table.
SELECT abi, signature, table_name FROM sync.event_table;

-- name: event_columns
-- Columns of every table of schema event.
SELECT class.relname AS table_name, attribute.attname AS name,
       format_type(attribute.atttypid, attribute.atttypmod) AS type
FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
WHERE class.relnamespace = to_regnamespace('event') AND class.relkind IN ('r', 'p')
  AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY class.relname, attribute.attnum;

-- name: record_event_table
-- Enters an event's table, or its new columns.
INSERT INTO sync.event_table (abi, signature, topic0, table_name, columns) VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (abi, signature) DO UPDATE SET columns = excluded.columns;

-- name: selectors
-- Selectors of ABIs as they are known.
SELECT abi, selector FROM sync.abi_selector WHERE abi = ANY ($1::text[]);

-- name: add_selectors
-- Selectors of ABIs.
INSERT INTO sync.abi_selector (abi, selector) SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING;

-- name: remove_selectors
-- Selectors that an ABI no longer has.
DELETE FROM sync.abi_selector AS known USING unnest($1::text[], $2::bytea[]) AS gone (abi, selector)
WHERE known.abi = gone.abi AND known.selector = gone.selector;

-- name: diamond_cut_exists
-- Whether the table of cuts was made yet.
SELECT to_regclass('event.diamond_cut') IS NOT NULL;

-- name: diamond_cuts
-- Every cut of every diamond of a chain, in order.
SELECT address, block_number, log_index, diamond_cut FROM event.diamond_cut
WHERE chain_id = $1 ORDER BY block_number, log_index;

-- name: clear_diamond_seed
-- What a loupe told before.
DELETE FROM sync.diamond_seed WHERE chain_id = $1 AND diamond = $2;

-- name: add_diamond_seed
-- What a loupe told.
INSERT INTO sync.diamond_seed (chain_id, diamond, block_number, facet, selector)
SELECT $1, $2, $3, facet, selector FROM unnest($4::bytea[], $5::bytea[]) AS told (facet, selector);

-- name: diamond_seeds
-- What the loupes of a chain told.
SELECT diamond, block_number, facet, selector FROM sync.diamond_seed
WHERE chain_id = $1 ORDER BY diamond, facet, selector;

-- name: event_tables_by_name
-- Every event table with its event, in an order that does not depend on when they were made.
SELECT table_name, abi, signature FROM sync.event_table ORDER BY table_name COLLATE "C";

-- name: event_arguments
-- Columns of every event table with their comments.
SELECT class.relname AS table_name, attribute.attname AS name,
       format_type(attribute.atttypid, attribute.atttypmod) AS type,
       col_description(class.oid, attribute.attnum) AS comment
FROM sync.event_table AS held
JOIN pg_class AS class ON class.relname = held.table_name AND class.relnamespace = to_regnamespace('event')
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
ORDER BY class.relname, attribute.attnum;
