-- Who are the largest holders of a token?
SELECT holder, amount, round(100 * share, 2) AS percent
FROM analytics.holders(31337, '0x70ce000000000000000000000000000000000020')
ORDER BY amount_raw DESC
LIMIT 10;
