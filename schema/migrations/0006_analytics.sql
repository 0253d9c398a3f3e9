-- What people read: the ledger of views, names of enum values, and the schema of names that the platform's UIs use.
--
-- The views themselves stand in schema/views and are made after the event tables (indexer/store/views.py), since they read
-- them; some are written from sync.event_table. A migration that changes a column which a view reads begins with
-- SELECT sync.drop_views().

CREATE SCHEMA IF NOT EXISTS parity;
COMMENT ON SCHEMA parity IS 'Views with the names and columns that the platform''s existing user interfaces query: one class for each event, and projections.';


CREATE TABLE sync.view_file (
    name text PRIMARY KEY,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    "views" text[] NOT NULL,
    functions text[] NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE sync.view_file IS 'Files of schema/views as they were applied last, and the views that are written from sync.event_table.';
COMMENT ON COLUMN sync.view_file.name IS 'Name of the file without suffix.';
COMMENT ON COLUMN sync.view_file.digest IS 'SHA-256 of its text; another one is applied at the next start.';
COMMENT ON COLUMN sync.view_file."views" IS 'Views it makes, quoted and with their schema, in the order in which it makes them.';
COMMENT ON COLUMN sync.view_file.functions IS 'Functions it makes, by name with their schema.';
COMMENT ON COLUMN sync.view_file.applied_at IS 'When it was applied, by the clock of the database.';


-- Views that depend on each other go together. Those that other people made on top of ours are not touched: they make this
-- fail with an error that names them.
CREATE FUNCTION sync.drop_views() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    doomed text;
    gone text[];
    removed bigint := 0;
BEGIN
    SELECT array_agg(held) INTO gone FROM sync.view_file, unnest("views") AS held WHERE to_regclass(held) IS NOT NULL;
    IF gone IS NOT NULL THEN
        -- A function may stand on a view's row type, and a view on a function: both go in one statement each, functions
        -- that return rows of views first by being listed with them.
        FOR doomed IN
            SELECT format('DROP FUNCTION %s', proc.oid::regprocedure) FROM pg_proc AS proc
            JOIN pg_type AS result ON result.oid = proc.prorettype
            JOIN pg_class AS class ON class.oid = result.typrelid AND class.relkind = 'v'
            WHERE format('%I.%I', proc.pronamespace::regnamespace::text, proc.proname)
                IN (SELECT unnest(functions) FROM sync.view_file)
        LOOP
            EXECUTE doomed;
        END LOOP;
        EXECUTE 'DROP VIEW ' || array_to_string(gone, ', ');
        removed := cardinality(gone);
    END IF;
    FOR doomed IN
        SELECT format('DROP FUNCTION %s', string_agg(proc.oid::regprocedure::text, ', ')) FROM pg_proc AS proc
        WHERE format('%I.%I', proc.pronamespace::regnamespace::text, proc.proname)
            IN (SELECT unnest(functions) FROM sync.view_file)
        HAVING count(*) > 0
    LOOP
        EXECUTE doomed;
    END LOOP;
    DELETE FROM sync.view_file;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION sync.drop_views() IS
    'Drops the views and functions of schema/views, so that columns they read can be changed; the next start or indexer db migrate makes them again. Returns how many views there were.';


CREATE TABLE analytics.enum_name (
    enum text NOT NULL,
    value integer NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (enum, value)
);
COMMENT ON TABLE analytics.enum_name IS 'Names of enum values, filled with those of the contracts'' source. Deployments number them differently: UPDATE it to yours, the views follow at once.';
COMMENT ON COLUMN analytics.enum_name.enum IS 'Name of the enum in the contracts.';
COMMENT ON COLUMN analytics.enum_name.value IS 'The number in events and state.';
COMMENT ON COLUMN analytics.enum_name.name IS 'What the views show for it.';

INSERT INTO analytics.enum_name (enum, value, name)
SELECT listed.enum, names.place - 1, names.name
FROM (VALUES
    ('OperationMode', '{CENTRALIZED,SELF_SERVICE,HYBRID,CUSTOM}'::text[]),
    ('CarbonCreditStatus', '{ACTIVE,RETIRED}'),
    ('AttributeType', '{Unknown,String,Bytes32,Uint256,Uint8,Uint256Array,Uint8Array}'),
    ('Role', '{NONE,ADMIN,LENDER,BORROWER,UNDERWRITER,LIQUIDATOR}'),
    ('TokenType', '{ERC20,ERC721,ERC1155}'),
    ('PaymentMethod', '{Native,ERC20}'),
    ('PriceModifier', '{None,Fixed,Exponential,InverseLog}'),
    ('FacetCutAction', '{Add,Replace,Remove}')
) AS listed (enum, names), unnest(listed.names) WITH ORDINALITY AS names (name, place);
