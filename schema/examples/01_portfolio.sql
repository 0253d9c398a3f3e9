-- What does an account hold now?
-- Tokens of all three standards; addresses may be in any case.
SELECT standard, symbol, token, token_id, amount, amount_raw
FROM analytics.portfolio('0xA11CE00000000000000000000000000000000001')
WHERE chain_id = 31337
ORDER BY standard, token, token_id;
