-- projection: identity
-- tables: state.identity_contract, state.identity
-- reads: event.identity_factory_identity_created, event.identity_factory_identity_removed, event.identity_registry_identity_added, event.identity_registry_identity_added_5e698032, event.identity_registry_identity_removed, event.identity_registry_identity_removed_59d6590e
--
-- A row is a wallet and whoever spoke of it: the factory that created its identity, the diamond that registered it. A
-- removal goes by the wallet alone: the registry writes the wallet into both fields of IdentityRemoved, so the identity
-- stays what the addition said. Removing what has ended already changes nothing. Claims are not touched: they belong to the
-- identity contract. Who created the contract is looked up by its address, whatever factory that was.

INSERT INTO state.identity_contract (chain_id, identity, factory, owner, created_block, created_log_index, updated_block)
SELECT DISTINCT ON (identity)
    $1, identity, address, sync.address_or_null(owner), block_number, log_index, block_number
FROM event.identity_factory_identity_created
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND sync.address_or_null(identity) IS NOT NULL
ORDER BY identity, block_number, log_index
ON CONFLICT (chain_id, identity) DO NOTHING;

WITH spoken AS (
    SELECT address AS announcer, owner AS wallet, 'created' AS what, identity, NULL::bytea AS issuer, block_number, log_index
    FROM event.identity_factory_identity_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, address_, 'added', identity, trusted_issuer, block_number, log_index
    FROM event.identity_registry_identity_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, address_, 'added', identity, NULL, block_number, log_index
    FROM event.identity_registry_identity_added_5e698032
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, owner, 'removed', NULL, NULL, block_number, log_index
    FROM event.identity_factory_identity_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, address_, 'removed', NULL, NULL, block_number, log_index
    FROM event.identity_registry_identity_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, address_, 'removed', NULL, NULL, block_number, log_index
    FROM event.identity_registry_identity_removed_59d6590e
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    -- A term is what lies between two removals: any number of additions, and the removal that ends it.
    SELECT *, count(*) FILTER (WHERE what = 'removed') OVER (
        PARTITION BY wallet, announcer ORDER BY block_number, log_index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS term
    FROM spoken
), term AS (
    SELECT wallet, announcer, term, bool_or(what <> 'removed') AS opens,
        min(block_number) FILTER (WHERE what = 'removed') AS removed_block
    FROM placed
    GROUP BY wallet, announcer, term
), last_term AS (
    SELECT DISTINCT ON (wallet, announcer) *
    FROM term
    ORDER BY wallet, announcer, opens DESC, CASE WHEN opens THEN -term ELSE term END
), said AS (
    SELECT DISTINCT ON (wallet, announcer) wallet, announcer, what, sync.address_or_null(identity) AS identity, block_number, log_index
    FROM placed
    WHERE what <> 'removed'
    ORDER BY wallet, announcer, block_number DESC, log_index DESC
), listed AS (
    SELECT DISTINCT ON (wallet, announcer) wallet, announcer, term, sync.address_or_null(issuer) AS issuer, block_number
    FROM placed
    WHERE what = 'added'
    ORDER BY wallet, announcer, block_number DESC, log_index DESC
), fresh AS (
    SELECT
        last_term.wallet,
        last_term.announcer,
        last_term.removed_block,
        CASE WHEN opens THEN said.identity ELSE live.identity END AS identity,
        said.block_number AS said_block,
        listed.block_number IS NOT NULL OR (goes_on AND live.registered) AS registered,
        CASE WHEN listed.block_number IS NOT NULL THEN listed.issuer
            WHEN goes_on OR NOT opens THEN live.registered_by END AS registered_by,
        CASE WHEN listed.block_number IS NOT NULL THEN listed.block_number
            WHEN goes_on OR NOT opens THEN live.registered_block END AS registered_block,
        CASE WHEN NOT opens AND live.wallet IS NULL THEN 'removed without having been added'
            WHEN NOT opens THEN live.inconsistency
            WHEN said.what = 'created' AND (contract.created_block, contract.created_log_index, contract.factory)
                <> (said.block_number, said.log_index, said.announcer) THEN 'the identity had been created before' END AS inconsistency
    FROM last_term
    LEFT JOIN state.identity AS live
        ON live.chain_id = $1 AND live.wallet = last_term.wallet AND live.announcer = last_term.announcer
    CROSS JOIN LATERAL (SELECT term = 0 AND live.removed_block IS NULL AND live.wallet IS NOT NULL AS goes_on) AS standing
    LEFT JOIN said ON said.wallet = last_term.wallet AND said.announcer = last_term.announcer
    LEFT JOIN listed
        ON listed.wallet = last_term.wallet AND listed.announcer = last_term.announcer AND listed.term = last_term.term
    LEFT JOIN state.identity_contract AS contract ON contract.chain_id = $1 AND contract.identity = said.identity
    WHERE opens OR live.removed_block IS NULL
)
INSERT INTO state.identity (
    chain_id, wallet, announcer, identity, owner, factory_created_block, registered, registered_by, registered_block,
    removed_block, inconsistent, inconsistency, updated_block
)
SELECT
    $1,
    fresh.wallet,
    fresh.announcer,
    fresh.identity,
    contract.owner,
    contract.created_block,
    fresh.registered AND fresh.removed_block IS NULL,
    fresh.registered_by,
    fresh.registered_block,
    fresh.removed_block,
    fresh.inconsistency IS NOT NULL,
    fresh.inconsistency,
    greatest(fresh.said_block, fresh.removed_block, contract.created_block)
FROM fresh
LEFT JOIN state.identity_contract AS contract ON contract.chain_id = $1 AND contract.identity = fresh.identity
ON CONFLICT (chain_id, wallet, announcer) DO UPDATE
SET identity = excluded.identity,
    owner = excluded.owner,
    factory_created_block = excluded.factory_created_block,
    registered = excluded.registered,
    registered_by = excluded.registered_by,
    registered_block = excluded.registered_block,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

-- Rows that were there before the creation of their identity was seen.
UPDATE state.identity AS live
SET owner = contract.owner,
    factory_created_block = contract.created_block,
    updated_block = greatest(live.updated_block, contract.created_block)
FROM state.identity_contract AS contract
WHERE contract.chain_id = $1 AND contract.created_block BETWEEN $2 AND $3
  AND live.chain_id = $1 AND live.identity = contract.identity AND live.factory_created_block IS NULL;
