-- Keccak-256 for folds of many claims: the daemon hashes what a fold will ask for, in C, and the fold looks it up.

CREATE UNLOGGED TABLE sync.hashed (
    backend integer NOT NULL,
    key bytea NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (backend, key)
);
COMMENT ON TABLE sync.hashed IS 'Digests worked out ahead of a fold; its rows live no longer than the fold.';
COMMENT ON COLUMN sync.hashed.backend IS 'Process id of the session that folds.';
COMMENT ON COLUMN sync.hashed.key IS 'SHA-256 of the message.';
COMMENT ON COLUMN sync.hashed.digest IS 'Keccak-256 of the message.';

-- A function in SQL would not do: the planner works out an immutable function of a known argument, whether it is needed or not.
CREATE FUNCTION sync.keccak256_of(message bytea) RETURNS bytea
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
    known bytea;
BEGIN
    SELECT told.digest INTO known FROM sync.hashed AS told
    WHERE told.backend = pg_backend_pid() AND told.key = sha256(message);
    IF FOUND THEN
        RETURN known;
    END IF;
    RETURN sync.keccak256(message);
END
$$;
COMMENT ON FUNCTION sync.keccak256_of(bytea) IS 'Keccak-256, looked up where this session was told it ahead, else worked out here.';
