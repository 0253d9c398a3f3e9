-- projection: identity_execution
-- tables: state.identity_execution
-- reads: event.erc734_executed, event.identity_execution_failed
--
-- One row for each log. Builds that revert when an execution fails leave no ExecutionFailed behind.

INSERT INTO state.identity_execution (
    chain_id, block_number, log_index, identity, execution_id, to_, value, success, updated_block
)
SELECT $1, block_number, log_index, address, execution_id, sync.address_or_null(to_), value, true, block_number
FROM event.erc734_executed
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
UNION ALL
SELECT $1, block_number, log_index, address, execution_id, sync.address_or_null(to_), value, false, block_number
FROM event.identity_execution_failed
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3;
