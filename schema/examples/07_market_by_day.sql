-- What were prices and volume on each of the last 30 days?
SELECT day, diamond, payment_symbol, sales, volume, lowest_price, median_price, highest_price, fees
FROM analytics.market_day
WHERE chain_id = 31337 AND day >= current_date - 30
ORDER BY day, diamond, payment_symbol;
