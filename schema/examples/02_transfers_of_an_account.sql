-- What did an account send and receive last?
SELECT block_time, kind, symbol, token_id, amount, from_, to_, tx_hash
FROM analytics.transfers_of('0xa11ce00000000000000000000000000000000001')
WHERE chain_id = 31337
ORDER BY block_number DESC, log_index DESC
LIMIT 20;
