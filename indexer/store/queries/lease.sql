-- The lease of a chain. Commits hold the row FOR KEY SHARE, which lets it be renewed beside them but not taken.

-- name: lease_row
-- Who holds a chain's lease, and whether it has run out.
SELECT holder, epoch, expires_at, expires_at <= clock_timestamp() AS expired FROM sync.lease WHERE chain_id = $1;

-- name: insert_lease
-- The first lease of a chain; no row when there was one already.
INSERT INTO sync.lease (chain_id, holder, epoch, seconds, expires_at)
VALUES ($1, $2, 1, $3, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (chain_id) DO NOTHING
RETURNING epoch;

-- name: lease_patience
-- How long taking a lease waits for a commit of the old holder.
SELECT set_config('lock_timeout', '2s', true);

-- name: lock_lease
-- Waits until no commit of the old holder is under way.
SELECT epoch FROM sync.lease WHERE chain_id = $1 FOR UPDATE;

-- name: take_lease
-- Takes a lease that ran out, was given back, or is ours; the epoch fences whoever had it before.
UPDATE sync.lease
SET holder = $2, epoch = epoch + 1, seconds = $3, acquired_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE chain_id = $1 AND (expires_at <= clock_timestamp() OR holder IN ('', $2))
RETURNING epoch;

-- name: renew_lease
-- Keeps a lease; no row when another daemon has taken it.
UPDATE sync.lease SET seconds = $4, expires_at = clock_timestamp() + make_interval(secs => $4)
WHERE chain_id = $1 AND holder = $2 AND epoch = $3
RETURNING epoch;

-- name: release_lease
-- Gives a lease back at once; the empty holder also refuses later commits of this epoch.
UPDATE sync.lease SET holder = '', expires_at = clock_timestamp()
WHERE chain_id = $1 AND holder = $2 AND epoch = $3;

-- name: extend_lease
-- Before a commit: keeps a lease of which less than half is left.
UPDATE sync.lease SET expires_at = clock_timestamp() + make_interval(secs => seconds)
WHERE chain_id = $1 AND epoch = $2 AND holder <> ''
  AND expires_at < clock_timestamp() + make_interval(secs => seconds / 2);

-- name: hold_lease
-- In a commit: the lease as it is, not to be taken by another daemon before this transaction ends. The advisory lock is how
-- a transaction that hangs from its first statement on is found (see end_commit_under_way): row locks are not listed.
SELECT epoch, holder, pg_advisory_xact_lock_shared(1947014, hashint8($1)) FROM sync.lease WHERE chain_id = $1 FOR KEY SHARE;

-- name: end_commit_under_way
-- Ends sessions that are inside a commit or a fold of this chain (see hold_lease, lock_chain, lock_folds) and are not ours.
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid IN (1947012, 1947013, 1947014) AND objsubid = 2
  AND objid::bigint = (hashint8($1)::bigint & 4294967295)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND pid <> pg_backend_pid();
