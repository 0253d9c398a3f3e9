-- Views and functions of schema/views.

-- name: applied_views
-- Files as they were applied last, in the order in which they are applied.
SELECT name, digest, "views", functions FROM sync.view_file ORDER BY name COLLATE "C";

-- name: record_view_file
-- Enters a file into the ledger, in the transaction that applies it.
INSERT INTO sync.view_file (name, digest, "views", functions) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE
SET digest = excluded.digest, "views" = excluded."views", functions = excluded.functions, applied_at = clock_timestamp();

-- name: forget_view_files
-- Files that are no longer there.
DELETE FROM sync.view_file WHERE name <> ALL ($1::text[]);

-- name: drop_views
-- All views and functions of ours, for those that cannot be replaced in place.
SELECT sync.drop_views();

-- name: comment_common_columns
-- Columns that mean the same in every view and were given no comment of their own.
DO $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT class.oid::regclass AS view_name, attribute.attname, common.meaning
        FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0
        JOIN (VALUES
            ('chain_id', 'EIP-155 chain id.'),
            ('block_number', 'Number of the block of the event.'),
            ('log_index', 'Place of the log in the block.'),
            ('block_time', 'Timestamp of the block.'),
            ('tx_hash', 'Hash of the transaction.'),
            ('inconsistent', 'Whether the events behind the row contradict each other; the row keeps what is certain.'),
            ('inconsistency', 'The first contradiction that was seen; NULL when there is none.'),
            ('updated_block', 'Newest block whose events changed or confirmed the row.'),
            ('diamond', 'The diamond.'),
            ('contract', 'The contract.'),
            ('token', 'The token contract.'),
            ('token_id', 'The token.'),
            ('deal_id', 'The trade deal; ids start at 0.'),
            ('symbol', 'Symbol of the token; NULL until read.'),
            ('payment_token', 'The token paid with; NULL for the native coin.'),
            ('payment_symbol', 'Its symbol; NULL until read.'),
            ('day', 'Day, by UTC.'),
            ('identity', 'The identity contract.'),
            ('claim_topic', 'The claim topic.'),
            ('chainId', 'EIP-155 chain id.'),
            ('blockNumber', 'Number of the block of the event.'),
            ('blockTime', 'Timestamp of that block.'),
            ('transactionHash', 'Hash of the transaction.'),
            ('logIndex', 'Place of the log in the block.'),
            ('tokenId', 'The token.'),
            ('contractAddress', 'The contract.'),
            ('tradeDealId', 'The trade deal; ids start at 0.')
        ) AS common (column_name, meaning) ON common.column_name = attribute.attname
        WHERE class.relkind = 'v' AND class.relnamespace IN ('analytics'::regnamespace, 'parity'::regnamespace)
          AND col_description(class.oid, attribute.attnum) IS NULL
          AND class.oid IN (SELECT to_regclass(made) FROM sync.view_file, unnest("views") AS made)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', target.view_name, target.attname, target.meaning);
    END LOOP;
END
$$;

-- name: dictionary_schemas
-- The schemas that are there, in the given order, with their comments.
SELECT namespace.nspname::text AS name, obj_description(namespace.oid, 'pg_namespace') AS comment
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
JOIN pg_namespace AS namespace ON namespace.nspname = wanted.name
ORDER BY wanted.place;

-- name: dictionary_relations
-- Tables and views of a schema with their comments.
SELECT class.relname::text AS name, quote_ident(class.relname) AS quoted, class.relkind::text AS kind,
       obj_description(class.oid, 'pg_class') AS comment
FROM pg_class AS class
WHERE class.relnamespace = $1::text::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
ORDER BY class.relname COLLATE "C";

-- name: dictionary_columns
-- Their columns with types and comments.
SELECT class.relname::text AS relation, attribute.attname::text AS name,
       format_type(attribute.atttypid, attribute.atttypmod) AS type,
       col_description(class.oid, attribute.attnum) AS comment,
       coalesce(attribute.attnum = ANY (key.indkey::smallint[]), false) AS key
FROM pg_class AS class
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
LEFT JOIN pg_index AS key ON key.indrelid = class.oid AND key.indisprimary
WHERE class.relnamespace = $1::text::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
ORDER BY class.relname, attribute.attnum;

-- name: dictionary_functions
-- Functions for people: those of a schema that are no triggers.
SELECT proc.proname || '(' || pg_get_function_identity_arguments(proc.oid) || ')' AS signature,
       pg_get_function_result(proc.oid) AS result, obj_description(proc.oid, 'pg_proc') AS comment
FROM pg_proc AS proc
WHERE proc.pronamespace = $1::text::regnamespace AND proc.prorettype <> 'trigger'::regtype
ORDER BY proc.proname COLLATE "C", 1;
