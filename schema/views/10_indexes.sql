-- Indexes on event tables that the example queries (schema/examples) need, and no others: event tables are written at the
-- speed of COPY, and each B-tree would cost more than the rows. They are made here because the tables are made from ABIs.

-- A bloom filter for every 64 pages: next to nothing to write and to keep, and all transfers of an account that is not in
-- every page are found in milliseconds.
CREATE INDEX IF NOT EXISTS erc20_transfer_account ON event.erc20_transfer
    USING brin (from_ bytea_bloom_ops, to_ bytea_bloom_ops) WITH (pages_per_range = 64, autosummarize = on);

-- Who owned a token at a log, and how it came about.
CREATE INDEX IF NOT EXISTS erc721_transfer_token ON event.erc721_transfer (chain_id, address, token_id, block_number, log_index);
CREATE INDEX IF NOT EXISTS erc721_transfer_account ON event.erc721_transfer
    USING brin (from_ bytea_bloom_ops, to_ bytea_bloom_ops) WITH (pages_per_range = 64, autosummarize = on);
CREATE INDEX IF NOT EXISTS erc1155_transfer_single_account ON event.erc1155_transfer_single
    USING brin (from_ bytea_bloom_ops, to_ bytea_bloom_ops) WITH (pages_per_range = 64, autosummarize = on);
CREATE INDEX IF NOT EXISTS erc1155_transfer_batch_account ON event.erc1155_transfer_batch
    USING brin (from_ bytea_bloom_ops, to_ bytea_bloom_ops) WITH (pages_per_range = 64, autosummarize = on);
