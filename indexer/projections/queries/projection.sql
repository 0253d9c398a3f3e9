-- Statements of the projection runner: its books in sync.projection, and what it asks of other tables.

-- name: register_projections
-- Makes the rows of projections ($2 names, $3 versions) that a chain has none of yet; the tables are empty then. One of the
-- operator's that comes to a chain with a history is marked own-new: it is built beside everything else.
INSERT INTO sync.projection (chain_id, name, version)
SELECT $1, fresh.name,
    CASE WHEN fresh.version LIKE 'own-%' AND chain.tip_number IS NOT NULL THEN 'own-new' ELSE fresh.version END
FROM unnest($2::text[], $3::text[]) AS fresh (name, version)
JOIN sync.chain AS chain ON chain.chain_id = $1
ON CONFLICT (chain_id, name) DO NOTHING;

-- name: lock_projections
-- The books of a chain's projections, held until the transaction ends; in the order of names, so that nobody deadlocks.
SELECT name, version, through_block, journal_floor, stale, revision
FROM sync.projection
WHERE chain_id = $1
ORDER BY name
FOR UPDATE;

-- name: lock_some_projections
-- As lock_projections, of projections $2 only.
SELECT name, version, through_block, journal_floor, stale, revision
FROM sync.projection
WHERE chain_id = $1 AND name = ANY ($2::text[])
ORDER BY name
FOR UPDATE;

-- name: read_projections
-- The books of a chain's projections, without holding them.
SELECT name, version, through_block, journal_floor, stale, revision
FROM sync.projection
WHERE chain_id = $1
ORDER BY name;

-- name: advance_projections
-- Events up to block $3 are in the tables of projections $2; without a journal ($4) there is no way back below it. What
-- finality made useless of the chain's journal goes.
WITH final AS MATERIALIZED (
    SELECT coalesce(max(finalized_number), -1) AS number FROM sync.chain WHERE chain_id = $1
), forgotten AS (
    DELETE FROM sync.journal USING final WHERE chain_id = $1 AND last_block <= final.number
)
UPDATE sync.projection AS book
SET through_block = CASE WHEN name = ANY ($2::text[]) THEN $3 ELSE through_block END,
    journal_floor = CASE WHEN name = ANY ($2::text[]) AND NOT $4 THEN $3
        ELSE greatest(journal_floor, least(final.number, CASE WHEN name = ANY ($2::text[]) THEN $3 ELSE through_block END)) END,
    updated_at = clock_timestamp()
FROM final
WHERE book.chain_id = $1 AND (name = ANY ($2::text[]) OR journal_floor < least(final.number, through_block));

-- name: advance_final
-- Final events up to block $3 are in the tables of projections $2. No other row is touched: others are held by other folds.
UPDATE sync.projection
SET through_block = $3, journal_floor = $3, updated_at = clock_timestamp()
WHERE chain_id = $1 AND name = ANY ($2::text[]);

-- name: reset_projection
-- Where a projection ($2) holds after it was taken back or built anew: through block, journal floor, version, stale.
UPDATE sync.projection
SET through_block = $3, journal_floor = $4, version = $5, stale = $6, updated_at = clock_timestamp()
WHERE chain_id = $1 AND name = $2;

-- name: bump_revision
-- Tells a rebuild of projection $2 under way that what it read has changed.
UPDATE sync.projection SET revision = revision + 1 WHERE chain_id = $1 AND name = $2;

-- name: mark_stale
-- Events that projections $2 had folded are about to change.
UPDATE sync.projection
SET stale = true, revision = revision + 1, updated_at = clock_timestamp()
WHERE chain_id = $1 AND name = ANY ($2::text[]);

-- name: journal_on
-- From here to the end of the transaction changes of state tables are journaled under this range; '' ends it.
SELECT set_config('indexer.journal', $1, true);

-- name: large_fold
-- Room for sorting a step in memory, until the end of the transaction. With $1 'off' loops over loops are avoided: the planner
-- thinks too little of tables that nothing has gathered statistics of yet, and many rows times many rows is what it then does.
SELECT set_config('work_mem', '64MB', true), set_config('enable_nestloop', $1, true);

-- name: gather_statistics
-- Before large folds: what the planner has to know of event tables ($1).
SELECT sync.gather_statistics($1);

-- name: tables_of_more_rows
-- Those of tables $1 that may have more than $2 rows, by the size of their files; partitioned ones and those that nothing is
-- known of may.
SELECT wanted.name
FROM unnest($1::text[]) AS wanted (name)
JOIN pg_class AS class ON class.oid = to_regclass(wanted.name)
CROSS JOIN LATERAL (
    SELECT pg_relation_size(class.oid) / current_setting('block_size')::float8 AS pages
) AS now
WHERE class.reltuples < 0 OR class.relkind = 'p' OR (class.relpages = 0 AND now.pages > 0)
   OR class.reltuples / greatest(class.relpages, 1) * now.pages > $2
ORDER BY wanted.name;

-- name: fold_limits
-- A writer that is paused inside a fold lets go after this long; a lock is not waited for longer.
SELECT set_config('idle_in_transaction_session_timeout', '60s', true), set_config('lock_timeout', '30s', true);

-- name: lock_folds
-- How a fold under way is found (see end_commit_under_way); what it folds is held by its rows in sync.projection.
SELECT pg_advisory_xact_lock_shared(1947013, hashint8($1));

-- name: undo_journal
-- Undoes the folds of a chain ($1) that went above a block ($2); says from which block each table is to be folded again.
SELECT relation, first_block FROM sync.journal_undo($1, $2);

-- name: forget_journal
-- Drops what can only undo final blocks.
DELETE FROM sync.journal WHERE chain_id = $1 AND last_block <= $2;

-- name: raise_floors
-- After forget_journal there is no way back below a final block.
UPDATE sync.projection
SET journal_floor = least($2, through_block)
WHERE chain_id = $1 AND journal_floor < least($2, through_block);

-- name: drop_journal
-- The journal of tables ($2) that are built anew.
DELETE FROM sync.journal WHERE chain_id = $1 AND relation = ANY ($2::text[]);

-- name: adopt_table
-- Gives a state table ($1) the rows of the table built beside it ($2) for a chain ($3).
SELECT sync.adopt_table($1::text::regclass, $2::text::regclass, $3);

-- name: read_chain
-- A chain's tip and finality.
SELECT tip_number, finalized_number FROM sync.chain WHERE chain_id = $1;

-- name: chains
-- Every chain there is.
SELECT chain_id FROM sync.chain ORDER BY chain_id;

-- name: selectors_digest
-- Names the known ABIs' functions: facets are matched to other ABIs when it changes.
SELECT encode(sha256(coalesce(string_agg(convert_to(abi, 'UTF8') || '\x00'::bytea || selector, ''::bytea ORDER BY abi COLLATE "C", selector), ''::bytea)), 'hex')
FROM sync.abi_selector;

-- name: own_tables_exist
-- Whether every table ($1) of an operator's projection is there.
SELECT NOT EXISTS (SELECT FROM unnest($1::text[]) AS wanted WHERE to_regclass(wanted) IS NULL);

-- name: own_statements
-- The definitions that were executed for an operator's projection ($1), in their order.
SELECT statement FROM sync.custom_statement WHERE projection = $1 ORDER BY "position";

-- name: record_own_statement
-- Writes down that a definition ($3, the $2th of projection $1) was executed.
INSERT INTO sync.custom_statement (projection, "position", statement) VALUES ($1, $2, $3);

-- name: forget_own_statements
-- Somebody dropped the tables of projection $1: they are made anew.
DELETE FROM sync.custom_statement WHERE projection = $1;

-- name: renew_own
-- The tables of projection $1 are new and empty, whatever the books say.
UPDATE sync.projection SET version = 'own-new', through_block = -1, journal_floor = -1 WHERE name = $1;

-- name: forget_lost_journals
-- The journal of tables that somebody dropped; nothing could be undone with it.
DELETE FROM sync.journal WHERE relation LIKE 'custom.%' AND to_regclass(relation) IS NULL;

-- name: attach_journal
-- Makes changes of a table ($1) undoable.
SELECT sync.attach_journal($1::text::regclass);

-- name: set_version
-- What made the rows of projection $2, where they are not to be built on: own-new, own-failed, own-absent.
UPDATE sync.projection
SET version = $3, revision = revision + 1, updated_at = clock_timestamp()
WHERE chain_id = $1 AND name = $2;

-- name: retire_absent
-- Projections of the operator's that no file stands for any more (all but $2): built anew should one come back.
UPDATE sync.projection
SET version = 'own-absent', updated_at = clock_timestamp()
WHERE chain_id = $1 AND version LIKE 'own-%' AND version <> 'own-absent' AND name <> ALL ($2::text[]);

-- name: own_timeout
-- How many milliseconds a statement of an operator's projection may take inside a commit; '0' ends it.
SELECT set_config('statement_timeout', $1, true);

-- name: tell_hashed
-- Digests ($2) of messages by their SHA-256 ($1), for the folds of this session.
INSERT INTO sync.hashed (backend, key, digest)
SELECT pg_backend_pid(), told.key, told.digest FROM unnest($1::bytea[], $2::bytea[]) AS told (key, digest)
ON CONFLICT DO NOTHING;

-- name: forget_hashed
-- Ends what tell_hashed told this session.
DELETE FROM sync.hashed WHERE backend = pg_backend_pid();
