-- projection: token_activity
-- tables: custom.token_activity
-- reads: event.erc20_transfer
--
-- How much a token moved, and when first and last.

CREATE TABLE custom.token_activity (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    transfers bigint NOT NULL,
    volume numeric NOT NULL,
    first_block bigint NOT NULL,
    last_block bigint NOT NULL,
    PRIMARY KEY (chain_id, token)
);

INSERT INTO custom.token_activity AS live (chain_id, token, transfers, volume, first_block, last_block)
SELECT $1, address, count(*), sum(value), min(block_number), max(block_number)
FROM event.erc20_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
GROUP BY address
ON CONFLICT (chain_id, token) DO UPDATE
SET transfers = live.transfers + excluded.transfers,
    volume = live.volume + excluded.volume,
    last_block = excluded.last_block;
