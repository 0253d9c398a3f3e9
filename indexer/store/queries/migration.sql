-- Statements of the migration runner.

-- name: server_facts
-- What the runner checks before anything: version, encoding, and who we are.
SELECT current_setting('server_version_num')::int AS version_num,
       current_setting('server_version') AS version,
       (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
       current_user::text AS role_name,
       current_database()::text AS database_name;

-- name: lock_migrations
-- One migrator at a time, for this transaction; the number is arbitrary but fixed.
SELECT pg_advisory_xact_lock(7236850194412357);

-- name: ledger_exists
-- Whether the first migration was ever applied. Read from the catalogue: to_regclass may answer from a cache that is older
-- than the lock we waited for.
SELECT EXISTS (
    SELECT FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = 'sync' AND class.relname = 'migration'
);

-- name: applied_migrations
-- What was applied, oldest first.
SELECT version, name, checksum FROM sync.migration ORDER BY version;

-- name: record_migration
-- Enters a migration into the ledger, in the transaction that applied it.
INSERT INTO sync.migration (version, name, checksum) VALUES ($1, $2, $3);

-- name: migration_limits
-- Waits for no table lock longer than this, so that readers are never queued behind a migration that waits.
SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', '0', true);

-- name: may_act_as_owner
-- Whether objects are, or on an empty database can be, made as indexer_owner.
SELECT EXISTS (
    SELECT FROM pg_roles AS owner
    WHERE owner.rolname = 'indexer_owner'
      AND pg_has_role(current_user, owner.oid, 'MEMBER')
      AND coalesce(
          (SELECT nspowner = owner.oid FROM pg_namespace WHERE nspname = 'sync'),
          has_database_privilege(owner.oid, current_database(), 'CREATE')
      )
);

-- name: may_create_roles
-- Whether this connection may make roles.
SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user;

-- name: missing_roles
-- Which of the five roles the server does not have.
SELECT wanted FROM unnest(ARRAY[
    'indexer_owner', 'indexer_migrator', 'indexer_writer', 'indexer_dispatcher', 'indexer_reader'
]) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)
ORDER BY 1;
