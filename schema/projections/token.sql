-- projection: token
-- tables: state.token
-- reads: event.erc20_transfer, event.erc721_transfer, event.erc2309_consecutive_transfer, event.erc1155_transfer_single, event.erc1155_transfer_batch
--
-- A contract is what its first transfer makes it. Where transfers of another standard come later, that stays and the row says
-- so. Rows are not touched again by the transfers that follow, so this costs a look-up a transfer. Names, symbols and decimals
-- come from calls and are not written here.

WITH said AS (
    SELECT address, 'erc20' AS kind, block_number, log_index
    FROM event.erc20_transfer AS log
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 'erc721', block_number, log_index
    FROM event.erc721_transfer AS log
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 'erc721', block_number, log_index
    FROM event.erc2309_consecutive_transfer AS log
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 'erc1155', block_number, log_index
    FROM event.erc1155_transfer_single AS log
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 'erc1155', block_number, log_index
    FROM event.erc1155_transfer_batch AS log
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), fresh AS (
    SELECT address, kind, min(ARRAY[block_number, log_index]) AS place
    FROM said
    WHERE NOT EXISTS (
        SELECT FROM state.token AS live
        WHERE live.chain_id = $1 AND live.contract = said.address AND (live.kind = said.kind OR live.inconsistent)
    )
    GROUP BY address, kind
), told AS (
    SELECT
        address,
        array_agg(kind ORDER BY place) AS kinds,
        min(place) AS first_place,
        (array_agg(place[1] ORDER BY place))[2] AS second_block
    FROM fresh
    GROUP BY address
)
INSERT INTO state.token AS live (chain_id, contract, kind, inconsistent, inconsistency, updated_block)
SELECT
    $1, told.address, told.kinds[1],
    cardinality(told.kinds) > 1,
    CASE WHEN cardinality(told.kinds) > 1 THEN 'transfers of another token standard, too' END,
    CASE WHEN known.contract IS NULL THEN coalesce(told.second_block, told.first_place[1]) ELSE told.first_place[1] END
FROM told
LEFT JOIN state.token AS known ON known.chain_id = $1 AND known.contract = told.address
ON CONFLICT (chain_id, contract) DO UPDATE
SET inconsistent = true,
    inconsistency = 'transfers of another token standard, too',
    updated_block = excluded.updated_block;
