-- projection: trusted_issuer_topic
-- tables: state.trusted_issuer_topic
-- reads: event.trusted_issuer_added, event.trusted_issuer_removed, event.trusted_issuer_claim_topics_updated, event.trusted_issuer_updated
--
-- Each of these events gives an issuer a whole set of topics, its removal the empty one. ClaimTopicAdded(address,uint256) and
-- ClaimTopicRemoved(address,uint256) are not read: they change nothing on the contract and come even for topics that the
-- issuer never had.

WITH told AS (
    SELECT address AS diamond, trusted_issuer AS issuer, claim_topics AS topics, block_number, log_index
    FROM event.trusted_issuer_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trusted_issuer, claim_topics, block_number, log_index
    FROM event.trusted_issuer_claim_topics_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT
        address, issuer_address,
        ARRAY(SELECT topic::numeric FROM jsonb_array_elements_text(trusted_issuer -> 'claimTopics') AS topic),
        block_number, log_index
    FROM event.trusted_issuer_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trusted_issuer, '{}', block_number, log_index
    FROM event.trusted_issuer_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), turn AS (
    SELECT *, row_number() OVER later AS turn, lead(block_number) OVER later AS next_block
    FROM told
    WINDOW later AS (PARTITION BY diamond, issuer ORDER BY block_number, log_index)
), held AS (
    SELECT DISTINCT diamond, issuer, claim_topic, turn, block_number AS since, next_block
    FROM turn, unnest(topics) AS claim_topic
    UNION ALL
    -- What the issuer had before comes as turn 0, which the first turn ends.
    SELECT diamond, issuer, live.claim_topic, 0, live.since, turn.block_number
    FROM turn
    JOIN state.trusted_issuer_topic AS live USING (diamond, issuer)
    WHERE turn.turn = 1 AND live.chain_id = $1 AND live.active
), run AS (
    -- Turns that follow each other without a gap differ from their rank by the same number.
    SELECT *, turn - row_number() OVER (PARTITION BY diamond, issuer, claim_topic ORDER BY turn) AS run
    FROM held
), span AS (
    SELECT
        diamond, issuer, claim_topic, max(turn) AS last_turn, min(since) AS since, max(since) AS confirmed,
        (array_agg(next_block ORDER BY turn DESC))[1] AS removed_block
    FROM run
    GROUP BY diamond, issuer, claim_topic, run
), fresh AS (
    SELECT DISTINCT ON (diamond, issuer, claim_topic) *
    FROM span
    ORDER BY diamond, issuer, claim_topic, last_turn DESC
)
INSERT INTO state.trusted_issuer_topic (
    chain_id, diamond, issuer, claim_topic, active, since, removed_block, updated_block
)
SELECT $1, diamond, issuer, claim_topic, removed_block IS NULL, since, removed_block, coalesce(removed_block, confirmed)
FROM fresh
ON CONFLICT (chain_id, diamond, issuer, claim_topic) DO UPDATE
SET active = excluded.active,
    since = excluded.since,
    removed_block = excluded.removed_block,
    updated_block = excluded.updated_block;
