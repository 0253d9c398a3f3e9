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
    SELECT DISTINCT diamond, issuer, claim_topic, turn, block_number, next_block
    FROM turn, unnest(topics) AS claim_topic
), run AS (
    -- Turns that follow each other without a gap differ from their rank by the same number.
    SELECT *, turn - row_number() OVER (PARTITION BY diamond, issuer, claim_topic ORDER BY turn) AS run
    FROM held
), span AS (
    SELECT
        diamond, issuer, claim_topic, min(turn) AS first_turn, min(block_number) AS since, max(block_number) AS confirmed,
        (array_agg(next_block ORDER BY turn DESC))[1] AS removed_block
    FROM run
    GROUP BY diamond, issuer, claim_topic, run
), last_span AS (
    SELECT DISTINCT ON (diamond, issuer, claim_topic) *
    FROM span
    ORDER BY diamond, issuer, claim_topic, first_turn DESC
), fresh AS (
    SELECT
        last_span.diamond,
        last_span.issuer,
        last_span.claim_topic,
        CASE WHEN first_turn = 1 AND live.active THEN live.since ELSE last_span.since END AS since,
        last_span.removed_block,
        coalesce(last_span.removed_block, confirmed) AS updated_block
    FROM last_span
    LEFT JOIN state.trusted_issuer_topic AS live
        ON live.chain_id = $1 AND live.diamond = last_span.diamond AND live.issuer = last_span.issuer
        AND live.claim_topic = last_span.claim_topic
    UNION ALL
    SELECT live.diamond, live.issuer, live.claim_topic, live.since, turn.block_number, turn.block_number
    FROM turn
    JOIN state.trusted_issuer_topic AS live
        ON live.chain_id = $1 AND live.diamond = turn.diamond AND live.issuer = turn.issuer AND live.active
    WHERE turn.turn = 1 AND NOT EXISTS (
        SELECT FROM last_span
        WHERE last_span.diamond = live.diamond AND last_span.issuer = live.issuer
          AND last_span.claim_topic = live.claim_topic
    )
)
INSERT INTO state.trusted_issuer_topic (
    chain_id, diamond, issuer, claim_topic, active, since, removed_block, updated_block
)
SELECT $1, diamond, issuer, claim_topic, removed_block IS NULL, since, removed_block, updated_block
FROM fresh
ON CONFLICT (chain_id, diamond, issuer, claim_topic) DO UPDATE
SET active = excluded.active,
    since = excluded.since,
    removed_block = excluded.removed_block,
    updated_block = excluded.updated_block;
