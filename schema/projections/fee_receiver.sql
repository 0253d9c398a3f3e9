-- projection: fee_receiver
-- tables: state.fee_receiver
-- reads: event.marketplace_initialized, event.fee_distributor_initialized, event.fee_distributor_fee_receivers_set
--
-- A marketplace's receivers are set once; should a second event come, nobody leaves and all rows say so. A distributor's
-- receivers are replaced by every FeeReceiversSet. Both initialisations are rare, so their whole history is looked at. Of a
-- receiver that a list has twice the parts add up; of lists of unequal length the pairs count.

WITH init AS MATERIALIZED (
    SELECT address, block_number, log_index, fee_receivers
    FROM event.marketplace_initialized
    WHERE chain_id = $1 AND block_number <= $3
      AND address IN (
          SELECT address FROM event.marketplace_initialized WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
      )
), told AS (
    SELECT address, count(*) > 1 AS repeated, max(block_number) AS last_block
    FROM init
    GROUP BY address
), share AS (
    SELECT
        init.address, init.block_number, init.log_index,
        sync.hex_bytes(part.value ->> 'receiver') AS receiver,
        min(part.place) - 1 AS "position",
        sum((part.value ->> 'sharePerMillion')::numeric) AS weight
    FROM init
    CROSS JOIN jsonb_array_elements(init.fee_receivers) WITH ORDINALITY AS part (value, place)
    GROUP BY init.address, init.block_number, init.log_index, part.value ->> 'receiver'
), latest AS (
    SELECT DISTINCT ON (address, receiver) address, receiver, "position", weight
    FROM share
    ORDER BY address, receiver, block_number DESC, log_index DESC
)
INSERT INTO state.fee_receiver (
    chain_id, contract, source, receiver, "position", weight, basis, inconsistent, inconsistency, updated_block
)
SELECT
    $1, address, 'marketplace', latest.receiver, latest."position", latest.weight, 1000000,
    told.repeated,
    CASE WHEN told.repeated THEN 'initialised more than once' END,
    told.last_block
FROM latest
JOIN told USING (address)
ON CONFLICT (chain_id, contract, source, receiver) DO UPDATE
SET "position" = excluded."position",
    weight = excluded.weight,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

WITH last_set AS (
    SELECT DISTINCT ON (address) address, fee_receivers, fee_weights
    FROM event.fee_distributor_fee_receivers_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, block_number DESC, log_index DESC
)
DELETE FROM state.fee_receiver AS live
USING last_set
WHERE live.chain_id = $1 AND live.contract = last_set.address AND live.source = 'distributor'
  AND live.receiver <> ALL (last_set.fee_receivers[:cardinality(last_set.fee_weights)]);

WITH last_set AS (
    SELECT DISTINCT ON (address) address, fee_receivers, fee_weights, block_number
    FROM event.fee_distributor_fee_receivers_set
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, block_number DESC, log_index DESC
), part AS (
    SELECT address, pair.receiver, min(pair.place) - 1 AS "position", sum(pair.weight) AS weight
    FROM last_set
    CROSS JOIN unnest(last_set.fee_receivers, last_set.fee_weights) WITH ORDINALITY AS pair (receiver, weight, place)
    WHERE pair.receiver IS NOT NULL AND pair.weight IS NOT NULL
    GROUP BY address, pair.receiver
), init AS (
    SELECT
        address, count(*) > 1 AS repeated,
        (array_agg(total_weight_basis ORDER BY block_number DESC, log_index DESC))[1] AS basis
    FROM event.fee_distributor_initialized
    WHERE chain_id = $1 AND block_number <= $3 AND address IN (SELECT address FROM last_set)
    GROUP BY address
)
INSERT INTO state.fee_receiver (
    chain_id, contract, source, receiver, "position", weight, basis, inconsistent, inconsistency, updated_block
)
SELECT
    $1, address, 'distributor', part.receiver, part."position", part.weight, init.basis,
    cardinality(last_set.fee_receivers) <> cardinality(last_set.fee_weights) OR coalesce(init.repeated, false),
    CASE
        WHEN cardinality(last_set.fee_receivers) <> cardinality(last_set.fee_weights)
            THEN 'receivers and weights of unequal number'
        WHEN init.repeated THEN 'initialised more than once'
    END,
    last_set.block_number
FROM part
JOIN last_set USING (address)
LEFT JOIN init USING (address)
ON CONFLICT (chain_id, contract, source, receiver) DO UPDATE
SET "position" = excluded."position",
    weight = excluded.weight,
    basis = excluded.basis,
    inconsistent = excluded.inconsistent,
    inconsistency = excluded.inconsistency,
    updated_block = excluded.updated_block;

WITH init AS (
    SELECT
        address, count(*) > 1 AS repeated, max(block_number) AS last_block,
        (array_agg(total_weight_basis ORDER BY block_number DESC, log_index DESC))[1] AS basis
    FROM event.fee_distributor_initialized
    WHERE chain_id = $1 AND block_number <= $3
      AND address IN (
          SELECT address FROM event.fee_distributor_initialized WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
      )
    GROUP BY address
)
UPDATE state.fee_receiver AS live
SET basis = init.basis,
    inconsistent = live.inconsistent OR init.repeated,
    inconsistency = coalesce(live.inconsistency, CASE WHEN init.repeated THEN 'initialised more than once' END),
    updated_block = greatest(live.updated_block, init.last_block)
FROM init
WHERE live.chain_id = $1 AND live.contract = init.address AND live.source = 'distributor';
