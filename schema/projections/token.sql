-- projection: token
-- tables: state.token
-- reads: event.erc20_transfer, event.erc721_transfer, event.erc2309_consecutive_transfer, event.erc1155_transfer_single, event.erc1155_transfer_batch
--
-- A contract is what its first transfer makes it. Where transfers of another standard come later, that stays and the row says
-- so. Rows are not touched again by the transfers that follow: a range costs a look-up for each contract in it. Names, symbols and decimals
-- come from calls and are not written here.

WITH said AS (
    SELECT address, 'erc20' AS kind, min(block_number) AS first_block
    FROM event.erc20_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    GROUP BY address
    UNION ALL
    SELECT address, 'erc721', min(block_number)
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    GROUP BY address
    UNION ALL
    SELECT address, 'erc721', min(block_number)
    FROM event.erc2309_consecutive_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    GROUP BY address
    UNION ALL
    SELECT address, 'erc1155', min(block_number)
    FROM event.erc1155_transfer_single
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    GROUP BY address
    UNION ALL
    SELECT address, 'erc1155', min(block_number)
    FROM event.erc1155_transfer_batch
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    GROUP BY address
), news AS (
    SELECT address, kind, min(first_block) AS first_block
    FROM said
    WHERE NOT EXISTS (
        SELECT FROM state.token AS live
        WHERE live.chain_id = $1 AND live.contract = said.address AND (live.kind = said.kind OR live.inconsistent)
    )
    GROUP BY address, kind
), fresh AS (
    SELECT news.address, news.kind, ARRAY[news.first_block, first_log.log_index] AS place
    FROM news
    CROSS JOIN LATERAL (
        SELECT min(log_index) AS log_index
        FROM (
            SELECT log_index FROM event.erc20_transfer
            WHERE news.kind = 'erc20' AND chain_id = $1 AND block_number = news.first_block AND address = news.address
            UNION ALL
            SELECT log_index FROM event.erc721_transfer
            WHERE news.kind = 'erc721' AND chain_id = $1 AND block_number = news.first_block AND address = news.address
            UNION ALL
            SELECT log_index FROM event.erc2309_consecutive_transfer
            WHERE news.kind = 'erc721' AND chain_id = $1 AND block_number = news.first_block AND address = news.address
            UNION ALL
            SELECT log_index FROM event.erc1155_transfer_single
            WHERE news.kind = 'erc1155' AND chain_id = $1 AND block_number = news.first_block AND address = news.address
            UNION ALL
            SELECT log_index FROM event.erc1155_transfer_batch
            WHERE news.kind = 'erc1155' AND chain_id = $1 AND block_number = news.first_block AND address = news.address
        ) AS log
    ) AS first_log
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
