-- Trade deals: terms and standing, the cash-flow ledger, exposure by party, who takes part.

CREATE OR REPLACE VIEW analytics.trade_deal AS
SELECT deal.chain_id, analytics.hex(deal.diamond) AS diamond, deal.deal_id, deal.name, deal.symbol, deal.status, deal.active,
    analytics.enum_label('OperationMode', deal.operation_mode) AS operation_mode, trim_scale(deal.interest_rate_bps / 100) AS interest_percent,
    deal.ratio, analytics.hex(deal.usdc_address) AS payment_token, token.symbol AS payment_symbol,
    analytics.scaled(deal.target, token.decimals) AS target, deal.target AS target_raw,
    analytics.scaled(deal.usdc_balance, token.decimals) AS balance, deal.usdc_balance AS balance_raw,
    analytics.scaled(deal.total_debt, token.decimals) AS total_debt, deal.total_debt AS total_debt_raw,
    analytics.scaled(deal.repaid_amount, token.decimals) AS repaid, deal.repaid_amount AS repaid_raw,
    analytics.scaled(greatest(deal.total_debt - deal.repaid_amount, 0), token.decimals) AS outstanding,
    analytics.hex(deal.collateral_address) AS collateral_token, analytics.hex(deal.interest_address) AS interest_token,
    deal.created_block, deal.funded_block, deal.funded_at, deal.inconsistent, deal.inconsistency, deal.updated_block
FROM state.trade_deal AS deal
LEFT JOIN state.token AS token ON token.chain_id = deal.chain_id AND token.contract = deal.usdc_address;
COMMENT ON VIEW analytics.trade_deal IS 'Trade deals with their terms and where they stand.';
COMMENT ON COLUMN analytics.trade_deal.name IS 'Name of the deal.';
COMMENT ON COLUMN analytics.trade_deal.symbol IS 'Symbol of the deal.';
COMMENT ON COLUMN analytics.trade_deal.status IS 'created, funding, funded, withdrawn, repaying or repaid.';
COMMENT ON COLUMN analytics.trade_deal.active IS 'Whether it is active.';
COMMENT ON COLUMN analytics.trade_deal.operation_mode IS 'Name of the operation mode, from analytics.enum_name.';
COMMENT ON COLUMN analytics.trade_deal.interest_percent IS 'Interest rate in percent.';
COMMENT ON COLUMN analytics.trade_deal.ratio IS 'Collateral tokens for one interest token.';
COMMENT ON COLUMN analytics.trade_deal.payment_token IS 'The token that is paid in.';
COMMENT ON COLUMN analytics.trade_deal.target IS 'Funding target in whole units of the payment token; NULL when unknown.';
COMMENT ON COLUMN analytics.trade_deal.target_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal.balance IS 'What the deal holds, in whole units.';
COMMENT ON COLUMN analytics.trade_deal.balance_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal.total_debt IS 'Target and interest as of its last full funding, in whole units.';
COMMENT ON COLUMN analytics.trade_deal.total_debt_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal.repaid IS 'Sum of all repayments, in whole units.';
COMMENT ON COLUMN analytics.trade_deal.repaid_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal.outstanding IS 'Debt less repayments, never below 0, in whole units.';
COMMENT ON COLUMN analytics.trade_deal.collateral_token IS 'The collateral token.';
COMMENT ON COLUMN analytics.trade_deal.interest_token IS 'The interest token.';
COMMENT ON COLUMN analytics.trade_deal.created_block IS 'Block of its creation; NULL when it was not seen.';
COMMENT ON COLUMN analytics.trade_deal.funded_block IS 'Block of its last full funding.';
COMMENT ON COLUMN analytics.trade_deal.funded_at IS 'Time of that block.';

CREATE OR REPLACE VIEW analytics.trade_deal_cashflow AS
SELECT flow.chain_id, flow.block_number, flow.log_index, flow.block_time, analytics.hex(flow.tx_hash) AS tx_hash,
    analytics.hex(flow.diamond) AS diamond, flow.deal_id, deal.name AS deal_name, flow.kind,
    analytics.hex(flow.party) AS party, token.symbol AS payment_symbol, token.decimals AS payment_decimals,
    analytics.scaled(flow.usdc_amount, token.decimals) AS amount, flow.usdc_amount AS amount_raw,
    analytics.scaled(flow.net_amount, token.decimals) AS net_amount, flow.net_amount AS net_amount_raw,
    analytics.scaled(flow.collateral_amount, collateral.decimals) AS collateral_amount,
    flow.collateral_amount AS collateral_amount_raw, flow.fully_repaid, flow.inconsistent, flow.inconsistency,
    flow.diamond AS diamond_bytes, flow.party AS party_bytes
FROM state.trade_deal_cashflow AS flow
LEFT JOIN state.trade_deal AS deal
    ON deal.chain_id = flow.chain_id AND deal.diamond = flow.diamond AND deal.deal_id = flow.deal_id
LEFT JOIN state.token AS token ON token.chain_id = deal.chain_id AND token.contract = deal.usdc_address
LEFT JOIN state.token AS collateral ON collateral.chain_id = deal.chain_id AND collateral.contract = deal.collateral_address;
COMMENT ON VIEW analytics.trade_deal_cashflow IS 'The ledger of trade deals: one row for each log that moved money, with the transaction that proves it.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.deal_name IS 'Name of the deal.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.kind IS 'deposit, withdraw, fund_withdrawal, repay, redeem or fee; fees are part of the fund withdrawal in the same transaction.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.party IS 'Depositor, receiver, payer or redeemer; NULL when unknown or several.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.payment_decimals IS 'Its decimals; NULL until read.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.amount IS 'Amount in whole units of the payment token; of a fund withdrawal the principal. NULL when unknown.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.amount_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.net_amount IS 'What a fund withdrawal paid after fees, in whole units; NULL for other kinds.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.net_amount_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.collateral_amount IS 'Collateral tokens minted or burned by it, in whole tokens.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.collateral_amount_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.fully_repaid IS 'Whether a repayment was the last one; NULL for other kinds.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.diamond_bytes IS 'The diamond as bytes, for filters that use an index.';
COMMENT ON COLUMN analytics.trade_deal_cashflow.party_bytes IS 'The party as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.trade_deal_exposure AS
SELECT summed.chain_id, analytics.hex(summed.diamond_bytes) AS diamond, summed.deal_id, summed.deal_name,
    analytics.hex(summed.party_bytes) AS party, summed.payment_symbol,
    analytics.scaled(summed.deposited, summed.payment_decimals) AS deposited,
    analytics.scaled(summed.withdrawn, summed.payment_decimals) AS withdrawn,
    analytics.scaled(summed.redeemed, summed.payment_decimals) AS redeemed,
    analytics.scaled(summed.deposited - summed.withdrawn - summed.redeemed, summed.payment_decimals) AS lent,
    summed.deposited - summed.withdrawn - summed.redeemed AS lent_raw,
    analytics.scaled(summed.drawn, summed.payment_decimals) AS drawn,
    analytics.scaled(summed.drawn_net, summed.payment_decimals) AS drawn_net,
    analytics.scaled(summed.repaid, summed.payment_decimals) AS repaid,
    analytics.scaled(summed.drawn - summed.repaid, summed.payment_decimals) AS borrowed,
    summed.drawn - summed.repaid AS borrowed_raw,
    analytics.scaled(summed.fees, summed.payment_decimals) AS fees,
    summed.flows, summed.first_flow, summed.last_flow, summed.diamond_bytes, summed.party_bytes
FROM (
    SELECT flow.chain_id, flow.diamond_bytes, flow.deal_id, flow.deal_name, flow.party_bytes, flow.payment_symbol,
        flow.payment_decimals,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'deposit'), 0) AS deposited,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'withdraw'), 0) AS withdrawn,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'redeem'), 0) AS redeemed,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'fund_withdrawal'), 0) AS drawn,
        coalesce(sum(flow.net_amount_raw) FILTER (WHERE flow.kind = 'fund_withdrawal'), 0) AS drawn_net,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'repay'), 0) AS repaid,
        coalesce(sum(flow.amount_raw) FILTER (WHERE flow.kind = 'fee'), 0) AS fees,
        count(*) AS flows, min(flow.block_time) AS first_flow, max(flow.block_time) AS last_flow
    FROM analytics.trade_deal_cashflow AS flow
    WHERE flow.party_bytes IS NOT NULL
    GROUP BY flow.chain_id, flow.diamond_bytes, flow.deal_id, flow.deal_name, flow.party_bytes, flow.payment_symbol,
        flow.payment_decimals
) AS summed;
COMMENT ON VIEW analytics.trade_deal_exposure IS 'What each party has at stake in each trade deal, summed from the ledger. Scaled sums are NULL while the decimals of the payment token are not known.';
COMMENT ON COLUMN analytics.trade_deal_exposure.deal_name IS 'Name of the deal.';
COMMENT ON COLUMN analytics.trade_deal_exposure.party IS 'Lender, borrower or receiver of fees.';
COMMENT ON COLUMN analytics.trade_deal_exposure.deposited IS 'Deposits, in whole units of the payment token.';
COMMENT ON COLUMN analytics.trade_deal_exposure.withdrawn IS 'Withdrawals of deposits.';
COMMENT ON COLUMN analytics.trade_deal_exposure.redeemed IS 'Paid out for collateral tokens.';
COMMENT ON COLUMN analytics.trade_deal_exposure.lent IS 'Deposits less withdrawals and redemptions: at stake as a lender; below 0 once there is a gain.';
COMMENT ON COLUMN analytics.trade_deal_exposure.lent_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal_exposure.drawn IS 'Principal of fund withdrawals.';
COMMENT ON COLUMN analytics.trade_deal_exposure.drawn_net IS 'What fund withdrawals paid after fees.';
COMMENT ON COLUMN analytics.trade_deal_exposure.repaid IS 'Repayments it paid.';
COMMENT ON COLUMN analytics.trade_deal_exposure.borrowed IS 'Principal drawn less repayments; interest, which is owed by the deal, is not in it.';
COMMENT ON COLUMN analytics.trade_deal_exposure.borrowed_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.trade_deal_exposure.fees IS 'Fees it received.';
COMMENT ON COLUMN analytics.trade_deal_exposure.flows IS 'How many rows of the ledger.';
COMMENT ON COLUMN analytics.trade_deal_exposure.first_flow IS 'Time of the first.';
COMMENT ON COLUMN analytics.trade_deal_exposure.last_flow IS 'Time of the last.';
COMMENT ON COLUMN analytics.trade_deal_exposure.diamond_bytes IS 'The diamond as bytes, for filters that use an index.';
COMMENT ON COLUMN analytics.trade_deal_exposure.party_bytes IS 'The party as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.trade_deal_participant AS
SELECT member.chain_id, analytics.hex(member.diamond) AS diamond, member.deal_id, analytics.hex(member.account) AS account,
    member.source, NULL::text AS identity, member.added_block, member.removed_block, member.active
FROM state.trade_deal_participant AS member
UNION ALL
SELECT wallet.chain_id, analytics.hex(wallet.announcer), wanted.deal_id, analytics.hex(wallet.wallet),
    'claims', analytics.hex(wallet.identity), max(claim.added_block), NULL, true
FROM (
    SELECT chain_id, diamond, deal_id, count(*) AS topics, array_agg(claim_topic) AS claim_topics
    FROM state.trade_deal_claim_topic GROUP BY chain_id, diamond, deal_id
) AS wanted
JOIN state.registry_claim AS claim ON claim.chain_id = wanted.chain_id AND claim.diamond = wanted.diamond
    AND claim.claim_topic = ANY (wanted.claim_topics) AND claim.removed_block IS NULL
JOIN state.identity AS wallet ON wallet.chain_id = claim.chain_id AND wallet.announcer = claim.diamond
    AND wallet.identity = claim.identity AND wallet.registered AND wallet.removed_block IS NULL
GROUP BY wallet.chain_id, wallet.announcer, wanted.deal_id, wallet.wallet, wallet.identity, wanted.topics
HAVING count(*) = wanted.topics;
COMMENT ON VIEW analytics.trade_deal_participant IS
    'Who takes part in trade deals: the accounts that were added, those that deposited, and the registered wallets whose identity holds all claims that a deal asks for. One account may have a row for several reasons.';
COMMENT ON COLUMN analytics.trade_deal_participant.account IS 'The participant.';
COMMENT ON COLUMN analytics.trade_deal_participant.source IS 'explicit, depositor or claims.';
COMMENT ON COLUMN analytics.trade_deal_participant.identity IS 'The identity contract whose claims make it one; NULL for other reasons.';
COMMENT ON COLUMN analytics.trade_deal_participant.added_block IS 'Block since which it takes part; of claims the block of the last one needed.';
COMMENT ON COLUMN analytics.trade_deal_participant.removed_block IS 'Block of its removal; NULL while active.';
COMMENT ON COLUMN analytics.trade_deal_participant.active IS 'Whether it takes part now.';
