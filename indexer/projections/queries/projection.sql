-- Statements of the projection runner: its books in sync.projection, and what it asks of other tables.

-- name: register_projections
-- Makes the rows of projections ($2 names, $3 versions) that a chain has none of yet; the tables are empty then.
INSERT INTO sync.projection (chain_id, name, version)
SELECT $1, fresh.name, fresh.version
FROM unnest($2::text[], $3::text[]) AS fresh (name, version)
WHERE EXISTS (SELECT FROM sync.chain WHERE chain_id = $1)
ON CONFLICT (chain_id, name) DO NOTHING;

-- name: lock_projections
-- The books of a chain's projections, held until the transaction ends; in the order of names, so that nobody deadlocks.
SELECT name, version, through_block, journal_floor, stale, revision
FROM sync.projection
WHERE chain_id = $1
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
-- Room for sorting a large step in memory, until the end of the transaction.
SELECT set_config('work_mem', '64MB', true);

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
