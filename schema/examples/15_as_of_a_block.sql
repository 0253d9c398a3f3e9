-- How did things stand after a past block?
-- There are functions for all balances of a token, owners, carbon credits and open listings too.
SELECT
    analytics.erc20_balance_as_of(31337, '0x70ce000000000000000000000000000000000020',
        '0xa11ce00000000000000000000000000000000001', 12) AS balance_raw,
    analytics.nft_owner_as_of(31337, '0xd1a0000000000000000000000000000000000035', 1, 12) AS owner_of_token_1;
