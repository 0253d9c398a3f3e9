-- What did administrators do last, within a week?
SELECT block_time, severity, action, contract, subject, actor, details, tx_hash
FROM analytics.admin_actions(31337, now() - interval '7 days')
ORDER BY block_number DESC, log_index DESC
LIMIT 100;
