-- Indexes that the example queries (schema/examples) need beyond those of the migrations, and no others. Event tables are
-- written at the speed of COPY, and a B-tree may cost more than the rows; they are made here because the tables are made from
-- ABIs.

-- A bloom filter for every 16 pages: next to nothing to write and to keep, and all transfers of an account that is not in
-- every page are found in milliseconds.
CREATE INDEX IF NOT EXISTS erc20_transfer_account ON event.erc20_transfer
    USING brin (
        from_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001),
        to_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001)
    ) WITH (pages_per_range = 16, autosummarize = on);

-- Who owned a token at a log, and how it came about.
CREATE INDEX IF NOT EXISTS erc721_transfer_token ON event.erc721_transfer (chain_id, address, token_id, block_number, log_index);
CREATE INDEX IF NOT EXISTS erc721_transfer_account ON event.erc721_transfer
    USING brin (
        from_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001),
        to_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001)
    ) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX IF NOT EXISTS erc1155_transfer_single_account ON event.erc1155_transfer_single
    USING brin (
        from_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001),
        to_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001)
    ) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX IF NOT EXISTS erc1155_transfer_batch_account ON event.erc1155_transfer_batch
    USING brin (
        from_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001),
        to_ bytea_bloom_ops (n_distinct_per_range = 800, false_positive_rate = 0.001)
    ) WITH (pages_per_range = 16, autosummarize = on);

-- What happened to the claims of an identity.
CREATE INDEX IF NOT EXISTS identity_registry_claim_added_identity ON event.identity_registry_claim_added (chain_id, identity);
CREATE INDEX IF NOT EXISTS identity_registry_claim_added_a1a7a6cf_identity ON event.identity_registry_claim_added_a1a7a6cf (chain_id, identity);
CREATE INDEX IF NOT EXISTS identity_registry_claim_removed_identity ON event.identity_registry_claim_removed (chain_id, identity);
CREATE INDEX IF NOT EXISTS identity_registry_claim_removed_45749df3_identity ON event.identity_registry_claim_removed_45749df3 (chain_id, identity);
CREATE INDEX IF NOT EXISTS identity_registry_claims_removed_identity ON event.identity_registry_claims_removed (chain_id, identity);
CREATE INDEX IF NOT EXISTS erc735_claim_added_address ON event.erc735_claim_added (chain_id, address);
CREATE INDEX IF NOT EXISTS erc735_claim_changed_address ON event.erc735_claim_changed (chain_id, address);
CREATE INDEX IF NOT EXISTS erc735_claim_removed_address ON event.erc735_claim_removed (chain_id, address);
CREATE INDEX IF NOT EXISTS identity_claim_added_address ON event.identity_claim_added (chain_id, address);

-- What is for sale, what a token sold for, and what was sold on which day.
CREATE INDEX IF NOT EXISTS listing_open ON state.listing (chain_id, diamond, token_id) WHERE status = 'open';
CREATE INDEX IF NOT EXISTS sale_token ON state.sale (chain_id, diamond, token_id);
CREATE INDEX IF NOT EXISTS sale_day ON state.sale (chain_id, ((block_time AT TIME ZONE 'UTC')::date));
