-- Who owned an ERC-721 token at a log.

CREATE OR REPLACE FUNCTION analytics.nft_owner_at_log(
    chain bigint, nft_contract bytea, nft_id numeric, at_block bigint, at_log integer
) RETURNS bytea
LANGUAGE sql STABLE
AS $$
    SELECT nullif(moved.to_, '\x0000000000000000000000000000000000000000'::bytea)
    FROM (
        (SELECT to_, block_number, log_index FROM event.erc721_transfer
         WHERE chain_id = chain AND address = nft_contract AND token_id = nft_id AND (block_number, log_index) <= (at_block, at_log)
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
        UNION ALL
        (SELECT to_, block_number, log_index FROM event.erc2309_consecutive_transfer
         WHERE chain_id = chain AND address = nft_contract AND nft_id BETWEEN from_token_id AND to_token_id
           AND (block_number, log_index) <= (at_block, at_log)
         ORDER BY block_number DESC, log_index DESC LIMIT 1)
    ) AS moved
    ORDER BY moved.block_number DESC, moved.log_index DESC LIMIT 1
$$;
COMMENT ON FUNCTION analytics.nft_owner_at_log(bigint, bytea, numeric, bigint, integer) IS
    'Owner of an ERC-721 token after a log: the receiver of its last transfer up to there; NULL when burned or not minted yet.';
