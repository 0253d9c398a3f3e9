-- projection: token_attribute
-- tables: state.token_attribute
-- reads: event.minter_gemforce_minted, event.metadata_token_metadata_set, event.metadata_token_metadata_deleted, event.metadata_contract_metadata_set, event.metadata_contract_metadata_deleted, event.metadata_attribute_removed
--
-- The contract's metadata are the attributes of token 0, which is also the first token, and stand under the key inside the
-- value, whatever key the event names. GemforceMinted carries the attributes of a new token. A deletion emits two events,
-- AttributeRemoved among them; the first one removes. Whose attributes they are is the emitter, not what AttributeRemoved
-- calls the token's address. Removing what no event ever set leaves nothing: the attributes facet sets without an event.

WITH said AS (
    SELECT
        address AS contract, token_id, part.value ->> 'key' AS key,
        (part.value ->> 'attributeType')::smallint AS attribute_type, part.value ->> 'value' AS value,
        false AS differs, block_number, log_index, part.place
    FROM event.minter_gemforce_minted
    CROSS JOIN jsonb_array_elements(attributes) WITH ORDINALITY AS part (value, place)
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT
        address, token_id, key, (value ->> 'attributeType')::smallint, value ->> 'value',
        key <> value ->> 'key', block_number, log_index, 1
    FROM event.metadata_token_metadata_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT
        address, 0, value ->> 'key', (value ->> 'attributeType')::smallint, value ->> 'value',
        false, block_number, log_index, 1
    FROM event.metadata_contract_metadata_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, key, NULL, NULL, false, block_number, log_index, 1
    FROM event.metadata_token_metadata_deleted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 0, key, NULL, NULL, false, block_number, log_index, 1
    FROM event.metadata_contract_metadata_deleted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, attribute_key, NULL, NULL, false, block_number, log_index, 1
    FROM event.metadata_attribute_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), keyed AS (
    SELECT
        *,
        count(value) OVER (
            PARTITION BY contract, token_id, key ORDER BY block_number DESC, log_index DESC, place DESC
            ROWS UNBOUNDED PRECEDING
        ) AS sets_since
    FROM (
        SELECT
            contract, token_id, sync.key_text(key) AS key, attribute_type, value, differs, block_number, log_index, place
        FROM said
    ) AS bounded
), told AS (
    SELECT
        contract, token_id, key,
        max(attribute_type) FILTER (WHERE sets_since = 1 AND value IS NOT NULL) AS attribute_type,
        max(value) FILTER (WHERE sets_since = 1) AS value,
        bool_or(differs) FILTER (WHERE sets_since = 1 AND value IS NOT NULL) AS differs,
        max(block_number) FILTER (WHERE sets_since = 1 AND value IS NOT NULL) AS set_block,
        min(block_number) FILTER (WHERE sets_since = 0) AS removed_block,
        max(block_number) AS last_block
    FROM keyed
    GROUP BY contract, token_id, key
), removed AS (
    UPDATE state.token_attribute AS live
    SET removed = true,
        removed_block = coalesce(live.removed_block, told.removed_block),
        updated_block = told.last_block
    FROM told
    WHERE live.chain_id = $1 AND live.contract = told.contract AND live.token_id = told.token_id AND live.key = told.key
      AND told.set_block IS NULL
)
INSERT INTO state.token_attribute (
    chain_id, contract, token_id, key, attribute_type, value, set_block, removed, removed_block, inconsistent,
    inconsistency, updated_block
)
SELECT
    $1, contract, token_id, key, attribute_type, value, set_block, removed_block IS NOT NULL, removed_block, differs,
    CASE WHEN differs THEN 'the key inside the value is another one' END,
    last_block
FROM told
WHERE set_block IS NOT NULL
ON CONFLICT (chain_id, contract, token_id, key) DO UPDATE
SET attribute_type = excluded.attribute_type,
    value = excluded.value,
    set_block = excluded.set_block,
    removed = excluded.removed,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;
