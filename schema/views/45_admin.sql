-- What administrators did: cuts, owners, roles, pauses, forced transfers, issuers, fees. Worth an alert.

CREATE OR REPLACE VIEW analytics.admin_action AS
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash) AS tx_hash, 'diamond_cut'::text AS action,
    'critical'::text AS severity, analytics.hex(address) AS contract, NULL::text AS subject, NULL::text AS actor,
    jsonb_build_object('cut', diamond_cut, 'init', analytics.hex(init), 'calldata', analytics.hex(calldata)) AS details
FROM event.diamond_cut
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'diamond_cut_proposed', 'high', analytics.hex(address),
    NULL, analytics.hex(proposer), jsonb_build_object('execution_time', execution_time::text)
FROM event.diamond_timelock_diamond_cut_proposed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'diamond_cut_cancelled', 'medium', analytics.hex(address),
    NULL, analytics.hex(canceller), '{}'::jsonb
FROM event.diamond_timelock_diamond_cut_cancelled
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'ownership_transferred', 'critical', analytics.hex(address),
    analytics.hex(new_owner), analytics.hex(previous_owner), '{}'::jsonb
FROM event.ownable_ownership_transferred
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'ownership_transfer_started', 'high', analytics.hex(address),
    analytics.hex(new_owner), analytics.hex(previous_owner), '{}'::jsonb
FROM event.ownable_ownership_transfer_started
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'role_granted', 'high', analytics.hex(address),
    analytics.hex(account), analytics.hex(sender), jsonb_build_object('role', analytics.hex(role))
FROM event.access_control_role_granted
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'role_revoked', 'medium', analytics.hex(address),
    analytics.hex(account), analytics.hex(sender), jsonb_build_object('role', analytics.hex(role))
FROM event.access_control_role_revoked
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'role_admin_changed', 'high', analytics.hex(address),
    NULL, NULL, jsonb_build_object('role', analytics.hex(role), 'previous_admin_role', analytics.hex(previous_admin_role), 'new_admin_role', analytics.hex(new_admin_role))
FROM event.access_control_role_admin_changed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'paused', 'high', analytics.hex(address),
    NULL, analytics.hex(account), '{}'::jsonb
FROM event.pausable_paused
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'unpaused', 'medium', analytics.hex(address),
    NULL, analytics.hex(account), '{}'::jsonb
FROM event.pausable_unpaused
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'upgraded', 'critical', analytics.hex(address),
    analytics.hex(implementation), NULL, '{}'::jsonb
FROM event.erc1967_upgraded
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'proxy_admin_changed', 'critical', analytics.hex(address),
    analytics.hex(new_admin), analytics.hex(previous_admin), '{}'::jsonb
FROM event.erc1967_admin_changed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'beacon_upgraded', 'critical', analytics.hex(address),
    analytics.hex(beacon), NULL, '{}'::jsonb
FROM event.erc1967_beacon_upgraded
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'forced_transfer', 'critical', analytics.hex(address),
    analytics.hex(to_), NULL, jsonb_build_object('from', analytics.hex(from_), 'token_id', token_id::text)
FROM event.token_transfer_forced
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'frozen', 'high', analytics.hex(address),
    analytics.hex(from_), NULL, jsonb_build_object('token_id', token_id::text)
FROM event.token_freeze
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'frozen', 'high', analytics.hex(address),
    analytics.hex(from_), NULL, jsonb_build_object('token_ids', token_ids::text[])
FROM event.token_freeze_batch
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'released', 'medium', analytics.hex(address),
    analytics.hex(from_), NULL, jsonb_build_object('token_id', token_id::text)
FROM event.token_release
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'delegated_minter_set', 'high', analytics.hex(address),
    analytics.hex(new_delegated_minter), NULL, '{}'::jsonb
FROM event.token_delegated_minter_set
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'trusted_issuer_added', 'high', analytics.hex(address),
    analytics.hex(trusted_issuer), NULL, jsonb_build_object('claim_topics', claim_topics::text[])
FROM event.trusted_issuer_added
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'trusted_issuer_removed', 'high', analytics.hex(address),
    analytics.hex(trusted_issuer), NULL, '{}'::jsonb
FROM event.trusted_issuer_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'trusted_issuer_updated', 'high', analytics.hex(address),
    analytics.hex(issuer_address), NULL, trusted_issuer
FROM event.trusted_issuer_updated
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'trusted_issuer_topics_updated', 'high', analytics.hex(address),
    analytics.hex(trusted_issuer), NULL, jsonb_build_object('claim_topics', claim_topics::text[])
FROM event.trusted_issuer_claim_topics_updated
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'claim_topic_added', 'medium', analytics.hex(address),
    NULL, NULL, jsonb_build_object('claim_topic', claim_topic::text)
FROM event.claim_topic_added
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'claim_topic_removed', 'medium', analytics.hex(address),
    NULL, NULL, jsonb_build_object('claim_topic', claim_topic::text)
FROM event.claim_topic_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'registry_user_added', 'high', analytics.hex(address),
    analytics.hex(registry_user), NULL, '{}'::jsonb
FROM event.identity_factory_registry_user_added
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'registry_user_removed', 'medium', analytics.hex(address),
    analytics.hex(registry_user), NULL, '{}'::jsonb
FROM event.identity_factory_registry_user_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'controller_added', 'high', analytics.hex(address),
    analytics.hex(controller_address), analytics.hex(contract_address), '{}'::jsonb
FROM event.diamond_factory_controller_added
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'controller_removed', 'medium', analytics.hex(address),
    analytics.hex(controller_address), analytics.hex(contract_address), '{}'::jsonb
FROM event.diamond_factory_controller_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'marketplace_fees_set', 'high', analytics.hex(address),
    NULL, NULL, jsonb_build_object('fee_receivers', fee_receivers)
FROM event.marketplace_initialized
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'fee_distributor_initialized', 'high', analytics.hex(address),
    analytics.hex(distribution_token), NULL, jsonb_build_object('total_weight_basis', total_weight_basis::text)
FROM event.fee_distributor_initialized
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'fee_receivers_set', 'high', analytics.hex(address),
    NULL, NULL, jsonb_build_object('fee_receivers', analytics.hex(fee_receivers), 'fee_weights', fee_weights::text[])
FROM event.fee_distributor_fee_receivers_set
UNION ALL
-- Deployed tokens force transfers without an event of their own. Before every transfer they take back the approval of the true
-- owner: where the transfer names another sender, it was forced. Delistings do the same and are no concern. The LIMIT keeps the
-- planner from joining whole tables for the sake of a few blocks.
SELECT moved.chain_id, moved.block_number, moved.log_index, moved.block_time, analytics.hex(moved.tx_hash), 'transfer_from_false_owner',
    'critical', analytics.hex(moved.address), analytics.hex(moved.to_), NULL,
    jsonb_build_object('from', analytics.hex(moved.from_), 'owner', analytics.hex(cleared.owner), 'token_id', moved.token_id::text)
FROM event.erc721_transfer AS moved
CROSS JOIN LATERAL (
    SELECT approval.owner FROM event.erc721_approval AS approval
    WHERE approval.chain_id = moved.chain_id AND approval.block_number = moved.block_number
      AND approval.log_index = moved.log_index - 1 AND approval.tx_hash = moved.tx_hash AND approval.address = moved.address
      AND approval.token_id = moved.token_id AND approval.approved = '\x0000000000000000000000000000000000000000'
      AND approval.owner <> moved.from_
    LIMIT 1
) AS cleared
WHERE NOT EXISTS (
    SELECT FROM event.marketplace_delisted AS delisted
    WHERE delisted.chain_id = moved.chain_id AND delisted.block_number = moved.block_number
      AND delisted.tx_hash = moved.tx_hash AND delisted.item_id = moved.token_id);
COMMENT ON VIEW analytics.admin_action IS 'What administrators did, as a feed: worth an alert.';
COMMENT ON COLUMN analytics.admin_action.action IS 'What was done.';
COMMENT ON COLUMN analytics.admin_action.severity IS 'critical (changes the code or the owner, moves tokens of others), high or medium.';
COMMENT ON COLUMN analytics.admin_action.contract IS 'The contract it was done to.';
COMMENT ON COLUMN analytics.admin_action.subject IS 'The account or contract it is about, such as the new owner; NULL where there is none.';
COMMENT ON COLUMN analytics.admin_action.actor IS 'Who did it, where the event says so.';
COMMENT ON COLUMN analytics.admin_action.details IS 'What else the event says; wide integers are strings of digits.';

-- The planner has to know the block to choose well, so the statement is planned with its value each time.
CREATE OR REPLACE FUNCTION analytics.admin_actions(chain bigint, since timestamptz) RETURNS SETOF analytics.admin_action
LANGUAGE plpgsql STABLE ROWS 100
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    first_block bigint := analytics.block_at(chain, since);
BEGIN
    RETURN QUERY SELECT told.* FROM analytics.admin_action AS told
        WHERE told.chain_id = chain AND told.block_number >= first_block;
END
$$;
COMMENT ON FUNCTION analytics.admin_actions(bigint, timestamptz) IS
    'What administrators of contracts of a chain did from a moment on: the rows of analytics.admin_action, found by index.';

CREATE OR REPLACE VIEW analytics.diamond_cut AS
SELECT cut.chain_id, cut.block_number, cut.log_index, cut."position", analytics.hex(cut.diamond) AS diamond,
    analytics.enum_label('FacetCutAction', cut.action) AS action, analytics.hex(cut.facet) AS facet,
    analytics.hex(cut.selectors) AS selectors, analytics.hex(cut.init) AS init
FROM state.diamond_cut AS cut;
COMMENT ON VIEW analytics.diamond_cut IS 'History of cuts of diamonds, one row for each facet of a cut.';
COMMENT ON COLUMN analytics.diamond_cut."position" IS 'Place in the cut, from 0.';
COMMENT ON COLUMN analytics.diamond_cut.action IS 'Add, Replace or Remove, from analytics.enum_name.';
COMMENT ON COLUMN analytics.diamond_cut.facet IS 'The facet that serves the selectors from then on; NULL when removed.';
COMMENT ON COLUMN analytics.diamond_cut.selectors IS 'The function selectors.';
COMMENT ON COLUMN analytics.diamond_cut.init IS 'The contract that initialised the cut; NULL when there was none.';

CREATE OR REPLACE VIEW analytics.multi_sale AS
SELECT sale.chain_id, analytics.hex(sale.diamond) AS diamond, sale.sale_id, sale.name, sale.symbol,
    analytics.enum_label('TokenType', sale.token_type) AS token_type, analytics.hex(sale.token) AS token,
    analytics.enum_label('PaymentMethod', sale.payment_method) AS payment_method,
    analytics.hex(sale.payment_token) AS payment_token, paid.symbol AS payment_symbol,
    analytics.scaled(sale.price, CASE WHEN sale.payment_token IS NULL THEN 18 ELSE paid.decimals END) AS price,
    sale.price AS price_raw, analytics.enum_label('PriceModifier', sale.price_modifier) AS price_modifier,
    sale.open_state AS open,
    CASE WHEN sale.start_time < 32503680000 THEN to_timestamp(sale.start_time::double precision) END AS starts_at,
    CASE WHEN sale.end_time < 32503680000 THEN to_timestamp(sale.end_time::double precision) END AS ends_at,
    sale.max_quantity, bought.purchases, bought.quantity, sale.created_block
FROM state.multi_sale AS sale
LEFT JOIN state.token AS paid ON paid.chain_id = sale.chain_id AND paid.contract = sale.payment_token
LEFT JOIN LATERAL (
    SELECT count(*) AS purchases, sum(purchase.quantity) AS quantity FROM state.multi_sale_purchase AS purchase
    WHERE purchase.chain_id = sale.chain_id AND purchase.diamond = sale.diamond AND purchase.sale_id = sale.sale_id
) AS bought ON true;
COMMENT ON VIEW analytics.multi_sale IS 'Multi-token sales with price, times and what was sold.';
COMMENT ON COLUMN analytics.multi_sale.sale_id IS 'The sale.';
COMMENT ON COLUMN analytics.multi_sale.name IS 'Name of the sale.';
COMMENT ON COLUMN analytics.multi_sale.symbol IS 'Symbol of the sale.';
COMMENT ON COLUMN analytics.multi_sale.token_type IS 'Name of the token type, from analytics.enum_name.';
COMMENT ON COLUMN analytics.multi_sale.token IS 'The token sold.';
COMMENT ON COLUMN analytics.multi_sale.payment_method IS 'Name of the payment method, from analytics.enum_name.';
COMMENT ON COLUMN analytics.multi_sale.price IS 'Price of one in whole units (native coin: 18 decimals); NULL while the decimals are not known.';
COMMENT ON COLUMN analytics.multi_sale.price_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.multi_sale.price_modifier IS 'Name of the rule by which the price changes, from analytics.enum_name.';
COMMENT ON COLUMN analytics.multi_sale.open IS 'The open flag, which purchases do not look at.';
COMMENT ON COLUMN analytics.multi_sale.starts_at IS 'When it starts; NULL when that is no date before the year 3000.';
COMMENT ON COLUMN analytics.multi_sale.ends_at IS 'When it ends; NULL when that is no date before the year 3000.';
COMMENT ON COLUMN analytics.multi_sale.max_quantity IS 'Most that may be sold.';
COMMENT ON COLUMN analytics.multi_sale.purchases IS 'How many purchases.';
COMMENT ON COLUMN analytics.multi_sale.quantity IS 'How much they bought, as far as known.';
COMMENT ON COLUMN analytics.multi_sale.created_block IS 'Block of its creation; NULL when it was not seen.';
