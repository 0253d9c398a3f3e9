-- projection: token_day
-- tables: custom.token_day
-- reads: event.erc20_transfer
--
-- Transfers and volume of each ERC-20 token by day (UTC).

CREATE TABLE custom.token_day (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    day date NOT NULL,
    transfers bigint NOT NULL,
    volume numeric NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, token, day)
);
CREATE INDEX token_day_day ON custom.token_day (chain_id, day);
COMMENT ON TABLE custom.token_day IS 'Transfers of each ERC-20 token by day.';

INSERT INTO custom.token_day AS live (chain_id, token, day, transfers, volume, updated_block)
SELECT $1, address, (block_time AT TIME ZONE 'UTC')::date, count(*), sum(value), max(block_number)
FROM event.erc20_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
GROUP BY address, (block_time AT TIME ZONE 'UTC')::date
ON CONFLICT (chain_id, token, day) DO UPDATE
SET transfers = live.transfers + excluded.transfers,
    volume = live.volume + excluded.volume,
    updated_block = excluded.updated_block;
