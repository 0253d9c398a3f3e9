-- How much of a token was minted and burned on each of the last 30 days?
-- `block_at` turns a time into a block number, so that only those blocks are read.
SELECT block_time::date AS day, sum(amount) FILTER (WHERE kind = 'mint') AS minted, sum(amount) FILTER (WHERE kind = 'burn') AS burned
FROM analytics.token_transfer
WHERE chain_id = 31337
  AND block_number >= (SELECT analytics.block_at(31337, now() - interval '30 days'))
  AND token_bytes = analytics.bytes('0x70ce000000000000000000000000000000000020')
  AND kind <> 'transfer'
GROUP BY 1
ORDER BY 1;
