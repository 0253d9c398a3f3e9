-- Who may do what. Applied by the migration runner where the connection may create roles; safe to repeat.
--
--   indexer_owner       owns every object, cannot log in
--   indexer_migrator    changes the schema (a member of the owner)
--   indexer_writer      the daemon: rows of event, state, custom and sync, no DDL, no TRUNCATE
--   indexer_dispatcher  delivers webhooks: rows of partner, reads the rest
--   indexer_reader      analysts: SELECT only, with a statement timeout
--
-- All but the owner may log in once the operator gives them a password (ALTER ROLE indexer_reader PASSWORD ...). A person's own
-- role can be made a member (GRANT indexer_reader TO alice) and then wants the reader's settings too: PostgreSQL does not
-- hand those on to members.

-- name: create_roles
-- Makes the roles that are missing and lets the owner create in this database. Two runs at once do no harm.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'indexer_owner', 'indexer_migrator', 'indexer_writer', 'indexer_dispatcher', 'indexer_reader'
    ] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I %s', wanted,
                    CASE wanted WHEN 'indexer_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            RAISE DEBUG 'role % was made by another session', wanted;
        END;
    END LOOP;
    IF NOT pg_has_role('indexer_migrator', 'indexer_owner', 'MEMBER') THEN
        GRANT indexer_owner TO indexer_migrator;
    END IF;
    IF NOT pg_has_role(current_user, 'indexer_owner', 'MEMBER') THEN
        EXECUTE format('GRANT indexer_owner TO %I', current_user);
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_db_role_setting AS held JOIN pg_roles AS role ON role.oid = held.setrole
        WHERE role.rolname = 'indexer_reader' AND held.setdatabase = 0
          AND held.setconfig @> ARRAY['statement_timeout=60s', 'default_transaction_read_only=on']
    ) THEN
        ALTER ROLE indexer_reader SET statement_timeout = '60s';
        ALTER ROLE indexer_reader SET default_transaction_read_only = 'on';
    END IF;
    IF NOT has_database_privilege('indexer_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO indexer_owner', current_database());
    END IF;
END
$$;

-- name: grant_roles
-- Least privilege on what is there now and, by default privileges of the schemas' owner, on what will be made. Schemas of
-- migrations that are still to come are passed over.
DO $$
DECLARE
    owner text := (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'sync');
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['event', 'state', 'custom', 'analytics', 'parity', 'sync', 'partner'] LOOP
        CONTINUE WHEN to_regnamespace(place) IS NULL;
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', place);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO indexer_writer, indexer_dispatcher', place);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO indexer_writer, indexer_dispatcher', place);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I GRANT SELECT ON TABLES TO indexer_writer, indexer_dispatcher', owner, place);
    END LOOP;
    FOREACH place IN ARRAY ARRAY['event', 'state', 'custom', 'sync'] LOOP
        CONTINUE WHEN to_regnamespace(place) IS NULL;
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO indexer_writer', place);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO indexer_writer', place);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I GRANT INSERT, UPDATE, DELETE ON TABLES TO indexer_writer', owner, place);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I GRANT USAGE ON SEQUENCES TO indexer_writer', owner, place);
    END LOOP;
    REVOKE INSERT, UPDATE, DELETE ON sync.migration FROM indexer_writer;
    REVOKE INSERT, UPDATE, DELETE ON sync.event_table FROM indexer_writer;
    IF to_regclass('sync.custom_statement') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON sync.custom_statement FROM indexer_writer;
    END IF;
    IF to_regprocedure('sync.add_partition(text, bigint, bigint)') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION sync.add_partition(text, bigint, bigint) TO indexer_writer;
    END IF;
    IF to_regprocedure('sync.gather_statistics(text[])') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION sync.gather_statistics(text[]) TO indexer_writer;
    END IF;
    IF to_regclass('sync.view_file') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON sync.view_file FROM indexer_writer;
    END IF;
    EXECUTE 'GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA partner TO indexer_dispatcher';
    EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA partner TO indexer_dispatcher';
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA partner GRANT INSERT, UPDATE, DELETE ON TABLES TO indexer_dispatcher', owner);
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA partner GRANT USAGE ON SEQUENCES TO indexer_dispatcher', owner);
    FOREACH place IN ARRAY ARRAY['event', 'state', 'custom', 'analytics', 'parity', 'sync'] LOOP
        CONTINUE WHEN to_regnamespace(place) IS NULL;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO indexer_reader', place);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO indexer_reader', place);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I GRANT SELECT ON TABLES TO indexer_reader', owner, place);
    END LOOP;
END
$$;
