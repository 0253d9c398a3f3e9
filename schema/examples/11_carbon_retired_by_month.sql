-- How many carbon credits did an owner retire in each month, with proof?
SELECT date_trunc('month', block_time)::date AS month, sum(amount) AS retired,
    json_agg(json_build_object('tx', tx_hash, 'block', block_number, 'log', log_index) ORDER BY block_number, log_index) AS proofs
FROM analytics.carbon_retirement
WHERE chain_id = 31337 AND owner_bytes = analytics.bytes('0xa11ce00000000000000000000000000000000001')
GROUP BY 1
ORDER BY 1;
