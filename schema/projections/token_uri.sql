-- projection: token_uri
-- tables: state.token_uri
-- reads: event.erc1155_uri
--
-- The last URI event of a token holds; the text is kept as it is.

INSERT INTO state.token_uri (chain_id, contract, token_id, uri, updated_block)
SELECT DISTINCT ON (address, id) $1, address, id, value, block_number
FROM event.erc1155_uri
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
ORDER BY address, id, block_number DESC, log_index DESC
ON CONFLICT (chain_id, contract, token_id) DO UPDATE
SET uri = excluded.uri, updated_block = excluded.updated_block;
