-- projection: erc20_supply
-- tables: state.erc20_supply
-- reads: event.erc20_transfer
--
-- A token has a row from its first mint or burn on: where neither was seen, its supply is not known.

INSERT INTO state.erc20_supply AS live (chain_id, token, supply, updated_block)
SELECT
    $1,
    address,
    sum(CASE WHEN sync.address_or_null(from_) IS NULL THEN value ELSE 0 END)
        - sum(CASE WHEN sync.address_or_null(to_) IS NULL THEN value ELSE 0 END),
    max(block_number)
FROM event.erc20_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
  AND (sync.address_or_null(from_) IS NULL OR sync.address_or_null(to_) IS NULL)
GROUP BY address
ON CONFLICT (chain_id, token) DO UPDATE
SET supply = live.supply + excluded.supply, updated_block = excluded.updated_block;
