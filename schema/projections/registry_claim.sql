-- projection: registry_claim
-- tables: state.registry_claim
-- reads: event.identity_registry_claim_added, event.identity_registry_claim_added_a1a7a6cf, event.identity_registry_claim_removed, event.identity_registry_claim_removed_45749df3, event.identity_registry_claims_removed
--
-- The last ClaimAdded overwrites, the first removal after it ends. ClaimsSet is not read: it lists what was asked for, and
-- each topic that was stored has a ClaimAdded of its own. IdentityRemoved ends no claim.

WITH spoken AS (
    SELECT address AS diamond, identity, claim_topic, true AS opens, trusted_issuer AS issuer, claim, block_number, log_index
    FROM event.identity_registry_claim_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, identity, claim_topic, true, NULL, claim, block_number, log_index
    FROM event.identity_registry_claim_added_a1a7a6cf
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, identity, claim_topic, false, NULL, NULL, block_number, log_index
    FROM event.identity_registry_claim_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, identity, claim_topic, false, NULL, NULL, block_number, log_index
    FROM event.identity_registry_claim_removed_45749df3
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, identity, topic, false, NULL, NULL, block_number, log_index
    FROM event.identity_registry_claims_removed, unnest(claim_topics) AS topic
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), added AS (
    SELECT DISTINCT ON (diamond, identity, claim_topic)
        diamond, identity, claim_topic, sync.address_or_null(issuer) AS issuer, claim, block_number AS added_block, log_index
    FROM spoken
    WHERE opens
    ORDER BY diamond, identity, claim_topic, block_number DESC, log_index DESC
), removed AS (
    SELECT diamond, identity, claim_topic, min(spoken.block_number) AS removed_block
    FROM spoken
    LEFT JOIN added USING (diamond, identity, claim_topic)
    WHERE NOT opens AND (added_block IS NULL OR (spoken.block_number, spoken.log_index) > (added_block, added.log_index))
    GROUP BY diamond, identity, claim_topic
)
INSERT INTO state.registry_claim AS live (
    chain_id, diamond, identity, claim_topic, issuer, claim, added_block, removed_block, inconsistent, inconsistency,
    updated_block
)
SELECT
    $1,
    diamond,
    identity,
    claim_topic,
    issuer,
    claim,
    added_block,
    removed_block,
    added_block IS NULL,
    CASE WHEN added_block IS NULL THEN 'removed without having been added' END,
    coalesce(removed_block, added_block)
FROM added
FULL JOIN removed USING (diamond, identity, claim_topic)
ON CONFLICT (chain_id, diamond, identity, claim_topic) DO UPDATE
SET issuer = CASE WHEN excluded.added_block IS NULL THEN live.issuer ELSE excluded.issuer END,
    claim = CASE WHEN excluded.added_block IS NULL THEN live.claim ELSE excluded.claim END,
    added_block = coalesce(excluded.added_block, live.added_block),
    removed_block = excluded.removed_block,
    inconsistent = excluded.added_block IS NULL AND live.inconsistent,
    inconsistency = CASE WHEN excluded.added_block IS NULL THEN live.inconsistency END,
    updated_block = excluded.updated_block
WHERE excluded.added_block IS NOT NULL OR live.removed_block IS NULL;
