-- projection: svg_template
-- tables: state.svg_template
-- reads: event.svg_template_created
--
-- The last template announced under a name holds.

INSERT INTO state.svg_template (chain_id, manager, name, template, updated_block)
SELECT DISTINCT ON (address, sync.key_text(name))
    $1, address, sync.key_text(name), sync.address_or_null(template), block_number
FROM event.svg_template_created
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, sync.key_text(name), block_number DESC, log_index DESC
ON CONFLICT (chain_id, manager, name) DO UPDATE
SET template = excluded.template, updated_block = excluded.updated_block;
