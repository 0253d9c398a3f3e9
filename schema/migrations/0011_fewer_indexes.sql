-- Indexes that no example query, view, projection or statement of the engine reads: each would be written with every row all the
-- same. tests/integration/analytics/test_indexes.py names who reads those that stay.

DROP INDEX state.diamond_owner;
DROP INDEX state.diamond_selector_facet;
DROP INDEX state.diamond_cut_diamond;
DROP INDEX state.trade_deal_participant_account;
DROP INDEX state.trade_deal_invoice_move_deal;
DROP INDEX state.collateral_token_deal;
DROP INDEX state.carbon_credit_owner;
DROP INDEX state.carbon_retirement_token;
DROP INDEX state.multi_sale_purchase_purchaser;
DROP INDEX sync.reorg_chain;
DROP INDEX sync.orphan_reorg;
DROP INDEX sync.orphan_block;
