-- What `indexer db roles` and `indexer check` ask of the database.

-- name: who_am_i
-- The server's version and who we are on it.
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_setting('server_encoding') AS encoding, current_user AS role,
       pg_is_in_recovery() AS standby, has_database_privilege(current_database(), 'CREATE') AS may_create;

-- name: roles
-- The indexer's roles that the server has, and who is a member of each.
SELECT role.rolname AS role, role.rolcanlogin AS login,
       coalesce(array_agg(member.rolname ORDER BY member.rolname) FILTER (WHERE member.oid IS NOT NULL), '{}') AS members
FROM pg_roles AS role
LEFT JOIN pg_auth_members AS membership ON membership.roleid = role.oid
LEFT JOIN pg_roles AS member ON member.oid = membership.member
WHERE role.rolname = ANY ($1::text[])
GROUP BY role.rolname, role.rolcanlogin ORDER BY role.rolname;

-- name: table_grants
-- Per role and schema: what it may do, and on how many of the schema's tables it may do that.
SELECT role, schema, string_agg(privilege || ' ' || tables, ', ' ORDER BY privilege) AS privileges
FROM (
    SELECT granted.grantee AS role, granted.table_schema AS schema, granted.privilege_type AS privilege,
           count(*) || '/' || (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(granted.table_schema))
                               AND relkind IN ('r', 'p', 'v')) AS tables
    FROM information_schema.role_table_grants AS granted
    WHERE granted.grantee = ANY ($1::text[]) AND granted.table_schema = ANY ($2::text[])
    GROUP BY granted.grantee, granted.table_schema, granted.privilege_type
) AS counted
GROUP BY role, schema ORDER BY role, schema;

-- name: unknown_facets
-- Active facets of a chain's diamonds whose selectors match no ABI.
SELECT diamond, facet, count(*) AS selectors FROM state.diamond_selector
WHERE chain_id = $1 AND removed_block IS NULL AND abi IS NULL
GROUP BY diamond, facet ORDER BY diamond, facet LIMIT 200;
