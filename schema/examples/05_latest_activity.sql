-- What happened last, on any contract?
SELECT block_number, log_index, contract, event, args
FROM analytics.activity
WHERE chain_id = 31337
ORDER BY block_number DESC, log_index DESC
LIMIT 50;
