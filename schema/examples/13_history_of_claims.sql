-- How did the claims of an identity come and go?
SELECT block_time, source, action, claim_topic, issuer, contract, tx_hash
FROM analytics.claim_history
WHERE chain_id = 31337 AND identity_bytes = analytics.bytes('0x1de0000000000000000000000000000000000073')
ORDER BY block_number, log_index, "position";
