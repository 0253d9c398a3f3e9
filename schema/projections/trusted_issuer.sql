-- projection: trusted_issuer
-- tables: state.trusted_issuer
-- reads: event.trusted_issuer_added, event.trusted_issuer_removed, event.trusted_issuer_claim_topics_updated, event.trusted_issuer_updated
--
-- A set of topics given to an issuer means that it is trusted, for a registry refuses others; where its addition was not
-- seen, the row is marked.

WITH spoken AS (
    SELECT address AS diamond, trusted_issuer AS issuer, 'added' AS what, block_number, log_index
    FROM event.trusted_issuer_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trusted_issuer, 'updated', block_number, log_index
    FROM event.trusted_issuer_claim_topics_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, issuer_address, 'updated', block_number, log_index
    FROM event.trusted_issuer_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trusted_issuer, 'removed', block_number, log_index
    FROM event.trusted_issuer_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    -- A term is what lies between two removals: additions and updates, and the removal that ends it.
    SELECT *, count(*) FILTER (WHERE what = 'removed') OVER (
        PARTITION BY diamond, issuer ORDER BY block_number, log_index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS term
    FROM spoken
), term AS (
    SELECT
        diamond, issuer, term,
        bool_or(what = 'added') AS adds,
        min(block_number) FILTER (WHERE what <> 'removed') AS since,
        max(block_number) FILTER (WHERE what <> 'removed') AS confirmed,
        min(block_number) FILTER (WHERE what = 'removed') AS removed_block
    FROM placed
    GROUP BY diamond, issuer, term
), last_term AS (
    SELECT DISTINCT ON (diamond, issuer) *
    FROM term
    ORDER BY diamond, issuer, since IS NULL, CASE WHEN since IS NULL THEN term ELSE -term END
), fresh AS (
    SELECT
        last_term.diamond,
        last_term.issuer,
        CASE WHEN last_term.since IS NULL OR goes_on THEN live.since ELSE last_term.since END AS since,
        last_term.removed_block,
        CASE WHEN adds THEN NULL
            WHEN last_term.since IS NOT NULL AND NOT goes_on THEN 'given topics without having been added'
            WHEN live.issuer IS NULL THEN 'removed without having been added'
            ELSE live.inconsistency END AS inconsistency,
        greatest(confirmed, last_term.removed_block) AS updated_block
    FROM last_term
    LEFT JOIN state.trusted_issuer AS live
        ON live.chain_id = $1 AND live.diamond = last_term.diamond AND live.issuer = last_term.issuer
    CROSS JOIN LATERAL (SELECT term = 0 AND coalesce(live.active, false) AS goes_on) AS standing
    WHERE last_term.since IS NOT NULL OR live.removed_block IS NULL
)
INSERT INTO state.trusted_issuer (
    chain_id, diamond, issuer, active, since, removed_block, inconsistent, inconsistency, updated_block
)
SELECT
    $1, diamond, issuer, removed_block IS NULL, since, removed_block, inconsistency IS NOT NULL, inconsistency,
    updated_block
FROM fresh
ON CONFLICT (chain_id, diamond, issuer) DO UPDATE
SET active = excluded.active,
    since = excluded.since,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;
