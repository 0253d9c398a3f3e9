-- What did a token sell for, and what did the seller get?
SELECT block_time, seller, buyer, price, payment_symbol, fee_total, seller_net, tx_hash
FROM analytics.sale
WHERE chain_id = 31337 AND diamond_bytes = analytics.bytes('0xd1a0000000000000000000000000000000000035') AND token_id = 1
ORDER BY block_number DESC, log_index DESC;
