-- What did administrators do in the last 30 days?
SELECT block_time, severity, action, contract, subject, actor, details, tx_hash
FROM analytics.admin_action
WHERE chain_id = 31337 AND block_number >= (SELECT analytics.block_at(31337, now() - interval '30 days'))
ORDER BY block_number DESC, log_index DESC;
