-- Event tables that are partitioned by block range ([database] partition_blocks). Partitions are in a schema of their own:
-- nobody queries it, and schema event keeps one table for each event.

CREATE SCHEMA IF NOT EXISTS event_partition;
COMMENT ON SCHEMA event_partition IS 'Partitions of event tables; query the tables of schema event.';

CREATE FUNCTION sync.partition_name(table_name text, start bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    -- 63 bytes hold 40 of the name, or 31 and 8 digits of its hash, and 19 digits.
    SELECT CASE WHEN octet_length(table_name) <= 40 THEN table_name
                ELSE left(table_name, 31) || '_' || left(md5(table_name), 8) END || '_' || start
$$;
COMMENT ON FUNCTION sync.partition_name(text, bigint) IS 'Name in schema event_partition of the partition that begins at a block.';


CREATE FUNCTION sync.partitions(parent text) RETURNS TABLE (partition_name text, first_block bigint, end_block bigint)
LANGUAGE sql STABLE
AS $$
    SELECT class.relname::text, CASE bounds[1] WHEN 'MINVALUE' THEN 0 ELSE bounds[1]::bigint END, bounds[2]::bigint
    FROM pg_inherits
    JOIN pg_class AS class ON class.oid = pg_inherits.inhrelid,
    LATERAL regexp_match(
        pg_get_expr(class.relpartbound, class.oid), 'FROM \(''?(\w+)''?\) TO \(''?(\d+)''?\)') AS bounds
    WHERE pg_inherits.inhparent = to_regclass(format('event.%I', parent))
    ORDER BY 2
$$;
COMMENT ON FUNCTION sync.partitions(text) IS
    'Partitions of an event table: name in schema event_partition, first block, and the block after the last.';


-- The daemon makes partitions ahead of its rows, yet has no right to make tables: this runs as the owner. A table is made and
-- then attached, which keeps nobody from reading or writing the others; CREATE TABLE ... PARTITION OF would.
CREATE FUNCTION sync.add_partition(parent text, block bigint, width bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS $$
DECLARE
    past bigint;
    first bigint;
    made boolean := false;
    part text;
    gap record;
BEGIN
    IF width < 1 OR block < 0 THEN
        RAISE EXCEPTION 'no partition of % blocks at block %', width, block;
    END IF;
    first := block / width * width;
    past := first + width;
    PERFORM pg_advisory_xact_lock(1947022, hashtext(parent));
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(format('event.%I', parent)) AND relkind = 'p') THEN
        RETURN false;
    END IF;
    -- Neighbours that were made with another width are left as they are: what lies between them is filled.
    FOR gap IN
        SELECT coalesce(lag(held.end_block) OVER (ORDER BY held.first_block), first) AS first_block, held.first_block AS end_block
        FROM (
            SELECT greatest(one.first_block, first) AS first_block, least(one.end_block, past) AS end_block
            FROM sync.partitions(parent) AS one WHERE one.first_block < past AND one.end_block > first
            UNION ALL SELECT past, past
        ) AS held
    LOOP
        CONTINUE WHEN gap.first_block >= gap.end_block;
        part := format('event_partition.%I', sync.partition_name(parent, gap.first_block));
        EXECUTE format('CREATE TABLE %s (LIKE event.%I INCLUDING ALL)', part, parent);
        EXECUTE format('ALTER TABLE event.%I ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)',
            parent, part, gap.first_block, gap.end_block);
        made := true;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION sync.add_partition(text, bigint, bigint) IS
    'Makes what is missing of the partition of so many blocks that a block belongs to; false where nothing is, or the table is not partitioned.';
REVOKE ALL ON FUNCTION sync.add_partition(text, bigint, bigint) FROM PUBLIC;


CREATE FUNCTION sync.bound_table(table_name text, width bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    newest bigint;
    past bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(format('event.%I', table_name)) AND relkind = 'r') THEN
        RETURN NULL;
    END IF;
    EXECUTE format('ALTER TABLE event.%I DROP CONSTRAINT IF EXISTS partition_bound', table_name);
    EXECUTE format('SELECT max(block_number) FROM event.%I', table_name) INTO newest;
    -- One width of room, for what is written between this and sync.partition_table.
    past := (coalesce(newest, -1) / width + 2) * width;
    EXECUTE format(
        'ALTER TABLE event.%I ADD CONSTRAINT partition_bound CHECK (block_number < %s) NOT VALID', table_name, past);
    RETURN past;
END
$$;
COMMENT ON FUNCTION sync.bound_table(text, bigint) IS
    'First step of partitioning a table that has rows: a bound above them all, to be validated; NULL where the table is no plain one.';


CREATE FUNCTION sync.partition_table(table_name text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    past bigint;
    part text := sync.partition_name(table_name, 0);
    said text;
    granted record;
BEGIN
    EXECUTE format('LOCK TABLE event.%I IN ACCESS EXCLUSIVE MODE', table_name);
    SELECT substring(pg_get_constraintdef(oid) FROM '< ''?(\d+)')::bigint INTO past FROM pg_constraint
    WHERE conrelid = to_regclass(format('event.%I', table_name)) AND conname = 'partition_bound' AND convalidated;
    IF past IS NULL THEN
        RAISE EXCEPTION 'event.% has no validated partition_bound: call sync.bound_table and validate it', table_name;
    END IF;
    SELECT string_agg(DISTINCT rule.ev_class::regclass::text, ', ') INTO said
    FROM pg_depend JOIN pg_rewrite AS rule ON rule.oid = pg_depend.objid
    WHERE pg_depend.classid = 'pg_rewrite'::regclass AND pg_depend.refobjid = to_regclass(format('event.%I', table_name));
    IF said IS NOT NULL THEN
        RAISE dependent_objects_still_exist
            USING MESSAGE = format('views stand on event.%s', table_name), DETAIL = said;
    END IF;
    said := obj_description(to_regclass(format('event.%I', table_name)), 'pg_class');
    EXECUTE format('ALTER TABLE event.%I RENAME TO %I', table_name, part);
    EXECUTE format('ALTER TABLE event.%I SET SCHEMA event_partition', part);
    EXECUTE format(
        'CREATE TABLE event.%I (LIKE event_partition.%I INCLUDING ALL EXCLUDING CONSTRAINTS) PARTITION BY RANGE (block_number)',
        table_name, part);
    EXECUTE format('COMMENT ON TABLE event.%I IS %L', table_name, said);
    FOR granted IN
        SELECT privilege_type, grantee::regrole::text AS grantee FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = to_regclass(format('event_partition.%I', part)) AND grantee <> 0 AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON event.%I TO %s', granted.privilege_type, table_name, granted.grantee);
    END LOOP;
    EXECUTE format(
        'ALTER TABLE event.%I ATTACH PARTITION event_partition.%I FOR VALUES FROM (MINVALUE) TO (%s)', table_name, part, past);
    EXECUTE format('ALTER TABLE event_partition.%I DROP CONSTRAINT partition_bound', part);
    RETURN past;
END
$$;
COMMENT ON FUNCTION sync.partition_table(text) IS
    'Second step: the table becomes the first partition of one that takes its place, without moving a row; returns the block at which new partitions begin.';
