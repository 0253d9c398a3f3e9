-- projection: diamond_selector
-- tables: state.diamond_selector
-- reads: event.diamond_cut, sync.diamond_seed, sync.abi_selector
--
-- Cuts apply in the order of their array; of several changes of one selector in one log the last holds. A removal (action
-- 2, or no facet) closes the row that is active, any other change closes it and opens one. What a loupe told counts as a
-- change before the first log of its block.

WITH change AS (
    SELECT
        log.address AS diamond,
        sync.hex_bytes(selectors.selector) AS selector,
        CASE WHEN (cuts.cut ->> 'action')::integer <> 2
            THEN sync.address_or_null(sync.hex_bytes(cuts.cut ->> 'facetAddress')) END AS facet,
        log.block_number,
        log.log_index,
        cuts.place AS cut_place,
        selectors.place AS selector_place
    FROM event.diamond_cut AS log,
        jsonb_array_elements(log.diamond_cut) WITH ORDINALITY AS cuts (cut, place),
        jsonb_array_elements_text(cuts.cut -> 'functionSelectors') WITH ORDINALITY AS selectors (selector, place)
    WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT diamond, selector, facet, block_number, -1, 0, 0
    FROM sync.diamond_seed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), settled AS (
    SELECT DISTINCT ON (diamond, selector, block_number, log_index) diamond, selector, facet, block_number, log_index
    FROM change
    ORDER BY diamond, selector, block_number, log_index, cut_place DESC, selector_place DESC
), span AS (
    SELECT
        diamond, selector, facet, block_number, log_index,
        lead(block_number) OVER later AS removed_block,
        lead(log_index) OVER later AS removed_log_index,
        row_number() OVER later AS turn
    FROM settled
    WINDOW later AS (PARTITION BY diamond, selector ORDER BY block_number, log_index)
), closed AS (
    UPDATE state.diamond_selector AS live
    SET removed_block = span.block_number, removed_log_index = span.log_index, updated_block = span.block_number
    FROM span
    WHERE live.chain_id = $1 AND live.diamond = span.diamond AND live.selector = span.selector
      AND live.removed_block IS NULL AND span.turn = 1
)
INSERT INTO state.diamond_selector (
    chain_id, diamond, selector, added_block, added_log_index, facet, removed_block, removed_log_index, updated_block
)
SELECT
    $1, diamond, selector, block_number, log_index, facet, removed_block, removed_log_index,
    coalesce(removed_block, block_number)
FROM span
WHERE facet IS NOT NULL;

-- At every log of the range that changed what a facet serves, its ABI is looked for anew among what it serves from then on;
-- a row keeps the answer of the last such log before its removal.
WITH turn AS (
    SELECT diamond, facet, added_block AS block_number, added_log_index AS log_index
    FROM state.diamond_selector
    WHERE chain_id = $1 AND added_block BETWEEN $2 AND $3
    UNION
    SELECT diamond, facet, removed_block, removed_log_index
    FROM state.diamond_selector
    WHERE chain_id = $1 AND removed_block BETWEEN $2 AND $3
), serving AS (
    SELECT turn.*, live.selector, live.added_block, live.added_log_index
    FROM turn
    JOIN state.diamond_selector AS live
        ON live.chain_id = $1 AND live.diamond = turn.diamond AND live.facet = turn.facet
        AND (live.added_block, live.added_log_index) <= (turn.block_number, turn.log_index)
        AND (live.removed_block IS NULL
            OR (live.removed_block, live.removed_log_index) > (turn.block_number, turn.log_index))
), matched AS (
    SELECT diamond, facet, block_number, log_index, sync.match_abi(array_agg(selector)) AS abi
    FROM serving
    GROUP BY diamond, facet, block_number, log_index
), latest AS (
    SELECT DISTINCT ON (diamond, selector, added_block, added_log_index)
        diamond, selector, added_block, added_log_index, matched.abi, block_number
    FROM serving
    JOIN matched USING (diamond, facet, block_number, log_index)
    ORDER BY diamond, selector, added_block, added_log_index, block_number DESC, log_index DESC
)
UPDATE state.diamond_selector AS live
SET abi = latest.abi, updated_block = greatest(live.updated_block, latest.block_number)
FROM latest
WHERE live.chain_id = $1 AND live.diamond = latest.diamond AND live.selector = latest.selector
  AND live.added_block = latest.added_block AND live.added_log_index = latest.added_log_index;
