-- What events do not say: the answers of view functions at a final block, what comparing them with folded state found, and
-- the place for projections of the operator's own (schema custom).
--
-- Tables of schema state that begin with silent_ are written by the reconciler only. No projection writes them and no journal
-- undoes them: they hold what was read at final blocks.

CREATE SCHEMA IF NOT EXISTS custom;
COMMENT ON SCHEMA custom IS 'Tables of the operator''s own projections, made by their files.';


-- Journal functions of tables outside schema state carry their schema's name, so that a table of the operator's and one of
-- ours may have one name.
CREATE OR REPLACE FUNCTION sync.attach_journal(target regclass) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    key_columns name[] := sync.primary_key(target);
    relation_schema name;
    relation_name name;
    function_name text;
    key_object text;
    key_list text;
BEGIN
    SELECT namespace.nspname, class.relname INTO relation_schema, relation_name
    FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace WHERE class.oid = target;
    IF key_columns IS NULL OR key_columns[1] <> 'chain_id' THEN
        RAISE EXCEPTION 'table %.% cannot be journaled: its primary key has to begin with chain_id', relation_schema, relation_name;
    END IF;
    function_name := 'journal_' || CASE WHEN relation_schema = 'state' THEN '' ELSE relation_schema || '_' END || relation_name;
    SELECT string_agg(format('%L, changed.%I', part, part), ', '), string_agg(quote_ident(part), ', ')
    INTO key_object, key_list FROM unnest(key_columns) AS part;
    EXECUTE format(
        $function$
        CREATE OR REPLACE FUNCTION sync.%1$I() RETURNS trigger
        LANGUAGE plpgsql SET bytea_output TO 'hex'
        AS $body$
        DECLARE
            blocks text := current_setting('indexer.journal', true);
        BEGIN
            IF blocks IS NULL OR blocks = '' THEN
                RETURN NULL;
            END IF;
            INSERT INTO sync.journal (chain_id, relation, first_block, last_block, key, earlier)
            SELECT changed.chain_id, %2$L, split_part(blocks, ',', 1)::bigint, split_part(blocks, ',', 2)::bigint,
                jsonb_build_object(%3$s), CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(changed) END
            FROM changed;
            RETURN NULL;
        END
        $body$
        $function$,
        function_name, format('%I.%I', relation_schema, relation_name), key_object);
    EXECUTE format('COMMENT ON FUNCTION sync.%I() IS %L', function_name,
        format('Trigger that writes the rows of %I.%I to sync.journal as they were before a change.', relation_schema, relation_name));
    EXECUTE format('CREATE TRIGGER journal_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION sync.%I()', target, function_name);
    EXECUTE format('CREATE TRIGGER journal_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION sync.%I()', target, function_name);
    EXECUTE format('CREATE TRIGGER journal_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION sync.%I()', target, function_name);
    EXECUTE format('CREATE TRIGGER journal_truncate BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change(%L)', target, 'TRUNCATE');
    EXECUTE format('CREATE TRIGGER journal_key BEFORE UPDATE OF %s ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change(%L)', key_list, target, 'UPDATE of the primary key');
END
$$;
COMMENT ON FUNCTION sync.attach_journal(regclass) IS
    'Makes changes of a state table undoable; call it once for every table that a projection writes.';


CREATE TABLE sync.custom_statement (
    projection text NOT NULL,
    "position" integer NOT NULL CHECK ("position" >= 0),
    statement text NOT NULL,
    executed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, "position")
);
COMMENT ON TABLE sync.custom_statement IS 'Statements of the operator''s projection files that made or widened their tables: each was executed once.';
COMMENT ON COLUMN sync.custom_statement.projection IS 'Name of the projection.';
COMMENT ON COLUMN sync.custom_statement."position" IS 'Place of the statement among those of the file that define tables, from 0.';
COMMENT ON COLUMN sync.custom_statement.statement IS 'The statement as it was executed, white space evened out.';
COMMENT ON COLUMN sync.custom_statement.executed_at IS 'When it was executed, by the clock of the database.';


CREATE TABLE sync.reconciliation (
    chain_id bigint NOT NULL REFERENCES sync.chain,
    check_name text NOT NULL,
    block_number bigint NOT NULL,
    compared bigint NOT NULL,
    drift bigint NOT NULL,
    unanswered bigint NOT NULL,
    examples jsonb NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (chain_id, check_name)
);
COMMENT ON TABLE sync.reconciliation IS 'What the last comparison of folded state with view functions found, one row for each check.';
COMMENT ON COLUMN sync.reconciliation.chain_id IS 'The chain.';
COMMENT ON COLUMN sync.reconciliation.check_name IS 'Name of the check; the label of indexer_reconciliation_drift.';
COMMENT ON COLUMN sync.reconciliation.block_number IS 'Final block both were compared at.';
COMMENT ON COLUMN sync.reconciliation.compared IS 'How many rows were compared.';
COMMENT ON COLUMN sync.reconciliation.drift IS 'How many of them differ; the rows stay as the events made them.';
COMMENT ON COLUMN sync.reconciliation.unanswered IS 'How many more were asked about and got no answer: the function reverts or is not there.';
COMMENT ON COLUMN sync.reconciliation.examples IS 'Up to ten differences: key, what the events say, what the contract says.';
COMMENT ON COLUMN sync.reconciliation.checked_at IS 'When, by the clock of the database.';


CREATE TABLE state.silent_token (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    name text,
    symbol text,
    decimals integer,
    contract_uri text,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract)
);
COMMENT ON TABLE state.silent_token IS 'What token contracts answer about themselves; state.token shows it beside their kind.';
COMMENT ON COLUMN state.silent_token.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_token.contract IS 'The token contract.';
COMMENT ON COLUMN state.silent_token.name IS 'Answer of name(); NULL when there is none that is a text.';
COMMENT ON COLUMN state.silent_token.symbol IS 'Answer of symbol(), likewise.';
COMMENT ON COLUMN state.silent_token.decimals IS 'Answer of decimals(), likewise; 0 to 255.';
COMMENT ON COLUMN state.silent_token.contract_uri IS 'Answer of contractURI() (ERC-7572), likewise.';
COMMENT ON COLUMN state.silent_token.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_token.updated_block IS 'Final block at which a read first found it as it is.';


CREATE FUNCTION sync.fill_token() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    SELECT silent.name, silent.symbol, silent.decimals, silent.read_block
    INTO NEW.name, NEW.symbol, NEW.decimals, NEW.read_block
    FROM state.silent_token AS silent
    WHERE silent.chain_id = NEW.chain_id AND silent.contract = NEW.contract;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION sync.fill_token() IS
    'Trigger that gives a row of state.token what was read of the contract, whoever writes the row: a fold, a reorg or a rebuild.';
CREATE TRIGGER fill_token BEFORE INSERT OR UPDATE ON state.token FOR EACH ROW EXECUTE FUNCTION sync.fill_token();


CREATE TABLE state.silent_token_uri (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    uri text,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id)
);
COMMENT ON TABLE state.silent_token_uri IS 'Token URIs as tokenURI(uint256) and uri(uint256) answer.';
COMMENT ON COLUMN state.silent_token_uri.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_token_uri.contract IS 'The token contract.';
COMMENT ON COLUMN state.silent_token_uri.token_id IS 'The token.';
COMMENT ON COLUMN state.silent_token_uri.uri IS 'The answer; NULL when there is none that is a text of at most 64 KiB, or it is hidden by [privacy].';
COMMENT ON COLUMN state.silent_token_uri.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_token_uri.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_token_attribute (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    key text NOT NULL,
    attribute_type smallint NOT NULL,
    value text,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id, key)
);
COMMENT ON TABLE state.silent_token_attribute IS 'Attributes as getAllTokenMetadata(uint256) answers: those set without an event are here only.';
COMMENT ON COLUMN state.silent_token_attribute.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_token_attribute.contract IS 'The token contract.';
COMMENT ON COLUMN state.silent_token_attribute.token_id IS 'The token.';
COMMENT ON COLUMN state.silent_token_attribute.key IS 'Key of the attribute.';
COMMENT ON COLUMN state.silent_token_attribute.attribute_type IS 'Number of its type.';
COMMENT ON COLUMN state.silent_token_attribute.value IS 'Its value; NULL when hidden by [privacy].';
COMMENT ON COLUMN state.silent_token_attribute.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_token_attribute.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_trade_deal (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    funding_target numeric,
    current_balance numeric,
    is_funded boolean,
    is_funding_withdrawn boolean,
    total_debt numeric,
    repaid_amount numeric,
    is_repaid boolean,
    token_addresses bytea[],
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, deal_id)
);
COMMENT ON TABLE state.silent_trade_deal IS 'Trade deals as getTradeDealFullStatus(uint256) and getTradeDealTokenAddresses(uint256) answer.';
COMMENT ON COLUMN state.silent_trade_deal.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_trade_deal.diamond IS 'The diamond.';
COMMENT ON COLUMN state.silent_trade_deal.deal_id IS 'The deal.';
COMMENT ON COLUMN state.silent_trade_deal.funding_target IS 'Funding target in the smallest unit of USDC.';
COMMENT ON COLUMN state.silent_trade_deal.current_balance IS 'USDC in the deal, in its smallest unit.';
COMMENT ON COLUMN state.silent_trade_deal.is_funded IS 'Whether it counts as funded.';
COMMENT ON COLUMN state.silent_trade_deal.is_funding_withdrawn IS 'Whether its funding was withdrawn.';
COMMENT ON COLUMN state.silent_trade_deal.total_debt IS 'Debt in the smallest unit of USDC.';
COMMENT ON COLUMN state.silent_trade_deal.repaid_amount IS 'What of the debt was repaid, likewise.';
COMMENT ON COLUMN state.silent_trade_deal.is_repaid IS 'Whether it counts as repaid.';
COMMENT ON COLUMN state.silent_trade_deal.token_addresses IS 'Addresses of its tokens in the order of the answer; NULL when there is none.';
COMMENT ON COLUMN state.silent_trade_deal.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_trade_deal.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_claim_topics (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    claim_topics numeric[] NOT NULL,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond)
);
COMMENT ON TABLE state.silent_claim_topics IS 'Claim topics as getClaimTopics() answers: taking one out emits no event.';
COMMENT ON COLUMN state.silent_claim_topics.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_claim_topics.diamond IS 'The diamond.';
COMMENT ON COLUMN state.silent_claim_topics.claim_topics IS 'The topics, ascending.';
COMMENT ON COLUMN state.silent_claim_topics.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_claim_topics.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_issuer_topics (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    issuer bytea NOT NULL,
    claim_topics numeric[] NOT NULL,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, issuer)
);
COMMENT ON TABLE state.silent_issuer_topics IS 'Claim topics of trusted issuers as getTrustedIssuerClaimTopics(address) answers: giving an issuer one more emits no event.';
COMMENT ON COLUMN state.silent_issuer_topics.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_issuer_topics.diamond IS 'The diamond.';
COMMENT ON COLUMN state.silent_issuer_topics.issuer IS 'The issuer.';
COMMENT ON COLUMN state.silent_issuer_topics.claim_topics IS 'The topics, ascending.';
COMMENT ON COLUMN state.silent_issuer_topics.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_issuer_topics.updated_block IS 'Final block at which a read first found it as it is.';
