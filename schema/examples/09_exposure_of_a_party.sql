-- What has a party at stake in trade deals?
SELECT diamond, deal_id, deal_name, payment_symbol, deposited, withdrawn, redeemed, lent, drawn, repaid, borrowed
FROM analytics.trade_deal_exposure
WHERE chain_id = 31337 AND party_bytes = analytics.bytes('0xa11ce00000000000000000000000000000000001')
ORDER BY lent_raw DESC;
