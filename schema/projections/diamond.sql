-- projection: diamond
-- tables: state.diamond
-- reads: event.diamond_cut, event.diamond_factory_diamond_created, event.diamond_timelock_diamond_cut_proposed, event.diamond_timelock_diamond_cut_cancelled, event.ownable_ownership_transferred, sync.diamond_seed
--
-- An address is a diamond from the first event on that only a diamond has: it cut itself, proposed a cut, was announced by
-- a factory, or its loupe was read. Its owner is what OwnershipTransferred says, also what it said before (a constructor
-- transfers ownership first); the owner in the settings of DiamondCreated is only what the caller claimed.

WITH known AS (
    SELECT address AS diamond, block_number FROM event.diamond_cut
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, block_number FROM event.diamond_timelock_diamond_cut_proposed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT diamond, block_number FROM event.diamond_factory_diamond_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT diamond, block_number FROM sync.diamond_seed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), fresh AS (
    SELECT diamond, min(block_number) AS block_number
    FROM known
    WHERE NOT EXISTS (SELECT FROM state.diamond AS live WHERE live.chain_id = $1 AND live.diamond = known.diamond)
    GROUP BY diamond
), owned AS (
    SELECT DISTINCT ON (address) address, new_owner
    FROM event.ownable_ownership_transferred
    WHERE chain_id = $1 AND block_number <= $3 AND address IN (SELECT diamond FROM fresh)
    ORDER BY address, block_number DESC, log_index DESC
)
INSERT INTO state.diamond (chain_id, diamond, owner, updated_block)
SELECT $1, diamond, sync.address_or_null(owned.new_owner), fresh.block_number
FROM fresh
LEFT JOIN owned ON owned.address = fresh.diamond;

-- The first announcement holds.
WITH created AS (
    SELECT DISTINCT ON (diamond) diamond, factory, settings, block_number
    FROM event.diamond_factory_diamond_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY diamond, block_number, log_index
)
UPDATE state.diamond AS live
SET factory = sync.address_or_null(created.factory),
    name = created.settings ->> 'name',
    symbol = created.settings ->> 'symbol',
    created_block = created.block_number,
    updated_block = greatest(live.updated_block, created.block_number)
FROM created
WHERE live.chain_id = $1 AND live.diamond = created.diamond AND live.created_block IS NULL;

WITH owned AS (
    SELECT DISTINCT ON (address) address, new_owner, block_number
    FROM event.ownable_ownership_transferred
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, block_number DESC, log_index DESC
)
UPDATE state.diamond AS live
SET owner = sync.address_or_null(owned.new_owner), updated_block = greatest(live.updated_block, owned.block_number)
FROM owned
WHERE live.chain_id = $1 AND live.diamond = owned.address;

-- A proposal is pending until it is cancelled or a cut is made; a later proposal takes its place.
WITH step AS (
    SELECT address, execution_time AS pending_until, NULL::bigint AS cut_block, block_number, log_index
    FROM event.diamond_timelock_diamond_cut_proposed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, NULL, NULL, block_number, log_index
    FROM event.diamond_timelock_diamond_cut_cancelled
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, NULL, block_number, block_number, log_index
    FROM event.diamond_cut
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), last_step AS (
    SELECT DISTINCT ON (address)
        address, pending_until, max(cut_block) OVER (PARTITION BY address) AS cut_block, block_number
    FROM step
    ORDER BY address, block_number DESC, log_index DESC
)
UPDATE state.diamond AS live
SET upgrade_pending_until = last_step.pending_until,
    last_cut_block = coalesce(last_step.cut_block, live.last_cut_block),
    updated_block = greatest(live.updated_block, last_step.block_number)
FROM last_step
WHERE live.chain_id = $1 AND live.diamond = last_step.address;
