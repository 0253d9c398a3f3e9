-- projection: treasury_balance
-- tables: state.treasury_balance
-- reads: event.treasury_deposited, event.treasury_withdrawn
--
-- A deposit adds to tokens, a withdrawal takes all of every token it lists and says only the sum. Where that is not the sum of
-- the balances as known here, the balances are 0 all the same and the rows say so.

WITH step AS (
    SELECT
        log.address AS contract, (deposit ->> 'tokenId')::numeric AS token_id, (deposit ->> 'amount')::numeric AS amount,
        0 AS withdrawal, log.block_number, log.log_index
    FROM event.treasury_deposited AS log
    CROSS JOIN jsonb_array_elements(log.deposits) AS deposit
    WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT log.address, token_id, 0::numeric, 1, log.block_number, log.log_index
    FROM event.treasury_withdrawn AS log
    CROSS JOIN unnest(log.token_ids) AS token_id
    WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
), counted AS (
    SELECT
        *,
        sum(withdrawal) OVER (
            PARTITION BY contract, token_id ORDER BY block_number, log_index ROWS UNBOUNDED PRECEDING
        ) - withdrawal AS part
    FROM step
), part AS (
    SELECT
        counted.contract, counted.token_id, counted.part,
        sum(amount) AS deposited,
        sum(amount) + CASE WHEN counted.part = 0 THEN coalesce(min(live.balance), 0) ELSE 0 END AS held,
        max(block_number) FILTER (WHERE withdrawal = 1) AS withdrawal_block,
        max(log_index) FILTER (WHERE withdrawal = 1) AS withdrawal_log,
        max(block_number) AS last_block
    FROM counted
    LEFT JOIN state.treasury_balance AS live
        ON live.chain_id = $1 AND live.contract = counted.contract AND live.token_id = counted.token_id
    GROUP BY counted.contract, counted.token_id, counted.part
), taken AS (
    SELECT withdrawal_block, withdrawal_log, sum(held) AS held
    FROM part
    WHERE withdrawal_block IS NOT NULL
    GROUP BY withdrawal_block, withdrawal_log
), told AS (
    SELECT
        part.contract, part.token_id,
        coalesce(sum(part.held) FILTER (WHERE part.withdrawal_block IS NULL), 0) AS balance,
        sum(part.deposited) AS deposited,
        coalesce(sum(part.held) FILTER (WHERE part.withdrawal_block IS NOT NULL), 0) AS withdrawn,
        max(part.withdrawal_block) AS withdrawal_block,
        (array_agg(log.block_number ORDER BY log.block_number) FILTER (WHERE log.amount <> taken.held))[1] AS odd_block,
        max(part.last_block) AS last_block
    FROM part
    LEFT JOIN taken
        ON taken.withdrawal_block = part.withdrawal_block AND taken.withdrawal_log = part.withdrawal_log
    LEFT JOIN event.treasury_withdrawn AS log
        ON log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
        AND log.block_number = taken.withdrawal_block AND log.log_index = taken.withdrawal_log
    GROUP BY part.contract, part.token_id
)
INSERT INTO state.treasury_balance AS live (
    chain_id, contract, token_id, balance, total_deposited, total_withdrawn, last_withdrawal_block, inconsistent,
    inconsistency, updated_block
)
SELECT
    $1, contract, token_id, balance, deposited, withdrawn, withdrawal_block, odd_block IS NOT NULL,
    'the withdrawal of block ' || odd_block || ' paid another amount',
    last_block
FROM told
ON CONFLICT (chain_id, contract, token_id) DO UPDATE
SET balance = excluded.balance,
    total_deposited = live.total_deposited + excluded.total_deposited,
    total_withdrawn = live.total_withdrawn + excluded.total_withdrawn,
    last_withdrawal_block = coalesce(excluded.last_withdrawal_block, live.last_withdrawal_block),
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = excluded.updated_block;
