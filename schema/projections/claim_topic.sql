-- projection: claim_topic
-- tables: state.claim_topic
-- reads: event.claim_topic_added, event.claim_topic_removed
--
-- Topics of the registry itself, not those of issuers. The deployed build removes a topic without an event, so an active row
-- may be gone from the contract; where a build says ClaimTopicRemoved(uint256), it holds.

WITH spoken AS (
    SELECT address AS diamond, claim_topic, true AS opens, block_number, log_index
    FROM event.claim_topic_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, claim_topic, false, block_number, log_index
    FROM event.claim_topic_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    -- A term is what lies between two removals: any number of additions, and the removal that ends it.
    SELECT *, count(*) FILTER (WHERE NOT opens) OVER (
        PARTITION BY diamond, claim_topic ORDER BY block_number, log_index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS term
    FROM spoken
), term AS (
    SELECT
        diamond, claim_topic, term,
        min(block_number) FILTER (WHERE opens) AS since,
        max(block_number) FILTER (WHERE opens) AS confirmed,
        min(block_number) FILTER (WHERE NOT opens) AS removed_block
    FROM placed
    GROUP BY diamond, claim_topic, term
), last_term AS (
    SELECT DISTINCT ON (diamond, claim_topic) *
    FROM term
    ORDER BY diamond, claim_topic, since IS NULL, CASE WHEN since IS NULL THEN term ELSE -term END
), fresh AS (
    SELECT
        last_term.diamond,
        last_term.claim_topic,
        CASE WHEN last_term.since IS NULL OR (term = 0 AND live.active) THEN live.since ELSE last_term.since END AS since,
        last_term.removed_block,
        CASE WHEN last_term.since IS NOT NULL THEN NULL
            WHEN live.diamond IS NULL THEN 'removed without having been added'
            ELSE live.inconsistency END AS inconsistency,
        greatest(confirmed, last_term.removed_block) AS updated_block
    FROM last_term
    LEFT JOIN state.claim_topic AS live
        ON live.chain_id = $1 AND live.diamond = last_term.diamond AND live.claim_topic = last_term.claim_topic
    WHERE last_term.since IS NOT NULL OR live.removed_block IS NULL
)
INSERT INTO state.claim_topic (
    chain_id, diamond, claim_topic, active, since, removed_block, inconsistent, inconsistency, updated_block
)
SELECT
    $1, diamond, claim_topic, removed_block IS NULL, since, removed_block, inconsistency IS NOT NULL, inconsistency,
    updated_block
FROM fresh
ON CONFLICT (chain_id, diamond, claim_topic) DO UPDATE
SET active = excluded.active,
    since = excluded.since,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;
