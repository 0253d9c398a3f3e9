-- projection: fee_distribution
-- tables: state.fee_distribution
-- reads: event.fee_distributor_amounts_distributed, event.fee_distributor_initialized
--
-- The event does not say in which token it pays: that is set once by FeeDistributorInitialized, and before it native coin is
-- paid. Initialisations are rare, so their whole history is looked at.

WITH log AS (
    SELECT * FROM event.fee_distributor_amounts_distributed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), init AS MATERIALIZED (
    SELECT address, block_number, log_index, distribution_token
    FROM event.fee_distributor_initialized
    WHERE chain_id = $1 AND block_number <= $3 AND address IN (SELECT address FROM log)
)
INSERT INTO state.fee_distribution (
    chain_id, block_number, log_index, block_time, tx_hash, contract, token, principal_receiver, principal_amount,
    adjusted_receiver, adjusted_amount, receivers, amounts, fee_total, inconsistent, inconsistency, updated_block
)
SELECT
    $1, log.block_number, log.log_index, log.block_time, log.tx_hash, log.address,
    sync.address_or_null(told.token),
    sync.address_or_null(log.principal_amount_receiver),
    log.principal_amount,
    sync.address_or_null(log.adjusted_amount_receiver),
    log.adjusted_amount,
    log.fee_receivers,
    log.fee_amounts,
    (SELECT coalesce(sum(amount), 0) FROM unnest(log.fee_amounts) AS amount),
    told.times > 1 OR cardinality(log.fee_receivers) <> cardinality(log.fee_amounts),
    nullif(concat_ws(
        '; ',
        CASE WHEN cardinality(log.fee_receivers) <> cardinality(log.fee_amounts)
            THEN 'receivers and amounts of unequal number' END,
        CASE WHEN told.times > 1 THEN 'initialised more than once' END
    ), ''),
    log.block_number
FROM log
CROSS JOIN LATERAL (
    SELECT
        count(*) AS times,
        (array_agg(init.distribution_token ORDER BY init.block_number DESC, init.log_index DESC))[1] AS token
    FROM init
    WHERE init.address = log.address AND (init.block_number, init.log_index) < (log.block_number, log.log_index)
) AS told;
