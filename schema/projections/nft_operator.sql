-- projection: nft_operator
-- tables: state.nft_operator
-- reads: event.erc721_approval_for_all, event.erc1155_approval_for_all
--
-- ERC-721 and ERC-1155 declare the same ApprovalForAll; which of the two tables a contract's logs are in depends on its
-- configuration, so both are read. The last one holds.

WITH spoken AS (
    SELECT address, owner, operator, approved, block_number, log_index
    FROM event.erc721_approval_for_all
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, owner, operator, approved, block_number, log_index
    FROM event.erc1155_approval_for_all
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
)
INSERT INTO state.nft_operator (chain_id, contract, owner, operator, approved, updated_block)
SELECT DISTINCT ON (address, owner, operator) $1, address, owner, operator, approved, block_number
FROM spoken
ORDER BY address, owner, operator, block_number DESC, log_index DESC
ON CONFLICT (chain_id, contract, owner, operator) DO UPDATE
SET approved = excluded.approved, updated_block = excluded.updated_block;
