-- projection: trade_deal
-- tables: state.trade_deal, state.trade_deal_participant, state.trade_deal_invoice, state.trade_deal_invoice_move, state.trade_deal_invoice_value, state.trade_deal_cashflow, state.trade_deal_claim_topic
-- reads: event.trade_deal_created, event.trade_deal_created_ed0366d8, event.trade_deal_updated, event.trade_deal_activated, event.trade_deal_deactivated, event.trade_deal_fully_funded, event.trade_deal_participant_added, event.trade_deal_participant_removed, event.trade_deal_required_claim_topics_set, event.trade_deal_invoice_deposited_to_trade_deal, event.trade_deal_invoice_withdrawn_from_trade_deal, event.trade_deal_usdc_deposited_to_trade_deal, event.trade_deal_usdc_deposited_to_trade_deal_da3f953f, event.trade_deal_usdc_withdrawn_from_trade_deal, event.trade_deal_funding_withdrawn, event.trade_deal_repaid, event.trade_deal_collateral_tokens_redeemed, event.trade_deal_vabb_tokens_redeemed, event.collateral_token_created, event.fee_distributor_amounts_distributed, event.minter_gemforce_minted, event.metadata_token_metadata_set, event.metadata_token_metadata_deleted, event.metadata_contract_metadata_set, event.metadata_contract_metadata_deleted, event.metadata_attribute_removed, event.erc20_transfer, event.erc721_transfer
-- beside: event.erc20_transfer, event.erc721_transfer, event.fee_distributor_amounts_distributed
--
-- The statements build on each other: what invoices are worth and where they move, then the ledger of money, then the deals
-- themselves, then who takes part. They share one file because each needs the others as they were before the range.
--
-- What an event leaves out is looked for in its own transaction: the giver of an invoice, the payer of a repayment, minted
-- collateral, the principal of a fund withdrawal. Of several logs that fit, the nearest one before the event is taken, then
-- the nearest after it. InterestDistributedForTradeDeal changes nothing, and events that no build emits are not read.

-- Worth of invoices: the last word on the attributes totalAmount and amount of any token (token 0 shares its attributes with
-- the contract's metadata, which is stored under the key inside the value). An invoice that moves is worth what they said at
-- that log: the digits in totalAmount, else in amount.
WITH movement AS (
    SELECT address AS diamond, trade_deal_id AS deal_id, token_id, true AS deposited,
        block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_invoice_deposited_to_trade_deal
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trade_deal_id, token_id, false, block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_invoice_withdrawn_from_trade_deal
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), told AS (
    SELECT address AS contract, token_id, item.attribute ->> 'key' AS key, item.attribute ->> 'value' AS value,
        block_number, log_index, item.place
    FROM event.minter_gemforce_minted, jsonb_array_elements(attributes) WITH ORDINALITY AS item (attribute, place)
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, key, value ->> 'value', block_number, log_index, 0
    FROM event.metadata_token_metadata_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 0, value ->> 'key', value ->> 'value', block_number, log_index, 0
    FROM event.metadata_contract_metadata_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, key, NULL, block_number, log_index, 0
    FROM event.metadata_token_metadata_deleted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, 0, key, NULL, block_number, log_index, 0
    FROM event.metadata_contract_metadata_deleted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, attribute_key, NULL, block_number, log_index, 0
    FROM event.metadata_attribute_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), stream AS (
    SELECT contract, token_id, key, value, block_number, log_index, place,
        NULL::numeric AS deal_id, NULL::boolean AS deposited, NULL::bytea AS tx_hash, NULL::timestamptz AS block_time
    FROM told
    WHERE key IN ('totalAmount', 'amount')
    UNION ALL
    SELECT diamond, token_id, NULL, NULL, block_number, log_index, 0, deal_id, deposited, tx_hash, block_time
    FROM movement
), placed AS (
    SELECT stream.*,
        count(*) FILTER (WHERE key = 'totalAmount') OVER along AS total_era,
        count(*) FILTER (WHERE key = 'amount') OVER along AS amount_era
    FROM stream
    WINDOW along AS (PARTITION BY contract, token_id ORDER BY block_number, log_index, place)
), valued AS MATERIALIZED (
    SELECT contract, token_id, key, block_number, log_index, place, deal_id, deposited, tx_hash, block_time,
        CASE WHEN total_era > 0 THEN first_value(value) OVER in_total ELSE live.total_amount END AS total_amount,
        CASE WHEN amount_era > 0 THEN first_value(value) OVER in_amount ELSE live.amount END AS amount
    FROM placed
    LEFT JOIN (
        SELECT contract, token_id, total_amount, amount FROM state.trade_deal_invoice_value WHERE chain_id = $1
    ) AS live USING (contract, token_id)
    WINDOW in_total AS (PARTITION BY contract, token_id, total_era ORDER BY block_number, log_index, place),
        in_amount AS (PARTITION BY contract, token_id, amount_era ORDER BY block_number, log_index, place)
), kept AS (
    INSERT INTO state.trade_deal_invoice_value (chain_id, contract, token_id, total_amount, amount, updated_block)
    SELECT DISTINCT ON (contract, token_id) $1, contract, token_id, total_amount, amount, block_number
    FROM valued
    WHERE key IS NOT NULL
    ORDER BY contract, token_id, block_number DESC, log_index DESC, place DESC
    ON CONFLICT (chain_id, contract, token_id) DO UPDATE
    SET total_amount = excluded.total_amount, amount = excluded.amount, updated_block = excluded.updated_block
)
INSERT INTO state.trade_deal_invoice_move (
    chain_id, block_number, log_index, diamond, deal_id, token_id, deposited, amount, party, tx_hash, block_time,
    updated_block
)
SELECT $1, block_number, log_index, move.contract, deal_id, move.token_id, deposited,
    CASE WHEN length(digits.text) <= 78 THEN coalesce(nullif(digits.text, ''), '0')::numeric END,
    sync.address_or_null(moved.party), tx_hash, block_time, block_number
FROM valued AS move
CROSS JOIN LATERAL (
    SELECT regexp_replace(coalesce(nullif(move.total_amount, ''), move.amount), '[^0-9]', '', 'g') AS text
) AS digits
LEFT JOIN LATERAL (
    SELECT CASE WHEN move.deposited THEN transfer.from_ ELSE transfer.to_ END AS party
    FROM event.erc721_transfer AS transfer
    WHERE transfer.chain_id = $1 AND transfer.block_number = move.block_number
      AND transfer.tx_hash = move.tx_hash AND transfer.address = move.contract
      AND transfer.token_id = move.token_id
    ORDER BY (transfer.to_ = move.contract) = move.deposited DESC, transfer.log_index < move.log_index DESC,
        abs(transfer.log_index - move.log_index)
    LIMIT 1
) AS moved ON true
WHERE move.key IS NULL;

-- Invoices as they lie now.
WITH step AS (
    SELECT move.*, lag(move.deposited, 1, coalesce(live.active, false)) OVER along AS lay
    FROM state.trade_deal_invoice_move AS move
    LEFT JOIN state.trade_deal_invoice AS live USING (chain_id, diamond, deal_id, token_id)
    WHERE move.chain_id = $1 AND move.block_number BETWEEN $2 AND $3
    WINDOW along AS (PARTITION BY move.diamond, move.deal_id, move.token_id ORDER BY move.block_number, move.log_index)
), last_step AS (
    SELECT DISTINCT ON (diamond, deal_id, token_id) *
    FROM step
    ORDER BY diamond, deal_id, token_id, block_number DESC, log_index DESC
), last_deposit AS (
    SELECT DISTINCT ON (diamond, deal_id, token_id) diamond, deal_id, token_id, party, amount, block_number
    FROM step
    WHERE deposited
    ORDER BY diamond, deal_id, token_id, block_number DESC, log_index DESC
), first_conflict AS (
    SELECT DISTINCT ON (diamond, deal_id, token_id) diamond, deal_id, token_id,
        CASE WHEN deposited THEN 'deposited while it lay there' ELSE 'withdrawn while it did not lie there' END AS reason
    FROM step
    WHERE deposited = lay
    ORDER BY diamond, deal_id, token_id, block_number, log_index
)
INSERT INTO state.trade_deal_invoice AS live (
    chain_id, diamond, deal_id, token_id, depositor, amount, active, deposited_block, withdrawn_block, withdrawn_to,
    inconsistent, inconsistency, updated_block
)
SELECT $1, diamond, deal_id, token_id, last_deposit.party, last_deposit.amount, last_step.deposited,
    last_deposit.block_number,
    CASE WHEN NOT last_step.deposited THEN last_step.block_number END,
    CASE WHEN NOT last_step.deposited THEN last_step.party END,
    first_conflict.reason IS NOT NULL, first_conflict.reason, last_step.block_number
FROM last_step
LEFT JOIN last_deposit USING (diamond, deal_id, token_id)
LEFT JOIN first_conflict USING (diamond, deal_id, token_id)
ON CONFLICT (chain_id, diamond, deal_id, token_id) DO UPDATE
SET depositor = CASE WHEN excluded.deposited_block IS NULL THEN live.depositor ELSE excluded.depositor END,
    amount = CASE WHEN excluded.deposited_block IS NULL THEN live.amount ELSE excluded.amount END,
    active = excluded.active,
    deposited_block = coalesce(excluded.deposited_block, live.deposited_block),
    withdrawn_block = excluded.withdrawn_block,
    withdrawn_to = excluded.withdrawn_to,
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = excluded.updated_block;

-- The ledger of money. Which tokens a deal pays in and hands out is carried along from what last named them before the log;
-- while nothing but its collateral's making was said of a deal, no row holds that, and it is looked up.
WITH flow AS (
    SELECT 'deposit' AS kind, address AS diamond, trade_deal_id AS deal_id, sync.address_or_null(depositor) AS party,
        amount AS usdc_amount, NULL::numeric AS net_amount, NULL::numeric AS collateral_amount,
        NULL::boolean AS fully_repaid, block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_usdc_deposited_to_trade_deal
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'deposit', address, trade_deal_id, NULL, amount, NULL, NULL, NULL, block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_usdc_deposited_to_trade_deal_da3f953f
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'withdraw', address, trade_deal_id, NULL, amount, NULL, NULL, NULL, block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_usdc_withdrawn_from_trade_deal
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'fund_withdrawal', address, trade_deal_id, sync.address_or_null(recipient), NULL, amount, NULL, NULL,
        block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_funding_withdrawn
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'repay', address, trade_deal_id, sync.address_or_null(repayer), amount, NULL, NULL, fully_repaid,
        block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_repaid
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'redeem', address, trade_deal_id, sync.address_or_null(redeemer), usdc_amount, NULL, collateral_amount, NULL,
        block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_collateral_tokens_redeemed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'redeem', address, trade_deal_id, sync.address_or_null(redeemer), usdc_amount, NULL, vabb_amount, NULL,
        block_number, log_index, tx_hash, block_time
    FROM event.trade_deal_vabb_tokens_redeemed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), stream AS (
    SELECT flow.*, NULL::bytea AS usdc, false AS names_usdc, NULL::bytea AS collateral, false AS names_collateral
    FROM flow
    UNION ALL
    SELECT word.*
    FROM (
        SELECT address, trade_deal_id, block_number, log_index, tx_hash, block_time,
            usdc_address, true, collateral_address, sync.address_or_null(collateral_address) IS NOT NULL
        FROM event.trade_deal_created
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT address, trade_deal_id, block_number, log_index, tx_hash, block_time,
            usdc_address, true, vabb_address, sync.address_or_null(vabb_address) IS NOT NULL
        FROM event.trade_deal_created_ed0366d8
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT address, trade_deal_id, block_number, log_index, tx_hash, block_time,
            usdc_address, true, collateral_address, true
        FROM event.trade_deal_updated
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT address, trade_deal_id, block_number, log_index, tx_hash, block_time, NULL, false, token_address, true
        FROM event.collateral_token_created
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT diamond, deal_id, said.block_number, said.log_index, said.tx_hash, said.block_time, NULL, false,
            said.token_address, true
        FROM (SELECT DISTINCT diamond, deal_id FROM flow) AS paid
        JOIN event.collateral_token_created AS said ON said.address = paid.diamond AND said.trade_deal_id = paid.deal_id
        WHERE said.chain_id = $1 AND said.block_number < $2
          AND NOT EXISTS (
            SELECT FROM state.trade_deal AS live
            WHERE live.chain_id = $1 AND live.diamond = paid.diamond AND live.deal_id = paid.deal_id
          )
    ) AS named (diamond, deal_id, block_number, log_index, tx_hash, block_time, usdc, names_usdc, collateral, names_collateral)
    CROSS JOIN LATERAL (
        SELECT NULL, diamond, deal_id, NULL::bytea, NULL::numeric, NULL::numeric, NULL::numeric, NULL::boolean,
            block_number, log_index, tx_hash, block_time, usdc, names_usdc, collateral, names_collateral
    ) AS word
), placed AS (
    SELECT stream.*,
        count(*) FILTER (WHERE names_usdc) OVER along AS usdc_era,
        count(*) FILTER (WHERE names_collateral) OVER along AS collateral_era
    FROM stream
    WINDOW along AS (PARTITION BY diamond, deal_id ORDER BY block_number, log_index)
), termed AS (
    SELECT kind, diamond, deal_id, party, usdc_amount, net_amount, collateral_amount, fully_repaid, block_number, log_index,
        tx_hash, block_time,
        sync.address_or_null(
            CASE WHEN usdc_era > 0 THEN first_value(usdc) OVER in_usdc ELSE live.usdc_address END
        ) AS usdc,
        sync.address_or_null(
            CASE WHEN collateral_era > 0 THEN first_value(collateral) OVER in_collateral ELSE live.collateral_address END
        ) AS collateral
    FROM placed
    LEFT JOIN (
        SELECT diamond, deal_id, usdc_address, collateral_address FROM state.trade_deal WHERE chain_id = $1
    ) AS live USING (diamond, deal_id)
    WINDOW in_usdc AS (PARTITION BY diamond, deal_id, usdc_era ORDER BY block_number, log_index),
        in_collateral AS (PARTITION BY diamond, deal_id, collateral_era ORDER BY block_number, log_index)
), matched AS MATERIALIZED (
    SELECT flow.*,
        coalesce(CASE WHEN kind = 'repay' THEN payment.party END, flow.party, payment.party) AS true_party,
        mint.value AS minted, distribution.log_index AS fee_log_index, distribution.principal_amount,
        distribution.fee_receivers, distribution.fee_amounts
    FROM termed AS flow
    LEFT JOIN LATERAL (
        SELECT sync.address_or_null(CASE WHEN flow.kind = 'withdraw' THEN transfer.to_ ELSE transfer.from_ END) AS party
        FROM event.erc20_transfer AS transfer
        WHERE (flow.kind = 'repay' OR flow.kind IN ('deposit', 'withdraw') AND flow.party IS NULL)
          AND transfer.chain_id = $1 AND transfer.block_number = flow.block_number AND transfer.tx_hash = flow.tx_hash
          AND transfer.value = flow.usdc_amount AND (flow.usdc IS NULL OR transfer.address = flow.usdc)
          AND CASE WHEN flow.kind = 'withdraw' THEN transfer.from_ ELSE transfer.to_ END = flow.diamond
        ORDER BY transfer.log_index < flow.log_index DESC, abs(transfer.log_index - flow.log_index)
        LIMIT 1
    ) AS payment ON true
    LEFT JOIN LATERAL (
        SELECT transfer.value
        FROM event.erc20_transfer AS transfer
        WHERE flow.kind = 'deposit'
          AND transfer.chain_id = $1 AND transfer.block_number = flow.block_number AND transfer.tx_hash = flow.tx_hash
          AND sync.address_or_null(transfer.from_) IS NULL AND transfer.to_ = coalesce(flow.party, payment.party)
          AND CASE WHEN flow.collateral IS NULL THEN transfer.address IS DISTINCT FROM flow.usdc
              ELSE transfer.address = flow.collateral END
        ORDER BY transfer.value = flow.usdc_amount * 1000000000000 DESC, transfer.log_index < flow.log_index DESC,
            abs(transfer.log_index - flow.log_index)
        LIMIT 1
    ) AS mint ON true
    LEFT JOIN LATERAL (
        SELECT said.log_index, said.principal_amount, said.fee_receivers, said.fee_amounts
        FROM event.fee_distributor_amounts_distributed AS said
        WHERE flow.kind = 'fund_withdrawal'
          AND said.chain_id = $1 AND said.block_number = flow.block_number AND said.tx_hash = flow.tx_hash
          AND said.address = flow.diamond
        ORDER BY said.adjusted_amount = flow.net_amount DESC, said.log_index < flow.log_index DESC,
            abs(said.log_index - flow.log_index)
        LIMIT 1
    ) AS distribution ON true
    WHERE flow.kind IS NOT NULL
), fee AS (
    SELECT DISTINCT ON (block_number, fee_log_index)
        matched.*, (SELECT sum(part) FROM unnest(fee_amounts) AS part) AS fees
    FROM matched
    WHERE fee_log_index IS NOT NULL
    ORDER BY block_number, fee_log_index, log_index
)
INSERT INTO state.trade_deal_cashflow (
    chain_id, block_number, log_index, diamond, deal_id, kind, party, usdc_amount, net_amount, collateral_amount,
    fully_repaid, tx_hash, block_time, updated_block
)
SELECT $1, block_number, log_index, diamond, deal_id, kind, true_party, coalesce(usdc_amount, principal_amount), net_amount,
    coalesce(collateral_amount, minted), fully_repaid, tx_hash, block_time, block_number
FROM matched
UNION ALL
SELECT $1, block_number, fee_log_index, diamond, deal_id, 'fee',
    CASE WHEN cardinality(fee_receivers) = 1 THEN sync.address_or_null(fee_receivers[1]) END, fees, NULL, NULL, NULL, tx_hash,
    block_time, block_number
FROM fee
WHERE fees > 0;

-- The deals. Balance and target after every log follow from sums, the target anew from each TradeDealFullyFunded; the debt is
-- computed there with the rate of that log. A fund withdrawal without a distribution in its transaction took the target.
WITH term AS MATERIALIZED (
    SELECT 'created' AS kind, address AS diamond, trade_deal_id AS deal_id, block_number, log_index, block_time, name, symbol,
        interest_rate, collateral_to_interest_ratio AS ratio, active, operation_mode, collateral_address,
        interest_address, usdc_address
    FROM event.trade_deal_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'created', address, trade_deal_id, block_number, log_index, block_time, name, symbol,
        interest_rate, vabb_to_vabi_ratio, active, NULL, vabb_address, vabi_address, usdc_address
    FROM event.trade_deal_created_ed0366d8
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'updated', address, trade_deal_id, block_number, log_index, block_time, name, symbol,
        interest_rate, collateral_to_interest_ratio, active, NULL, collateral_address, interest_address, usdc_address
    FROM event.trade_deal_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), stream AS (
    SELECT kind, diamond, deal_id, block_number, log_index, block_time, interest_rate AS rate, active,
        NULL::numeric AS told_target, NULL::numeric AS target_change, NULL::numeric AS usdc, NULL::numeric AS net,
        NULL::boolean AS fully_repaid
    FROM term
    UNION ALL
    SELECT 'switch', address, trade_deal_id, block_number, log_index, block_time, NULL, true, NULL, NULL, NULL, NULL, NULL
    FROM event.trade_deal_activated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'switch', address, trade_deal_id, block_number, log_index, block_time, NULL, false, NULL, NULL, NULL, NULL, NULL
    FROM event.trade_deal_deactivated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'funded', address, trade_deal_id, block_number, log_index, block_time, NULL, NULL, funding_target, NULL, NULL,
        NULL, NULL
    FROM event.trade_deal_fully_funded
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT 'move', diamond, deal_id, block_number, log_index, block_time, NULL, NULL, NULL,
        CASE WHEN deposited THEN amount ELSE -amount END, NULL, NULL, NULL
    FROM state.trade_deal_invoice_move
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT kind, diamond, deal_id, block_number, log_index, block_time, NULL, NULL, NULL, NULL, usdc_amount, net_amount,
        fully_repaid
    FROM state.trade_deal_cashflow
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND kind <> 'fee'
), placed AS (
    SELECT stream.*,
        live.chain_id IS NOT NULL AS seen, live.target AS live_target, live.usdc_balance AS live_balance,
        live.interest_rate_bps AS live_rate, live.created_block AS live_created_block,
        row_number() OVER along AS turn,
        first_value(kind) OVER along AS opening,
        count(*) FILTER (WHERE kind = 'funded') OVER along AS target_era,
        count(*) FILTER (WHERE kind IN ('created', 'updated')) OVER along AS term_era,
        count(*) FILTER (WHERE kind = 'created') OVER along AS creations
    FROM stream
    LEFT JOIN (SELECT * FROM state.trade_deal WHERE chain_id = $1) AS live USING (diamond, deal_id)
    WINDOW along AS (PARTITION BY diamond, deal_id ORDER BY block_number, log_index)
), aimed AS (
    SELECT placed.*,
        CASE
            WHEN target_era > 0 THEN first_value(told_target) OVER in_target
            WHEN seen THEN live_target
            WHEN opening = 'created' THEN 0
        END + CASE
            WHEN bool_and(kind <> 'move' OR target_change IS NOT NULL) OVER in_target
            THEN coalesce(sum(target_change) OVER in_target, 0)
        END AS target_now,
        CASE
            WHEN term_era > 0
            THEN first_value(rate) OVER (PARTITION BY diamond, deal_id, term_era ORDER BY block_number, log_index)
            ELSE live_rate
        END AS rate_now
    FROM placed
    WINDOW in_target AS (PARTITION BY diamond, deal_id, target_era ORDER BY block_number, log_index)
), balanced AS (
    SELECT aimed.*,
        coalesce(live_balance, 0) + sum(
            CASE
                WHEN kind IN ('deposit', 'repay') THEN usdc
                WHEN kind IN ('withdraw', 'redeem') THEN -usdc
                WHEN kind = 'fund_withdrawal' THEN -coalesce(usdc, target_now, net)
                ELSE 0
            END
        ) OVER (PARTITION BY diamond, deal_id ORDER BY block_number, log_index) AS balance_now
    FROM aimed
), judged AS MATERIALIZED (
    SELECT balanced.*,
        CASE kind
            WHEN 'funded' THEN 'funded'
            WHEN 'fund_withdrawal' THEN 'withdrawn'
            WHEN 'repay' THEN CASE WHEN fully_repaid THEN 'repaid' ELSE 'repaying' END
        END AS phase,
        CASE
            WHEN kind = 'created' AND (live_created_block IS NOT NULL OR creations > 1) THEN 'created again'
            WHEN NOT seen AND turn = 1 AND kind <> 'created' THEN 'events before its TradeDealCreated'
            WHEN kind = 'fund_withdrawal' AND usdc IS NULL AND target_now IS NULL
                THEN 'the principal of a fund withdrawal is not known'
            WHEN kind = 'funded' AND balance_now < told_target THEN 'fully funded with less than its target'
            WHEN balance_now < 0 THEN 'more was paid out than came in'
        END AS reason
    FROM balanced
), filled AS (
    UPDATE state.trade_deal_cashflow AS entry
    SET usdc_amount = judged.target_now,
        inconsistent = judged.target_now IS NULL,
        inconsistency = CASE WHEN judged.target_now IS NULL THEN 'no event tells the principal' END
    FROM judged
    WHERE judged.kind = 'fund_withdrawal' AND judged.usdc IS NULL
      AND entry.chain_id = $1 AND entry.block_number = judged.block_number AND entry.log_index = judged.log_index
), closing AS (
    SELECT DISTINCT ON (diamond, deal_id) diamond, deal_id, seen, target_now, balance_now, block_number
    FROM judged
    ORDER BY diamond, deal_id, block_number DESC, log_index DESC
), summed AS (
    SELECT diamond, deal_id,
        coalesce(sum(usdc) FILTER (WHERE kind = 'repay'), 0) AS repaid,
        bool_or(kind = 'deposit') AS paid_in,
        min(block_number) FILTER (WHERE kind = 'created') AS created_block,
        max(block_time) FILTER (WHERE kind = 'funded') AS funded_at,
        max(block_number) FILTER (WHERE kind = 'funded') AS funded_block,
        (array_agg(told_target + div(told_target * rate_now, 10000) ORDER BY block_number DESC, log_index DESC)
            FILTER (WHERE kind = 'funded'))[1] AS debt,
        (array_agg(active ORDER BY block_number DESC, log_index DESC) FILTER (WHERE active IS NOT NULL))[1] AS active,
        (array_agg(phase ORDER BY block_number DESC, log_index DESC) FILTER (WHERE phase IS NOT NULL))[1] AS phase,
        (array_agg(reason ORDER BY block_number, log_index) FILTER (WHERE reason IS NOT NULL))[1] AS reason
    FROM judged
    GROUP BY diamond, deal_id
), last_term AS (
    SELECT DISTINCT ON (diamond, deal_id) *
    FROM term
    ORDER BY diamond, deal_id, block_number DESC, log_index DESC
), last_mode AS (
    SELECT DISTINCT ON (diamond, deal_id) diamond, deal_id, operation_mode
    FROM term
    WHERE kind = 'created' AND operation_mode IS NOT NULL
    ORDER BY diamond, deal_id, block_number DESC, log_index DESC
), naming AS (
    SELECT diamond, deal_id, collateral_address, block_number, log_index
    FROM term
    WHERE kind = 'updated' OR sync.address_or_null(collateral_address) IS NOT NULL
    UNION ALL
    SELECT address, trade_deal_id, token_address, said.block_number, log_index
    FROM event.collateral_token_created AS said
    JOIN closing ON closing.diamond = said.address AND closing.deal_id = said.trade_deal_id
    WHERE chain_id = $1 AND said.block_number <= $3 AND (said.block_number >= $2 OR NOT closing.seen)
), last_naming AS (
    SELECT DISTINCT ON (diamond, deal_id) diamond, deal_id, collateral_address
    FROM naming
    ORDER BY diamond, deal_id, block_number DESC, log_index DESC
), outcome AS (
    SELECT diamond, deal_id,
        CASE WHEN last_term.kind IS NULL THEN live.name ELSE last_term.name END AS name,
        CASE WHEN last_term.kind IS NULL THEN live.symbol ELSE last_term.symbol END AS symbol,
        CASE WHEN last_term.kind IS NULL THEN live.interest_rate_bps ELSE last_term.interest_rate END AS rate,
        CASE WHEN last_term.kind IS NULL THEN live.ratio ELSE last_term.ratio END AS ratio,
        coalesce(summed.active, live.active) AS active,
        coalesce(last_mode.operation_mode, live.operation_mode) AS operation_mode,
        CASE WHEN last_naming.diamond IS NULL THEN live.collateral_address ELSE last_naming.collateral_address END AS collateral,
        CASE WHEN last_term.kind IS NULL THEN live.interest_address ELSE last_term.interest_address END AS interest,
        CASE WHEN last_term.kind IS NULL THEN live.usdc_address ELSE last_term.usdc_address END AS usdc,
        coalesce(
            summed.phase,
            CASE WHEN live.status IN ('withdrawn', 'repaying', 'repaid') THEN live.status END,
            CASE WHEN live.funded_block IS NOT NULL THEN 'funded' END
        ) AS phase,
        summed.paid_in OR coalesce(live.status, 'created') <> 'created' AS paid_in,
        coalesce(summed.funded_at, live.funded_at) AS funded_at,
        coalesce(summed.funded_block, live.funded_block) AS funded_block,
        closing.target_now AS target,
        closing.balance_now AS balance,
        CASE
            WHEN summed.funded_block IS NOT NULL THEN summed.debt
            WHEN closing.seen THEN live.total_debt
            ELSE 0
        END AS debt,
        coalesce(live.repaid_amount, 0) + summed.repaid AS repaid,
        coalesce(live.created_block, summed.created_block) AS created_block,
        coalesce(live.inconsistency, summed.reason) AS reason,
        closing.block_number
    FROM closing
    JOIN summed USING (diamond, deal_id)
    LEFT JOIN last_term USING (diamond, deal_id)
    LEFT JOIN last_mode USING (diamond, deal_id)
    LEFT JOIN last_naming USING (diamond, deal_id)
    LEFT JOIN (SELECT * FROM state.trade_deal WHERE chain_id = $1) AS live USING (diamond, deal_id)
)
INSERT INTO state.trade_deal (
    chain_id, diamond, deal_id, name, symbol, interest_rate_bps, ratio, active, operation_mode, collateral_address,
    interest_address, usdc_address, status, funded_at, funded_block, target, usdc_balance, total_debt, repaid_amount,
    created_block, inconsistent, inconsistency, updated_block
)
SELECT $1, diamond, deal_id, name, symbol, rate, ratio, active, operation_mode, sync.address_or_null(collateral),
    sync.address_or_null(interest), sync.address_or_null(usdc),
    CASE
        WHEN phase IN ('withdrawn', 'repaying', 'repaid') THEN phase
        WHEN phase = 'funded' AND (target IS NULL OR reason IS NOT NULL) THEN 'funded'
        WHEN target > 0 AND balance >= target THEN 'funded'
        WHEN paid_in OR phase = 'funded' THEN 'funding'
        ELSE 'created'
    END,
    funded_at, funded_block, target, balance, debt, repaid, created_block, reason IS NOT NULL, reason, block_number
FROM outcome
ON CONFLICT (chain_id, diamond, deal_id) DO UPDATE
SET name = excluded.name,
    symbol = excluded.symbol,
    interest_rate_bps = excluded.interest_rate_bps,
    ratio = excluded.ratio,
    active = excluded.active,
    operation_mode = excluded.operation_mode,
    collateral_address = excluded.collateral_address,
    interest_address = excluded.interest_address,
    usdc_address = excluded.usdc_address,
    status = excluded.status,
    funded_at = excluded.funded_at,
    funded_block = excluded.funded_block,
    target = excluded.target,
    usdc_balance = excluded.usdc_balance,
    total_debt = excluded.total_debt,
    repaid_amount = excluded.repaid_amount,
    created_block = excluded.created_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

-- A collateral token that was made for a deal which says nothing else in this range, or nothing later about its token.
WITH naming AS (
    SELECT address AS diamond, trade_deal_id AS deal_id, token_address, true AS made, block_number, log_index
    FROM event.collateral_token_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trade_deal_id, NULL, false, block_number, log_index
    FROM event.trade_deal_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND sync.address_or_null(collateral_address) IS NOT NULL
    UNION ALL
    SELECT address, trade_deal_id, NULL, false, block_number, log_index
    FROM event.trade_deal_created_ed0366d8
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND sync.address_or_null(vabb_address) IS NOT NULL
    UNION ALL
    SELECT address, trade_deal_id, NULL, false, block_number, log_index
    FROM event.trade_deal_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), last_naming AS (
    SELECT DISTINCT ON (diamond, deal_id) *
    FROM naming
    ORDER BY diamond, deal_id, block_number DESC, log_index DESC
)
UPDATE state.trade_deal AS live
SET collateral_address = sync.address_or_null(last_naming.token_address),
    updated_block = greatest(live.updated_block, last_naming.block_number)
FROM last_naming
WHERE last_naming.made AND live.chain_id = $1 AND live.diamond = last_naming.diamond AND live.deal_id = last_naming.deal_id;

-- Who takes part: accounts that were added, and depositors that were not in it. A removal ends either; what follows begins anew.
WITH spoken AS (
    SELECT address AS diamond, trade_deal_id AS deal_id, participant AS account, 'explicit' AS source, block_number, log_index
    FROM event.trade_deal_participant_added
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, trade_deal_id, participant, NULL, block_number, log_index
    FROM event.trade_deal_participant_removed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT diamond, deal_id, party, 'depositor', block_number, log_index
    FROM state.trade_deal_cashflow
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND kind = 'deposit' AND party IS NOT NULL
), placed AS (
    SELECT spoken.*,
        count(*) FILTER (WHERE source IS NULL) OVER (
            PARTITION BY diamond, deal_id, account ORDER BY block_number, log_index
        ) AS era
    FROM spoken
    WHERE sync.address_or_null(account) IS NOT NULL
), span AS (
    SELECT diamond, deal_id, account, era,
        coalesce(min(source) FILTER (WHERE source = 'explicit'), min(source)) AS source,
        min(block_number) FILTER (WHERE source IS NOT NULL) AS added_block,
        min(block_number) FILTER (WHERE source IS NULL) AS removed_block,
        max(block_number) AS block_number
    FROM placed
    GROUP BY diamond, deal_id, account, era
), membership AS (
    SELECT span.diamond, span.deal_id, span.account, span.era, span.removed_block, span.block_number,
        span.source IS NOT NULL AS joined,
        CASE
            WHEN span.era = 0 AND live.active AND span.source = 'depositor' THEN live.source
            ELSE span.source
        END AS source,
        CASE WHEN span.era = 0 AND live.active THEN live.added_block ELSE span.added_block END AS added_block,
        lag(span.source IS NOT NULL) OVER (
            PARTITION BY span.diamond, span.deal_id, span.account ORDER BY span.era
        ) AS joined_before,
        coalesce(live.active, false) AS was_active, live.source AS live_source, live.added_block AS live_added_block,
        live.inconsistency AS live_inconsistency
    FROM span
    LEFT JOIN state.trade_deal_participant AS live
        ON live.chain_id = $1 AND live.diamond = span.diamond AND live.deal_id = span.deal_id AND live.account = span.account
), outcome AS (
    SELECT diamond, deal_id, account,
        coalesce(
            (array_agg(source ORDER BY era DESC) FILTER (WHERE source IS NOT NULL))[1],
            min(live_source)
        ) AS source,
        (array_agg(joined ORDER BY era DESC))[1] AS active,
        coalesce(
            (array_agg(added_block ORDER BY era DESC) FILTER (WHERE joined))[1],
            CASE WHEN NOT bool_or(joined) THEN min(live_added_block) END
        ) AS added_block,
        (array_agg(removed_block ORDER BY era DESC))[1] AS removed_block,
        coalesce(
            min(live_inconsistency),
            CASE
                WHEN bool_or(era > 0 AND NOT coalesce(joined_before, era = 1 AND was_active))
                THEN 'removed without having been added'
            END
        ) AS reason,
        max(block_number) AS block_number
    FROM membership
    GROUP BY diamond, deal_id, account
)
INSERT INTO state.trade_deal_participant (
    chain_id, diamond, deal_id, account, source, active, added_block, removed_block, inconsistent, inconsistency, updated_block
)
SELECT $1, diamond, deal_id, account, source, active, added_block, CASE WHEN NOT active THEN removed_block END,
    reason IS NOT NULL, reason, block_number
FROM outcome
WHERE block_number BETWEEN $2 AND $3
ON CONFLICT (chain_id, diamond, deal_id, account) DO UPDATE
SET source = excluded.source,
    active = excluded.active,
    added_block = excluded.added_block,
    removed_block = excluded.removed_block,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

-- The last list of claim topics replaces all others.
DELETE FROM state.trade_deal_claim_topic AS live
USING event.trade_deal_required_claim_topics_set AS said
WHERE said.chain_id = $1 AND said.block_number BETWEEN $2 AND $3
  AND live.chain_id = $1 AND live.diamond = said.address AND live.deal_id = said.trade_deal_id;

WITH last_list AS (
    SELECT DISTINCT ON (address, trade_deal_id) address, trade_deal_id, claim_topics, block_number
    FROM event.trade_deal_required_claim_topics_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, trade_deal_id, block_number DESC, log_index DESC
)
INSERT INTO state.trade_deal_claim_topic (chain_id, diamond, deal_id, claim_topic, updated_block)
SELECT DISTINCT $1::bigint, address, trade_deal_id, topic, block_number
FROM last_list, unnest(claim_topics) AS topic;
