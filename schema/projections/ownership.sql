-- projection: ownership
-- tables: state.ownership
-- reads: event.ownable_ownership_transferred, event.ownable_ownership_transfer_started
--
-- The owner is what the last OwnershipTransferred says. A transfer in two steps is pending from OwnershipTransferStarted to
-- the next OwnershipTransferred.

WITH moved AS (
    SELECT
        address, previous_owner, new_owner, block_number,
        lag(new_owner) OVER step AS known_owner,
        row_number() OVER (PARTITION BY address ORDER BY block_number DESC, log_index DESC) AS turn
    FROM event.ownable_ownership_transferred
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    WINDOW step AS (PARTITION BY address ORDER BY block_number, log_index)
), told AS (
    SELECT
        moved.address, sync.address_or_null(moved.new_owner) AS owner, moved.block_number,
        CASE
            WHEN moved.known_owner IS NOT NULL THEN moved.previous_owner <> moved.known_owner
            WHEN known.owner_since_block IS NULL THEN false
            ELSE sync.address_or_null(moved.previous_owner) IS DISTINCT FROM known.owner
        END AS differs
    FROM moved
    LEFT JOIN state.ownership AS known ON known.chain_id = $1 AND known.contract = moved.address
    WHERE moved.turn = 1
)
INSERT INTO state.ownership (
    chain_id, contract, owner, owner_since_block, inconsistent, inconsistency, updated_block
)
SELECT
    $1, address, owner, block_number, differs,
    CASE WHEN differs THEN 'the previous owner it names was not the owner' END,
    block_number
FROM told
ON CONFLICT (chain_id, contract) DO UPDATE
SET owner = excluded.owner,
    pending_owner = NULL,
    owner_since_block = excluded.owner_since_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

WITH step AS (
    SELECT address, new_owner AS pending_owner, true AS starts, block_number, log_index
    FROM event.ownable_ownership_transfer_started
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, NULL, false, block_number, log_index
    FROM event.ownable_ownership_transferred
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), last_step AS (
    SELECT DISTINCT ON (address) address, pending_owner, starts, block_number
    FROM step
    ORDER BY address, block_number DESC, log_index DESC
)
INSERT INTO state.ownership (chain_id, contract, pending_owner, updated_block)
SELECT $1, address, sync.address_or_null(pending_owner), block_number
FROM last_step
WHERE starts
ON CONFLICT (chain_id, contract) DO UPDATE
SET pending_owner = excluded.pending_owner, updated_block = excluded.updated_block;
