-- projection: identity_key
-- tables: state.identity_key
-- reads: event.erc734_key_added, event.erc734_key_removed
--
-- KeyRemoved deletes the key, whichever purpose it names: it ends every purpose the key has at that log. A removal makes a
-- row only where the key was not known at all.

WITH added AS (
    SELECT DISTINCT ON (address, key, purpose)
        address AS identity, key, purpose, key_type, block_number AS added_block, log_index
    FROM event.erc734_key_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, key, purpose, block_number DESC, log_index DESC
), removal AS (
    SELECT address AS identity, key, purpose, key_type, block_number, log_index
    FROM event.erc734_key_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), first_removal AS (
    SELECT DISTINCT ON (identity, key) *
    FROM removal
    ORDER BY identity, key, block_number, log_index
), ended AS (
    SELECT identity, key, added.purpose, min(removal.block_number) AS removed_block
    FROM added
    JOIN removal USING (identity, key)
    WHERE (removal.block_number, removal.log_index) > (added.added_block, added.log_index)
    GROUP BY identity, key, added.purpose
), fresh AS (
    SELECT identity, key, purpose, key_type, added_block, removed_block, NULL AS inconsistency
    FROM added
    LEFT JOIN ended USING (identity, key, purpose)
    UNION ALL
    SELECT identity, key, live.purpose, live.key_type, live.added_block, first_removal.block_number, live.inconsistency
    FROM first_removal
    JOIN state.identity_key AS live USING (identity, key)
    WHERE live.chain_id = $1 AND live.active
      AND NOT EXISTS (
          SELECT FROM added WHERE added.identity = live.identity AND added.key = live.key AND added.purpose = live.purpose
      )
    UNION ALL
    SELECT identity, key, purpose, key_type, NULL, block_number, 'removed without having been added'
    FROM first_removal AS removal
    WHERE NOT EXISTS (
        SELECT FROM state.identity_key AS live
        WHERE live.chain_id = $1 AND live.identity = removal.identity AND live.key = removal.key
    ) AND NOT EXISTS (
        SELECT FROM event.erc734_key_added AS earlier
        WHERE earlier.chain_id = $1 AND earlier.block_number BETWEEN $2 AND $3
          AND earlier.address = removal.identity AND earlier.key = removal.key
          AND (earlier.block_number, earlier.log_index) < (removal.block_number, removal.log_index)
    ) AND NOT EXISTS (
        SELECT FROM added
        WHERE added.identity = removal.identity AND added.key = removal.key AND added.purpose = removal.purpose
    )
)
INSERT INTO state.identity_key (
    chain_id, identity, key, purpose, key_type, active, added_block, removed_block, inconsistent, inconsistency, updated_block
)
SELECT
    $1, identity, key, purpose, key_type, removed_block IS NULL, added_block, removed_block, inconsistency IS NOT NULL,
    inconsistency, coalesce(removed_block, added_block)
FROM fresh
ON CONFLICT (chain_id, identity, key, purpose) DO UPDATE
SET key_type = excluded.key_type,
    active = excluded.active,
    added_block = excluded.added_block,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;
