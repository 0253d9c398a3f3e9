-- Carbon credits: what is left, what was issued and retired, by whom and when, with the log that proves it.

CREATE OR REPLACE VIEW analytics.carbon_credit AS
SELECT credit.chain_id, analytics.hex(credit.contract) AS contract, credit.token_id, credit.status, credit.remaining,
    credit.initial_balance, credit.total_initialized, credit.total_retired, analytics.hex(credit.owner) AS owner,
    credit.inconsistent, credit.inconsistency, credit.updated_block, credit.owner AS owner_bytes
FROM state.carbon_credit AS credit;
COMMENT ON VIEW analytics.carbon_credit IS 'Carbon credits of tokens now. Amounts are whole credits, as the contracts count them.';
COMMENT ON COLUMN analytics.carbon_credit.status IS 'active while credits remain, else retired.';
COMMENT ON COLUMN analytics.carbon_credit.remaining IS 'Credits left.';
COMMENT ON COLUMN analytics.carbon_credit.initial_balance IS 'Credits of the last initialisation.';
COMMENT ON COLUMN analytics.carbon_credit.total_initialized IS 'Sum of all initialisations.';
COMMENT ON COLUMN analytics.carbon_credit.total_retired IS 'Sum of all retirements.';
COMMENT ON COLUMN analytics.carbon_credit.owner IS 'Owner of the token; NULL when burned or never seen to move.';
COMMENT ON COLUMN analytics.carbon_credit.owner_bytes IS 'The owner as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.carbon_issuance AS
SELECT issued.chain_id, issued.block_number, issued.log_index, issued.block_time, analytics.hex(issued.tx_hash) AS tx_hash,
    analytics.hex(issued.address) AS contract, issued.token_id, issued.initial_balance AS amount,
    analytics.hex(analytics.nft_owner_at_log(
        issued.chain_id, issued.address, issued.token_id, issued.block_number, issued.log_index)) AS owner
FROM event.carbon_credits_initialized AS issued;
COMMENT ON VIEW analytics.carbon_issuance IS 'Every initialisation of carbon credits, with the owner of the token at that log.';
COMMENT ON COLUMN analytics.carbon_issuance.amount IS 'Credits issued.';
COMMENT ON COLUMN analytics.carbon_issuance.owner IS 'Owner of the token at that log; NULL when it was not minted yet.';

CREATE OR REPLACE VIEW analytics.carbon_retirement AS
SELECT retired.chain_id, retired.block_number, retired.log_index, retired.block_time, analytics.hex(retired.tx_hash) AS tx_hash,
    analytics.hex(retired.contract) AS contract, retired.token_id, retired.amount, retired.remaining_after,
    analytics.hex(retired.retired_by) AS owner, retired.inconsistent, retired.inconsistency,
    retired.retired_by AS owner_bytes
FROM state.carbon_retirement AS retired;
COMMENT ON VIEW analytics.carbon_retirement IS 'The ledger of retired carbon credits, each with transaction, block and log that prove it.';
COMMENT ON COLUMN analytics.carbon_retirement.amount IS 'Credits retired.';
COMMENT ON COLUMN analytics.carbon_retirement.remaining_after IS 'Credits left afterwards.';
COMMENT ON COLUMN analytics.carbon_retirement.owner IS 'Owner of the token at that log, who alone can retire.';
COMMENT ON COLUMN analytics.carbon_retirement.owner_bytes IS 'The owner as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.carbon_month AS
SELECT moved.chain_id, moved.contract, moved.owner, date_trunc('month', moved.block_time AT TIME ZONE 'UTC')::date AS "month",
    coalesce(sum(moved.amount) FILTER (WHERE moved.kind = 'issued'), 0) AS issued,
    coalesce(sum(moved.amount) FILTER (WHERE moved.kind = 'retired'), 0) AS retired,
    jsonb_agg(jsonb_build_object('kind', moved.kind, 'token_id', moved.token_id::text, 'amount', moved.amount::text,
        'tx_hash', moved.tx_hash, 'block_number', moved.block_number, 'log_index', moved.log_index)
        ORDER BY moved.block_number, moved.log_index) AS proofs
FROM (
    SELECT chain_id, contract, owner, block_time, 'issued' AS kind, token_id, amount, tx_hash, block_number, log_index
    FROM analytics.carbon_issuance
    UNION ALL
    SELECT chain_id, contract, owner, block_time, 'retired', token_id, amount, tx_hash, block_number, log_index
    FROM analytics.carbon_retirement
) AS moved
GROUP BY moved.chain_id, moved.contract, moved.owner, date_trunc('month', moved.block_time AT TIME ZONE 'UTC')::date;
COMMENT ON VIEW analytics.carbon_month IS 'Carbon credits issued to and retired by each owner, by month, with the logs that prove it.';
COMMENT ON COLUMN analytics.carbon_month.owner IS 'Owner of the tokens at those logs; NULL when unknown.';
COMMENT ON COLUMN analytics.carbon_month."month" IS 'First day of the month, by UTC.';
COMMENT ON COLUMN analytics.carbon_month.issued IS 'Credits issued.';
COMMENT ON COLUMN analytics.carbon_month.retired IS 'Credits retired.';
COMMENT ON COLUMN analytics.carbon_month.proofs IS 'Each log: kind, token, amount, transaction, block, log index.';
