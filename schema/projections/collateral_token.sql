-- projection: collateral_token
-- tables: state.collateral_token
-- reads: event.collateral_token_created, event.collateral_token_token_created
--
-- The factory says TokenCreated at its own address, then the diamond says CollateralTokenCreated of the same token; either may
-- be missing. What was said first holds.

WITH said AS (
    SELECT token_address AS token, address AS diamond, NULL::bytea AS factory, trade_deal_id AS deal_id, name, symbol,
        block_number, log_index
    FROM event.collateral_token_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT token_address, NULL, address, trade_deal_id, name, symbol, block_number, log_index
    FROM event.collateral_token_token_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), first_said AS (
    SELECT DISTINCT ON (token) token, deal_id, name, symbol, block_number
    FROM said
    ORDER BY token, block_number, log_index
), gathered AS (
    SELECT token,
        (array_agg(said.diamond ORDER BY said.block_number, said.log_index) FILTER (WHERE said.diamond IS NOT NULL))[1]
            AS diamond,
        (array_agg(said.factory ORDER BY said.block_number, said.log_index) FILTER (WHERE said.factory IS NOT NULL))[1]
            AS factory,
        bool_or(said.deal_id <> coalesce(live.deal_id, first_said.deal_id)) AS other_deal,
        max(said.block_number) AS block_number
    FROM said
    JOIN first_said USING (token)
    LEFT JOIN (SELECT token, deal_id FROM state.collateral_token WHERE chain_id = $1) AS live USING (token)
    GROUP BY token
)
INSERT INTO state.collateral_token AS live (
    chain_id, token, diamond, factory, deal_id, name, symbol, created_block, inconsistent, inconsistency, updated_block
)
SELECT $1, token, gathered.diamond, gathered.factory, first_said.deal_id, first_said.name, first_said.symbol,
    first_said.block_number, other_deal, CASE WHEN other_deal THEN 'made for several trade deals' END, gathered.block_number
FROM first_said
JOIN gathered USING (token)
ON CONFLICT (chain_id, token) DO UPDATE
SET diamond = coalesce(live.diamond, excluded.diamond),
    factory = coalesce(live.factory, excluded.factory),
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = excluded.updated_block;
