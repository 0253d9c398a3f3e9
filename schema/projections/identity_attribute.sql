-- projection: identity_attribute
-- tables: state.identity_attribute
-- reads: event.identity_attribute_set
--
-- The last AttributeSet of a key holds; nothing removes one. A key too long for an index is shortened.

INSERT INTO state.identity_attribute (chain_id, identity, attribute_key, type, value, updated_block)
SELECT DISTINCT ON (address, sync.short_key(key))
    $1, address, sync.short_key(key), attribute_type, value, block_number
FROM event.identity_attribute_set
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, sync.short_key(key), block_number DESC, log_index DESC
ON CONFLICT (chain_id, identity, attribute_key) DO UPDATE
SET type = excluded.type, value = excluded.value, updated_block = excluded.updated_block;
