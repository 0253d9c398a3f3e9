-- projection: identity_claim
-- tables: state.identity_claim
-- reads: event.erc735_claim_added, event.erc735_claim_changed, event.erc735_claim_removed, event.identity_claim_added
-- hashes: event.erc735_claim_added.data, event.erc735_claim_changed.data, event.identity_claim_added.claim
--
-- Claims go by their id alone. Adding one again overwrites it, without a ClaimChanged; a change may bring another topic and
-- issuer; ClaimRemoved carries zeros for everything but the id, so what the claim said stays. Identities emit these, and so
-- do diamonds with the token-claims facet, whose ClaimAdded has a signature of its own.

WITH spoken AS (
    SELECT address AS identity, claim_id, 'added' AS what, topic, scheme, issuer, data, uri, block_number, log_index
    FROM event.erc735_claim_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, claim_id, 'added', claim_type, signature_type, issuer, claim, uri, block_number, log_index
    FROM event.identity_claim_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, claim_id, 'changed', topic, scheme, issuer, data, uri, block_number, log_index
    FROM event.erc735_claim_changed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, claim_id, 'removed', NULL, NULL, NULL, NULL, NULL, block_number, log_index
    FROM event.erc735_claim_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    -- A term is what lies between two removals: additions and changes, and the removal that ends it.
    SELECT *, count(*) FILTER (WHERE what = 'removed') OVER (
        PARTITION BY identity, claim_id ORDER BY block_number, log_index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS term
    FROM spoken
), term AS (
    SELECT
        identity, claim_id, term,
        bool_or(what <> 'removed') AS opens,
        bool_or(what = 'added') AS adds,
        max(max(block_number) FILTER (WHERE what = 'added')) OVER (PARTITION BY identity, claim_id) AS added_block,
        min(block_number) FILTER (WHERE what = 'removed') AS removed_block
    FROM placed
    GROUP BY identity, claim_id, term
), last_term AS (
    SELECT DISTINCT ON (identity, claim_id) *
    FROM term
    ORDER BY identity, claim_id, opens DESC, CASE WHEN opens THEN -term ELSE term END
), said AS (
    SELECT DISTINCT ON (identity, claim_id) *
    FROM placed
    WHERE what <> 'removed'
    ORDER BY identity, claim_id, block_number DESC, log_index DESC
), fresh AS (
    SELECT
        last_term.identity,
        last_term.claim_id,
        CASE WHEN opens THEN said.topic ELSE live.topic END AS topic,
        CASE WHEN opens THEN said.scheme ELSE live.scheme END AS scheme,
        CASE WHEN opens THEN sync.address_or_null(said.issuer) ELSE live.issuer END AS issuer,
        CASE WHEN opens THEN said.uri ELSE live.uri END AS uri,
        CASE WHEN opens THEN hash.data_hash ELSE live.data_hash END AS data_hash,
        coalesce(last_term.added_block, live.added_block) AS added_block,
        last_term.removed_block,
        CASE WHEN adds THEN NULL
            WHEN opens AND NOT goes_on THEN 'changed without having been added'
            WHEN live.claim_id IS NULL THEN 'removed without having been added'
            ELSE live.inconsistency END AS inconsistency,
        greatest(said.block_number, last_term.removed_block) AS updated_block
    FROM last_term
    LEFT JOIN state.identity_claim AS live
        ON live.chain_id = $1 AND live.identity = last_term.identity AND live.claim_id = last_term.claim_id
    CROSS JOIN LATERAL (SELECT term = 0 AND coalesce(live.active, false) AS goes_on) AS standing
    LEFT JOIN said ON said.identity = last_term.identity AND said.claim_id = last_term.claim_id
    CROSS JOIN LATERAL (SELECT sync.keccak256_of(said.data) AS data_hash OFFSET 0) AS hash
    WHERE opens OR live.removed_block IS NULL
)
INSERT INTO state.identity_claim (
    chain_id, identity, claim_id, topic, scheme, issuer, uri, data_hash, active, added_block, removed_block, inconsistent,
    inconsistency, updated_block
)
SELECT
    $1, identity, claim_id, topic, scheme, issuer, uri, data_hash, removed_block IS NULL, added_block, removed_block,
    inconsistency IS NOT NULL, inconsistency, updated_block
FROM fresh
ON CONFLICT (chain_id, identity, claim_id) DO UPDATE
SET topic = excluded.topic,
    scheme = excluded.scheme,
    issuer = excluded.issuer,
    uri = excluded.uri,
    data_hash = excluded.data_hash,
    active = excluded.active,
    added_block = excluded.added_block,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;
