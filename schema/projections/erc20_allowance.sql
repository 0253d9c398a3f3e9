-- projection: erc20_allowance
-- tables: state.erc20_allowance
-- reads: event.erc20_approval
--
-- The last Approval holds. Spending an allowance need not emit one, so what stands here is an upper bound.

INSERT INTO state.erc20_allowance (chain_id, token, owner, spender, allowance, updated_block)
SELECT DISTINCT ON (address, owner, spender) $1, address, owner, spender, value, block_number
FROM event.erc20_approval
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, owner, spender, block_number DESC, log_index DESC
ON CONFLICT (chain_id, token, owner, spender) DO UPDATE
SET allowance = excluded.allowance, updated_block = excluded.updated_block;
