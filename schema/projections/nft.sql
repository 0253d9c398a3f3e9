-- projection: nft
-- tables: state.nft, state.nft_unexpanded
-- reads: event.erc721_transfer, event.erc2309_consecutive_transfer, event.erc721_approval, event.minter_gemforce_minted
--
-- The owner is the receiver of the last transfer. The sender is not looked at but for the zero address of a mint: forced
-- transfers name senders that never owned the token. ERC-721A emits one Transfer per token; its ERC721ATransfer repeats
-- them and is not read. A ConsecutiveTransfer is expanded up to 10,000 tokens (both known implementations stop at 5,000),
-- so that one log cannot fill the database; what is beyond goes to state.nft_unexpanded. A transfer clears the approval.

WITH move AS (
    SELECT address AS contract, token_id, from_, to_, block_number, log_index, tx_hash
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, from_, to_, block_number, log_index, tx_hash
    FROM event.erc2309_consecutive_transfer,
        generate_series(from_token_id, least(to_token_id, from_token_id + 9999)) AS token_id
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), last_move AS (
    SELECT DISTINCT ON (contract, token_id) contract, token_id, to_, block_number, log_index
    FROM move
    ORDER BY contract, token_id, block_number DESC, log_index DESC
), mint AS (
    SELECT DISTINCT ON (contract, token_id) contract, token_id, to_, block_number, tx_hash
    FROM move
    WHERE sync.address_or_null(from_) IS NULL AND sync.address_or_null(to_) IS NOT NULL
    ORDER BY contract, token_id, block_number DESC, log_index DESC
), named AS (
    SELECT DISTINCT ON (address, token_id, tx_hash) address AS contract, token_id, tx_hash, owner
    FROM event.minter_gemforce_minted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, tx_hash, log_index DESC
), approval AS (
    SELECT DISTINCT ON (address, token_id) address AS contract, token_id, approved, block_number, log_index
    FROM event.erc721_approval
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, block_number DESC, log_index DESC
)
INSERT INTO state.nft AS live (
    chain_id, contract, token_id, owner, approved, minter, minted_block, burned, last_transfer_block, updated_block
)
SELECT
    $1,
    last_move.contract,
    last_move.token_id,
    sync.address_or_null(last_move.to_),
    sync.address_or_null(approval.approved),
    coalesce(sync.address_or_null(named.owner), mint.to_),
    mint.block_number,
    sync.address_or_null(last_move.to_) IS NULL,
    last_move.block_number,
    greatest(last_move.block_number, approval.block_number)
FROM last_move
LEFT JOIN mint USING (contract, token_id)
LEFT JOIN named ON named.contract = mint.contract AND named.token_id = mint.token_id AND named.tx_hash = mint.tx_hash
LEFT JOIN approval
    ON approval.contract = last_move.contract AND approval.token_id = last_move.token_id
    AND (approval.block_number, approval.log_index) > (last_move.block_number, last_move.log_index)
ON CONFLICT (chain_id, contract, token_id) DO UPDATE
SET owner = excluded.owner,
    approved = excluded.approved,
    minter = CASE WHEN excluded.minted_block IS NULL THEN live.minter ELSE excluded.minter END,
    minted_block = coalesce(excluded.minted_block, live.minted_block),
    burned = excluded.burned,
    last_transfer_block = excluded.last_transfer_block,
    updated_block = excluded.updated_block;

-- Approvals of tokens that did not move in this range; a token whose transfers were never seen has no row and gets none.
WITH approval AS (
    SELECT DISTINCT ON (address, token_id) address AS contract, token_id, approved, block_number
    FROM event.erc721_approval
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, block_number DESC, log_index DESC
)
UPDATE state.nft AS live
SET approved = sync.address_or_null(approval.approved), updated_block = approval.block_number
FROM approval
WHERE live.chain_id = $1 AND live.contract = approval.contract AND live.token_id = approval.token_id
  AND live.last_transfer_block < $2;

INSERT INTO state.nft_unexpanded (
    chain_id, contract, block_number, log_index, first_token_id, last_token_id, owner, updated_block
)
SELECT $1, address, block_number, log_index, from_token_id + 10000, to_token_id, sync.address_or_null(to_), block_number
FROM event.erc2309_consecutive_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND to_token_id >= from_token_id + 10000;
