-- projection: role_member
-- tables: state.role_member, state.role_admin
-- reads: event.access_control_role_granted, event.access_control_role_revoked, event.access_control_role_admin_changed
--
-- The last word on an account holds; those that left stay as inactive. A revocation without a grant is kept and marked.

WITH said AS (
    SELECT address, role, account, sender, true AS grants, block_number, log_index
    FROM event.access_control_role_granted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, role, account, sender, false, block_number, log_index
    FROM event.access_control_role_revoked
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), last_said AS (
    SELECT DISTINCT ON (address, role, account) *
    FROM said
    ORDER BY address, role, account, block_number DESC, log_index DESC
), last_grant AS (
    SELECT DISTINCT ON (address, role, account) address, role, account, sender, block_number
    FROM said
    WHERE grants
    ORDER BY address, role, account, block_number DESC, log_index DESC
)
INSERT INTO state.role_member AS live (
    chain_id, contract, role, account, active, granted_block, granted_by, revoked_block, revoked_by, inconsistent,
    inconsistency, updated_block
)
SELECT
    $1, address, role, account, last_said.grants,
    last_grant.block_number,
    sync.address_or_null(last_grant.sender),
    CASE WHEN NOT last_said.grants THEN last_said.block_number END,
    CASE WHEN NOT last_said.grants THEN sync.address_or_null(last_said.sender) END,
    last_grant.block_number IS NULL,
    CASE WHEN last_grant.block_number IS NULL THEN 'revoked without a grant' END,
    last_said.block_number
FROM last_said
LEFT JOIN last_grant USING (address, role, account)
ON CONFLICT (chain_id, contract, role, account) DO UPDATE
SET active = excluded.active,
    granted_block = coalesce(excluded.granted_block, live.granted_block),
    granted_by = CASE WHEN excluded.granted_block IS NULL THEN live.granted_by ELSE excluded.granted_by END,
    revoked_block = excluded.revoked_block,
    revoked_by = excluded.revoked_by,
    inconsistent = coalesce(excluded.granted_block, live.granted_block) IS NULL,
    inconsistency = CASE WHEN coalesce(excluded.granted_block, live.granted_block) IS NULL
        THEN 'revoked without a grant' END,
    updated_block = excluded.updated_block;

INSERT INTO state.role_admin (chain_id, contract, role, admin_role, updated_block)
SELECT DISTINCT ON (address, role) $1, address, role, new_admin_role, block_number
FROM event.access_control_role_admin_changed
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, role, block_number DESC, log_index DESC
ON CONFLICT (chain_id, contract, role) DO UPDATE
SET admin_role = excluded.admin_role, updated_block = excluded.updated_block;
