-- Which identity has a wallet, who vouches for it, and on what?
SELECT announcer, identity, registered, registered_by, claim_topics, removed_block
FROM analytics.identity
WHERE chain_id = 31337 AND wallet_bytes = analytics.bytes('0xa11ce00000000000000000000000000000000001');
