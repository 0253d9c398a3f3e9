-- What is for sale, cheapest first?
SELECT token_id, price, payment_symbol, seller, opened_block
FROM analytics.listing
WHERE chain_id = 31337 AND diamond_bytes = analytics.bytes('0xd1a0000000000000000000000000000000000035') AND status = 'open'
ORDER BY price_raw
LIMIT 20;
