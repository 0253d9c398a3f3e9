-- What the views are made of: hex text and back, amounts by decimals, names of enum values, block numbers by time.

CREATE OR REPLACE FUNCTION analytics.hex(raw bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '0x' || encode(raw, 'hex') $$;
COMMENT ON FUNCTION analytics.hex(bytea) IS 'Bytes as people write them: 0x and lower-case hex digits; NULL for NULL.';

CREATE OR REPLACE FUNCTION analytics.hex(raw bytea[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN raw IS NOT NULL THEN ARRAY(
        SELECT '0x' || encode(part, 'hex') FROM unnest(raw) WITH ORDINALITY AS parts (part, place) ORDER BY place) END
$$;
COMMENT ON FUNCTION analytics.hex(bytea[]) IS 'A list of bytes as a list of 0x and lower-case hex digits.';

CREATE OR REPLACE FUNCTION analytics.bytes(hex text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT decode(regexp_replace(hex, '^0[xX]', ''), 'hex') $$;
COMMENT ON FUNCTION analytics.bytes(text) IS
    'The bytes of 0x and hex digits in any case: what to compare columns named …_bytes and those of event and state with.';

CREATE OR REPLACE FUNCTION analytics.scaled(raw numeric, decimals integer) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN decimals BETWEEN 0 AND 255 THEN trim_scale(raw * ('1e-' || decimals::text)::numeric) END $$;
COMMENT ON FUNCTION analytics.scaled(numeric, integer) IS
    'An amount in whole tokens, exactly; NULL where the decimals are not known, or are none that a token can have.';

CREATE OR REPLACE FUNCTION analytics.enum_label(enum_name text, enum_value numeric) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(
        (SELECT known.name FROM analytics.enum_name AS known WHERE known.enum = enum_name AND known.value = enum_value),
        enum_value::text)
$$;
COMMENT ON FUNCTION analytics.enum_label(text, numeric) IS
    'The name that analytics.enum_name has for a value, else the number itself.';

-- Blocks grow with time, so halving finds it: first in the largest event table, which narrows it down cheaply, then in all of
-- them. There is no faster way without a table of all blocks, which the indexer does not keep.
CREATE OR REPLACE FUNCTION analytics.block_at(chain bigint, moment timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    largest text := (
        SELECT format('event.%I', relname) FROM pg_class
        WHERE relnamespace = 'event'::regnamespace AND relkind IN ('r', 'p') ORDER BY reltuples DESC, relname LIMIT 1);
    low bigint;
    high bigint;
    probe bigint;
    found_number bigint;
    found_time timestamptz;
    before bigint;
    after bigint;
BEGIN
    EXECUTE format('SELECT min(block_number), max(block_number) + 1 FROM %s WHERE chain_id = $1', largest)
        INTO low, high USING chain;
    WHILE low < high LOOP
        probe := (low + high) / 2;
        EXECUTE format('SELECT block_number, block_time FROM %s WHERE chain_id = $1 AND block_number >= $2
            ORDER BY block_number LIMIT 1', largest) INTO found_number, found_time USING chain, probe;
        IF found_number IS NULL THEN
            high := probe;
        ELSIF found_time >= moment THEN
            high := probe;
            after := found_number;
        ELSE
            low := found_number + 1;
            before := found_number;
        END IF;
    END LOOP;
    SELECT coalesce(before + 1, (SELECT block_number FROM analytics.block_times WHERE chain_id = chain ORDER BY block_number LIMIT 1)),
        coalesce(after, (SELECT block_number + 1 FROM analytics.block_times WHERE chain_id = chain ORDER BY block_number DESC LIMIT 1))
    INTO low, high;
    WHILE low < high LOOP
        probe := (low + high) / 2;
        SELECT block_number, block_time INTO found_number, found_time FROM analytics.block_times
        WHERE chain_id = chain AND block_number >= probe ORDER BY block_number LIMIT 1;
        IF found_number IS NULL OR found_time >= moment THEN
            high := probe;
        ELSE
            low := found_number + 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
COMMENT ON FUNCTION analytics.block_at(bigint, timestamptz) IS
    'The first block number not before a moment, as far as the rows here tell: every event from that moment on has this block number or a higher one. NULL where the chain has no rows.';
