-- Balances change again and again, in columns that no index holds: with room left in its page a row's new version
-- stays there, and no index is touched. Each fold of a large step changes most rows, hence so much room.

ALTER TABLE state.erc20_balance SET (fillfactor = 60);
ALTER TABLE state.erc1155_balance SET (fillfactor = 60);
ALTER TABLE state.erc20_supply SET (fillfactor = 60);
