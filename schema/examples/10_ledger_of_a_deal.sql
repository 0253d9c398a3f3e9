-- Which money moved in a trade deal, and which log proves it?
SELECT block_time, kind, party, amount, net_amount, collateral_amount, tx_hash, log_index
FROM analytics.trade_deal_cashflow
WHERE chain_id = 31337 AND diamond_bytes = analytics.bytes('0xd1a0000000000000000000000000000000000035') AND deal_id = 0
ORDER BY block_number, log_index;
