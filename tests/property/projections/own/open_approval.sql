-- projection: open_approval
-- tables: custom.open_approval, custom.closed_approval
-- reads: event.erc20_approval
--
-- Approvals of more than nothing, with rows that go away again, and how often that happened.

CREATE TABLE custom.open_approval (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    owner bytea NOT NULL,
    spender bytea NOT NULL,
    value numeric NOT NULL,
    since_block bigint NOT NULL,
    PRIMARY KEY (chain_id, token, owner, spender)
);

CREATE TABLE custom.closed_approval (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    closings bigint NOT NULL,
    PRIMARY KEY (chain_id, token)
);

INSERT INTO custom.open_approval (chain_id, token, owner, spender, value, since_block)
SELECT DISTINCT ON (address, owner, spender) $1, address, owner, spender, value, block_number
FROM event.erc20_approval
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, owner, spender, block_number DESC, log_index DESC
ON CONFLICT (chain_id, token, owner, spender) DO UPDATE
SET value = excluded.value, since_block = excluded.since_block;

DELETE FROM custom.open_approval
WHERE chain_id = $1 AND since_block BETWEEN $2 AND $3 AND value = 0;

INSERT INTO custom.closed_approval AS live (chain_id, token, closings)
SELECT $1, address, count(*)
FROM event.erc20_approval
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND value = 0
GROUP BY address
ON CONFLICT (chain_id, token) DO UPDATE SET closings = live.closings + excluded.closings;
