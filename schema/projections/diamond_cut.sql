-- projection: diamond_cut
-- tables: state.diamond_cut
-- reads: event.diamond_cut
--
-- One row per element of the event's array, as it was said; an event whose array is empty (only an initialiser) has none.

INSERT INTO state.diamond_cut (
    chain_id, block_number, log_index, "position",
    diamond, action, facet, selectors, init, calldata_hash, updated_block
)
SELECT
    $1,
    log.block_number,
    log.log_index,
    cuts.place - 1,
    log.address,
    (cuts.cut ->> 'action')::smallint,
    sync.address_or_null(sync.hex_bytes(cuts.cut ->> 'facetAddress')),
    ARRAY(
        SELECT sync.hex_bytes(selectors.selector)
        FROM jsonb_array_elements_text(cuts.cut -> 'functionSelectors') WITH ORDINALITY AS selectors (selector, place)
        ORDER BY selectors.place
    ),
    sync.address_or_null(log.init),
    hash.calldata_hash,
    log.block_number
FROM event.diamond_cut AS log
CROSS JOIN LATERAL (SELECT sync.keccak256(log.calldata) AS calldata_hash OFFSET 0) AS hash
CROSS JOIN LATERAL jsonb_array_elements(log.diamond_cut) WITH ORDINALITY AS cuts (cut, place)
WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3;
