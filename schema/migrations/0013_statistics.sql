-- A back-fill fills event tables faster than PostgreSQL gathers statistics of them by itself, and a planner that takes a million
-- rows for twenty sorts them on disk where it should hash them. The daemon has no right to ANALYZE: this runs as the owner.
CREATE FUNCTION sync.gather_statistics(tables text[]) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
SET default_statistics_target = 30
AS $$
DECLARE
    found record;
    gathered text[] := '{}';
BEGIN
    FOR found IN
        SELECT class.oid::regclass AS relation, wanted.name
        FROM unnest(tables) AS wanted (name)
        JOIN pg_class AS class ON class.oid = to_regclass(wanted.name)
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace AND namespace.nspname = 'event'
        WHERE class.reltuples < 0
           OR pg_relation_size(class.oid) > 4 * class.relpages * current_setting('block_size')::bigint
        ORDER BY wanted.name
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', found.relation);
        gathered := gathered || found.name;
    END LOOP;
    RETURN gathered;
END
$$;
COMMENT ON FUNCTION sync.gather_statistics(text[]) IS
    'Gathers statistics of those of these event tables that have none or have grown fourfold since; names them. One that is being analysed already is passed over.';
REVOKE ALL ON FUNCTION sync.gather_statistics(text[]) FROM PUBLIC;
