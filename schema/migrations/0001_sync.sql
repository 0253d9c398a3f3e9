-- The books of the indexer: what was read from which chain, what was undone, and the raw logs nothing decodes.
--
-- Block ranges are kept as int8multirange, closed-open as PostgreSQL normalises them. Hashes are 32 bytes, addresses 20.
-- Event tables are made from ABIs (indexer/store/ddl.py) and listed in sync.event_table; state tables come in 0002.

CREATE SCHEMA IF NOT EXISTS event;
CREATE SCHEMA IF NOT EXISTS state;
CREATE SCHEMA IF NOT EXISTS analytics;
CREATE SCHEMA IF NOT EXISTS sync;
CREATE SCHEMA IF NOT EXISTS partner;

COMMENT ON SCHEMA event IS 'What contracts said: one row per log of the canonical chain.';
COMMENT ON SCHEMA state IS 'What holds now, folded from schema event.';
COMMENT ON SCHEMA analytics IS 'Views for people: hex text, scaled amounts, names of enum values.';
COMMENT ON SCHEMA sync IS 'The books of the indexer: cursors, coverage, reorgs, leases, migrations.';
COMMENT ON SCHEMA partner IS 'Keys, webhook endpoints and deliveries of partners.';


CREATE TABLE sync.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE sync.migration IS 'Migrations that were applied, one row each; never changed afterwards.';
COMMENT ON COLUMN sync.migration.version IS 'The number the file name begins with.';
COMMENT ON COLUMN sync.migration.name IS 'The file name without number and suffix.';
COMMENT ON COLUMN sync.migration.checksum IS 'SHA-256 of the file as it was applied.';
COMMENT ON COLUMN sync.migration.applied_at IS 'When it was applied, by the clock of the database.';


CREATE TABLE sync.chain (
    chain_id bigint PRIMARY KEY CHECK (chain_id > 0),
    name text NOT NULL,
    tip_number bigint CHECK (tip_number >= 0),
    tip_hash bytea CHECK (octet_length(tip_hash) = 32),
    finalized_number bigint CHECK (finalized_number >= 0),
    head_number bigint CHECK (head_number >= 0),
    halted text,
    last_commit uuid,
    committed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((tip_number IS NULL) = (tip_hash IS NULL))
);
COMMENT ON TABLE sync.chain IS 'One row per chain: the cursor and what is known of the chain ahead of it.';
COMMENT ON COLUMN sync.chain.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN sync.chain.name IS 'Name of the chain''s section in the configuration.';
COMMENT ON COLUMN sync.chain.tip_number IS 'Number of our newest block, with or without logs; NULL before the first commit.';
COMMENT ON COLUMN sync.chain.tip_hash IS 'Hash of our newest block.';
COMMENT ON COLUMN sync.chain.finalized_number IS 'Newest block held to be final; never decreases but by a rewind.';
COMMENT ON COLUMN sync.chain.head_number IS 'Newest block the providers told of; may be ahead of the tip.';
COMMENT ON COLUMN sync.chain.halted IS 'Why this chain was halted; NULL while it runs.';
COMMENT ON COLUMN sync.chain.last_commit IS 'Identity of the last commit: settles whether a COMMIT without an answer took place.';
COMMENT ON COLUMN sync.chain.committed_at IS 'When the last commit was made, by the clock of the database.';
COMMENT ON COLUMN sync.chain.updated_at IS 'When this row last changed, by the clock of the database.';


CREATE TABLE sync.block (
    chain_id bigint NOT NULL REFERENCES sync.chain,
    number bigint NOT NULL CHECK (number >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    parent_hash bytea NOT NULL CHECK (octet_length(parent_hash) = 32),
    block_time timestamptz NOT NULL,
    PRIMARY KEY (chain_id, number)
);
COMMENT ON TABLE sync.block IS 'The hash-linked end of our chain: every block that may still be reverted and the finalized one below them.';
COMMENT ON COLUMN sync.block.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.block.number IS 'Block number.';
COMMENT ON COLUMN sync.block.hash IS 'Block hash.';
COMMENT ON COLUMN sync.block.parent_hash IS 'Hash of the block before it; zeros where a rewind had only event rows to go by.';
COMMENT ON COLUMN sync.block.block_time IS 'Timestamp in the block''s header.';


CREATE TABLE sync.source (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id bigint NOT NULL REFERENCES sync.chain,
    key text NOT NULL,
    contract text NOT NULL,
    start_block bigint NOT NULL CHECK (start_block >= 0),
    addresses bytea[],
    topics bytea[],
    discovered boolean NOT NULL DEFAULT false,
    coverage int8multirange NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (chain_id, key)
);
COMMENT ON TABLE sync.source IS 'What is asked of a chain, and which blocks of it are in the tables.';
COMMENT ON COLUMN sync.source.id IS 'Identity.';
COMMENT ON COLUMN sync.source.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.source.key IS 'Changes whenever other logs are asked for, so that they are back-filled.';
COMMENT ON COLUMN sync.source.contract IS 'Name of the contract''s section in the configuration.';
COMMENT ON COLUMN sync.source.start_block IS 'First block asked for.';
COMMENT ON COLUMN sync.source.addresses IS 'Addresses asked for; NULL means any.';
COMMENT ON COLUMN sync.source.topics IS 'First topics asked for; NULL means any.';
COMMENT ON COLUMN sync.source.discovered IS 'Whether the addresses were announced by events.';
COMMENT ON COLUMN sync.source.coverage IS 'Blocks whose logs of this source are in the tables.';
COMMENT ON COLUMN sync.source.created_at IS 'When the source was first configured, by the clock of the database.';


CREATE TABLE sync.discovered_address (
    chain_id bigint NOT NULL REFERENCES sync.chain,
    contract text NOT NULL,
    address bytea NOT NULL CHECK (octet_length(address) = 20),
    from_block bigint NOT NULL CHECK (from_block >= 0),
    announced_block bigint NOT NULL CHECK (announced_block >= 0),
    announced_log_index integer NOT NULL,
    PRIMARY KEY (chain_id, contract, address)
);
CREATE INDEX discovered_address_announced ON sync.discovered_address (chain_id, announced_block);
COMMENT ON TABLE sync.discovered_address IS 'Addresses that events announced as members of a contract''s section.';
COMMENT ON COLUMN sync.discovered_address.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.discovered_address.contract IS 'Name of the section the address belongs to.';
COMMENT ON COLUMN sync.discovered_address.address IS 'The announced address.';
COMMENT ON COLUMN sync.discovered_address.from_block IS 'First block whose logs of the address are asked for.';
COMMENT ON COLUMN sync.discovered_address.announced_block IS 'Block of the first log that announced it.';
COMMENT ON COLUMN sync.discovered_address.announced_log_index IS 'Log index of that log.';


CREATE TABLE sync.reorg (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id bigint NOT NULL REFERENCES sync.chain,
    kind text NOT NULL DEFAULT 'reorg' CHECK (kind IN ('reorg', 'rewind')),
    detected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    common_ancestor bigint NOT NULL,
    depth bigint NOT NULL CHECK (depth >= 0),
    old_tip bytea NOT NULL,
    new_tip bytea NOT NULL,
    old_tip_number bigint NOT NULL,
    new_tip_number bigint NOT NULL,
    rows_removed bigint NOT NULL DEFAULT 0
);
CREATE INDEX reorg_chain ON sync.reorg (chain_id, detected_at);
COMMENT ON TABLE sync.reorg IS 'Every time blocks of ours left the canonical chain, or an operator rewound it: one row each.';
COMMENT ON COLUMN sync.reorg.id IS 'Identity; grows with time.';
COMMENT ON COLUMN sync.reorg.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.reorg.kind IS 'reorg: the chain did it; rewind: an operator did.';
COMMENT ON COLUMN sync.reorg.detected_at IS 'When it was undone, by the clock of the database.';
COMMENT ON COLUMN sync.reorg.common_ancestor IS 'Number of the newest block that both branches have.';
COMMENT ON COLUMN sync.reorg.depth IS 'How many blocks of ours were removed.';
COMMENT ON COLUMN sync.reorg.old_tip IS 'Hash of our tip before.';
COMMENT ON COLUMN sync.reorg.new_tip IS 'Hash of the head that replaced it; of the ancestor in a rewind.';
COMMENT ON COLUMN sync.reorg.old_tip_number IS 'Number of our tip before.';
COMMENT ON COLUMN sync.reorg.new_tip_number IS 'Number of the head that replaced it.';
COMMENT ON COLUMN sync.reorg.rows_removed IS 'How many event and undecoded rows were moved to sync.orphan.';


CREATE TABLE sync.orphan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id bigint NOT NULL REFERENCES sync.chain,
    reorg_id bigint NOT NULL REFERENCES sync.reorg,
    detected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_name text NOT NULL,
    block_number bigint NOT NULL,
    block_hash bytea NOT NULL,
    log_index integer NOT NULL,
    "row" jsonb NOT NULL
);
CREATE INDEX orphan_reorg ON sync.orphan (reorg_id);
CREATE INDEX orphan_block ON sync.orphan (chain_id, block_number);
COMMENT ON TABLE sync.orphan IS 'Rows that were canonical once: moved here by the commit that removed them.';
COMMENT ON COLUMN sync.orphan.id IS 'Identity.';
COMMENT ON COLUMN sync.orphan.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.orphan.reorg_id IS 'The reorg that removed the row.';
COMMENT ON COLUMN sync.orphan.detected_at IS 'When it was removed, by the clock of the database.';
COMMENT ON COLUMN sync.orphan.table_name IS 'The table of schema event it stood in.';
COMMENT ON COLUMN sync.orphan.block_number IS 'Number of its block.';
COMMENT ON COLUMN sync.orphan.block_hash IS 'Hash of its block.';
COMMENT ON COLUMN sync.orphan.log_index IS 'Its log index in that block.';
COMMENT ON COLUMN sync.orphan."row" IS 'The whole row by column name; bytea as \x text.';


CREATE TABLE sync.projection (
    chain_id bigint NOT NULL REFERENCES sync.chain,
    name text NOT NULL,
    version text NOT NULL,
    through_block bigint NOT NULL DEFAULT -1,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain_id, name)
);
COMMENT ON TABLE sync.projection IS 'Through which block each projection of schema state holds.';
COMMENT ON COLUMN sync.projection.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.projection.name IS 'Name of the projection.';
COMMENT ON COLUMN sync.projection.version IS 'Version of its SQL that made the rows.';
COMMENT ON COLUMN sync.projection.through_block IS 'Events up to and including this block are in its tables; -1 means none.';
COMMENT ON COLUMN sync.projection.updated_at IS 'When this row last changed, by the clock of the database.';


CREATE TABLE sync.lease (
    chain_id bigint PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    seconds double precision NOT NULL CHECK (seconds > 0),
    acquired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sync.lease IS 'Who may write a chain: one holder at a time, fenced by an epoch that every commit is checked against.';
COMMENT ON COLUMN sync.lease.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.lease.holder IS 'Name of the daemon that holds it, or held it last; empty once given back.';
COMMENT ON COLUMN sync.lease.epoch IS 'Grows by one each time the lease is taken.';
COMMENT ON COLUMN sync.lease.seconds IS 'How long it lasts without being renewed.';
COMMENT ON COLUMN sync.lease.acquired_at IS 'When this epoch began, by the clock of the database.';
COMMENT ON COLUMN sync.lease.expires_at IS 'From then on another daemon may take it, by the clock of the database.';


CREATE TABLE sync.event_table (
    abi text NOT NULL,
    signature text NOT NULL,
    topic0 bytea CHECK (octet_length(topic0) = 32),
    table_name text NOT NULL UNIQUE,
    columns jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (abi, signature)
);
COMMENT ON TABLE sync.event_table IS 'Which table of schema event holds which event; a name once given stays.';
COMMENT ON COLUMN sync.event_table.abi IS 'Stem of the ABI file that declares the event.';
COMMENT ON COLUMN sync.event_table.signature IS 'Canonical signature, such as Transfer(address,address,uint256).';
COMMENT ON COLUMN sync.event_table.topic0 IS 'Keccak-256 of the signature; NULL for an anonymous event.';
COMMENT ON COLUMN sync.event_table.table_name IS 'Name of the table in schema event.';
COMMENT ON COLUMN sync.event_table.columns IS 'Columns after the leading ones, in order: name and type.';
COMMENT ON COLUMN sync.event_table.created_at IS 'When the table was made, by the clock of the database.';


CREATE TABLE sync.abi_selector (
    abi text NOT NULL,
    selector bytea NOT NULL CHECK (octet_length(selector) = 4),
    PRIMARY KEY (abi, selector)
);
CREATE INDEX abi_selector_selector ON sync.abi_selector (selector);
COMMENT ON TABLE sync.abi_selector IS 'Function selectors of the known ABIs: a diamond''s facets are named by them.';
COMMENT ON COLUMN sync.abi_selector.abi IS 'Stem of the ABI file.';
COMMENT ON COLUMN sync.abi_selector.selector IS 'First four bytes of the keccak-256 of a function''s signature.';


CREATE TABLE sync.diamond_seed (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL CHECK (octet_length(diamond) = 20),
    block_number bigint NOT NULL CHECK (block_number >= 0),
    facet bytea NOT NULL CHECK (octet_length(facet) = 20),
    selector bytea NOT NULL CHECK (octet_length(selector) = 4),
    PRIMARY KEY (chain_id, diamond, selector)
);
COMMENT ON TABLE sync.diamond_seed IS 'What a diamond''s loupe told at its start block, where that is later than its deployment.';
COMMENT ON COLUMN sync.diamond_seed.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.diamond_seed.diamond IS 'Address of the diamond.';
COMMENT ON COLUMN sync.diamond_seed.block_number IS 'Block the loupe was read at; logs from this block on come after the seed.';
COMMENT ON COLUMN sync.diamond_seed.facet IS 'Facet that served the selector.';
COMMENT ON COLUMN sync.diamond_seed.selector IS 'Function selector.';


-- Some chains have two logs with one log index in a block, so the key goes on to the transaction and the address.
CREATE TABLE event.undecoded (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    block_hash bytea NOT NULL,
    block_time timestamptz NOT NULL,
    tx_hash bytea NOT NULL,
    tx_index integer NOT NULL,
    log_index integer NOT NULL,
    address bytea NOT NULL,
    topics bytea[] NOT NULL,
    data bytea NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index, tx_hash, address)
);
COMMENT ON TABLE event.undecoded IS 'Logs that no known ABI decodes, as they came; indexer redecode moves them home once one does.';
COMMENT ON COLUMN event.undecoded.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN event.undecoded.block_number IS 'Number of the block the log is in.';
COMMENT ON COLUMN event.undecoded.block_hash IS 'Hash of that block.';
COMMENT ON COLUMN event.undecoded.block_time IS 'Timestamp of that block.';
COMMENT ON COLUMN event.undecoded.tx_hash IS 'Hash of the transaction that emitted the log.';
COMMENT ON COLUMN event.undecoded.tx_index IS 'Place of the transaction in the block.';
COMMENT ON COLUMN event.undecoded.log_index IS 'Place of the log in the block.';
COMMENT ON COLUMN event.undecoded.address IS 'Contract that emitted the log.';
COMMENT ON COLUMN event.undecoded.topics IS 'The topics, 32 bytes each, none to four.';
COMMENT ON COLUMN event.undecoded.data IS 'The data.';
COMMENT ON COLUMN event.undecoded.reason IS 'Why it was not decoded.';


CREATE FUNCTION event.text_bytes(value text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE WHEN value COLLATE "C" !~ '[\uF700-\uF7FF]' THEN convert_to(value, 'UTF8') ELSE (
        SELECT string_agg(
            CASE WHEN ascii(glyph) BETWEEN 63232 AND 63487
                THEN set_byte('\x00'::bytea, 0, ascii(glyph) - 63232)
                ELSE convert_to(glyph, 'UTF8') END,
            ''::bytea ORDER BY place)
        FROM unnest(string_to_array(value, NULL)) WITH ORDINALITY AS glyphs (glyph, place)
    ) END
$$;
COMMENT ON FUNCTION event.text_bytes(text) IS
    'The bytes a contract emitted for a string: the characters U+F700 to U+F7FF stand for the bytes 00 to FF, all others for their UTF-8.';


CREATE FUNCTION sync.event_tables() RETURNS TABLE (table_name text, topic0 bytea, raw boolean)
LANGUAGE sql STABLE
AS $$
    SELECT table_name, topic0, false FROM sync.event_table
    UNION ALL
    SELECT 'undecoded', NULL, true
$$;
COMMENT ON FUNCTION sync.event_tables() IS
    'Every table of schema event that holds logs; raw marks event.undecoded.';


CREATE FUNCTION sync.orphan_above(chain bigint, ancestor bigint, reorg bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    target record;
    moved bigint;
    total bigint := 0;
BEGIN
    FOR target IN SELECT tables.table_name FROM sync.event_tables() AS tables ORDER BY 1 LOOP
        EXECUTE format(
            'WITH gone AS (DELETE FROM event.%I WHERE chain_id = $1 AND block_number > $2 RETURNING *)
             INSERT INTO sync.orphan (chain_id, reorg_id, table_name, block_number, block_hash, log_index, "row")
             SELECT $1, $3, %L, block_number, block_hash, log_index, to_jsonb(gone) FROM gone',
            target.table_name, target.table_name
        ) USING chain, ancestor, reorg;
        GET DIAGNOSTICS moved = ROW_COUNT;
        total := total + moved;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION sync.orphan_above(bigint, bigint, bigint) IS
    'Moves the event and undecoded rows of a chain above a block to sync.orphan; returns how many.';


CREATE FUNCTION sync.delete_logs(
    chain bigint, first_block bigint, last_block bigint, only_addresses bytea[], only_topics bytea[]
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    target record;
    removed bigint;
    total bigint := 0;
BEGIN
    FOR target IN
        SELECT tables.table_name, tables.raw FROM sync.event_tables() AS tables
        WHERE only_topics IS NULL OR tables.raw OR tables.topic0 = ANY (only_topics) ORDER BY 1
    LOOP
        EXECUTE format('DELETE FROM event.%I WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3', target.table_name)
            || CASE WHEN only_addresses IS NULL THEN '' ELSE ' AND address = ANY ($4)' END
            || CASE WHEN target.raw AND only_topics IS NOT NULL THEN ' AND topics[1] = ANY ($5)' ELSE '' END
            USING chain, first_block, last_block, only_addresses, only_topics;
        GET DIAGNOSTICS removed = ROW_COUNT;
        total := total + removed;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION sync.delete_logs(bigint, bigint, bigint, bytea[], bytea[]) IS
    'Deletes the event and undecoded rows of a chain in a block range, of these addresses and first topics (NULL: any); returns how many.';


CREATE FUNCTION sync.delete_anonymous(chain bigint, blocks bigint[], log_indexes integer[]) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    target record;
    removed bigint;
    total bigint := 0;
BEGIN
    FOR target IN SELECT table_name FROM sync.event_table WHERE topic0 IS NULL ORDER BY 1 LOOP
        EXECUTE format(
            'DELETE FROM event.%I AS old USING unnest($2, $3) AS fresh (block_number, log_index)
             WHERE old.chain_id = $1 AND old.block_number = fresh.block_number AND old.log_index = fresh.log_index',
            target.table_name
        ) USING chain, blocks, log_indexes;
        GET DIAGNOSTICS removed = ROW_COUNT;
        total := total + removed;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION sync.delete_anonymous(bigint, bigint[], integer[]) IS
    'Deletes rows of anonymous events at these places; a topic filter cannot find them, since their first topic is an argument.';


CREATE FUNCTION sync.newest_row(chain bigint, through_block bigint)
RETURNS TABLE (block_number bigint, block_hash bytea, block_time timestamptz)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    target record;
    candidate record;
BEGIN
    block_number := NULL;
    FOR target IN SELECT tables.table_name FROM sync.event_tables() AS tables LOOP
        EXECUTE format(
            'SELECT held.block_number AS number, held.block_hash AS hash, held.block_time AS seen FROM event.%I AS held
             WHERE held.chain_id = $1 AND held.block_number <= $2
             ORDER BY held.block_number DESC, held.log_index DESC LIMIT 1',
            target.table_name
        ) INTO candidate USING chain, through_block;
        IF candidate.number IS NOT NULL AND (block_number IS NULL OR candidate.number > block_number) THEN
            block_number := candidate.number;
            block_hash := candidate.hash;
            block_time := candidate.seen;
        END IF;
    END LOOP;
    IF block_number IS NOT NULL THEN
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION sync.newest_row(bigint, bigint) IS
    'Number, hash and time of the newest block at or below a height that has a row in schema event; no row where there is none.';


CREATE FUNCTION sync.taken_places(chain bigint, blocks bigint[], log_indexes integer[])
RETURNS TABLE (block_number bigint, log_index integer)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    target record;
BEGIN
    FOR target IN SELECT held.table_name FROM sync.event_table AS held LOOP
        RETURN QUERY EXECUTE format(
            'SELECT held.block_number, held.log_index FROM event.%I AS held
             JOIN unnest($2, $3) AS asked (block_number, log_index) USING (block_number, log_index)
             WHERE held.chain_id = $1',
            target.table_name
        ) USING chain, blocks, log_indexes;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sync.taken_places(bigint, bigint[], integer[]) IS
    'Which of these places (block, log index) have a decoded row in schema event.';
