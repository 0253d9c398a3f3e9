-- projection: multi_sale
-- tables: state.multi_sale, state.multi_sale_purchase
-- reads: event.multi_sale_created, event.multi_sale_updated, event.multi_sale_sold, event.erc20_transfer
-- beside: event.erc20_transfer
--
-- MultiSaleCreated and MultiSaleUpdated carry all settings; nothing else tells that a sale opens or closes. MultiSaleSold has
-- neither quantity nor price: they are derived from the transfers of its transaction.

-- Purchases first: the settings in force are those of the last event before the log, in this range or before it. The transfers
-- of a purchase are those since the purchase before it in the transaction; where even the first purchase has none before it,
-- they are those up to the next.
WITH stream AS (
    SELECT address AS diamond, token_sale_id AS sale_id, block_number, log_index, true AS sets, settings,
        NULL::bytea AS purchaser, NULL::numeric[] AS token_ids, tx_hash, block_time
    FROM event.multi_sale_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_sale_id, block_number, log_index, true, token_sale, NULL, NULL, tx_hash, block_time
    FROM event.multi_sale_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_sale_id, block_number, log_index, false, NULL, purchaser, token_ids, tx_hash, block_time
    FROM event.multi_sale_sold
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    SELECT stream.*,
        count(*) FILTER (WHERE sets) OVER (PARTITION BY diamond, sale_id ORDER BY block_number, log_index) AS era
    FROM stream
), valued AS (
    SELECT diamond, sale_id, block_number, log_index, sets, era, purchaser, token_ids, tx_hash, block_time,
        first_value(settings) OVER (PARTITION BY diamond, sale_id, era ORDER BY block_number, log_index) AS settings
    FROM placed
), purchase AS MATERIALIZED (
    SELECT diamond, sale_id, valued.purchaser, valued.token_ids, valued.block_number, valued.log_index, valued.tx_hash,
        valued.block_time,
        valued.era > 0 OR live.chain_id IS NOT NULL AS known,
        CASE WHEN valued.era > 0 THEN sync.address_or_null(sync.hex_bytes(valued.settings ->> 'token'))
            ELSE live.token END AS token,
        CASE WHEN valued.era > 0 THEN sync.address_or_null(sync.hex_bytes(valued.settings ->> 'tokenAddress'))
            ELSE live.token_address END AS token_address,
        CASE WHEN valued.era > 0 THEN sync.address_or_null(sync.hex_bytes(valued.settings ->> 'paymentToken'))
            ELSE live.payment_token END AS payment_token,
        CASE WHEN valued.era > 0 THEN sync.address_or_null(sync.hex_bytes(valued.settings ->> 'payee'))
            ELSE live.payee END AS payee,
        CASE WHEN valued.era > 0 THEN sync.address_or_null(sync.hex_bytes(valued.settings ->> 'owner'))
            ELSE live.owner END AS owner,
        lag(valued.log_index, 1, -1) OVER in_tx AS earlier,
        lead(valued.log_index, 1, 2147483647) OVER in_tx AS later,
        first_value(valued.log_index) OVER in_tx AS opening
    FROM valued
    LEFT JOIN (SELECT * FROM state.multi_sale WHERE chain_id = $1) AS live USING (diamond, sale_id)
    WHERE NOT valued.sets
    WINDOW in_tx AS (PARTITION BY valued.block_number, valued.tx_hash, diamond ORDER BY valued.log_index)
)
INSERT INTO state.multi_sale_purchase (
    chain_id, block_number, log_index, diamond, sale_id, purchaser_or_receiver, token_ids, quantity, paid, payment_token,
    tx_hash, block_time, inconsistent, inconsistency, updated_block
)
SELECT $1, block_number, log_index, diamond, sale_id, sync.address_or_null(purchaser), token_ids,
    CASE
        WHEN cardinality(token_ids) > 0 THEN cardinality(token_ids)
        WHEN minted.ahead THEN minted.before
        ELSE minted.after
    END,
    CASE WHEN payment.ahead THEN payment.before ELSE payment.after END,
    payment_token, tx_hash, block_time, NOT known, CASE WHEN NOT known THEN 'sold before its settings were seen' END,
    block_number
FROM purchase
LEFT JOIN LATERAL (
    SELECT bool_or(transfer.log_index < purchase.opening) AS ahead,
        sum(transfer.value) FILTER (
            WHERE transfer.log_index > purchase.earlier AND transfer.log_index < purchase.log_index
        ) AS before,
        sum(transfer.value) FILTER (
            WHERE transfer.log_index > purchase.log_index AND transfer.log_index < purchase.later
        ) AS after
    FROM event.erc20_transfer AS transfer
    WHERE cardinality(purchase.token_ids) = 0
      AND transfer.chain_id = $1 AND transfer.block_number = purchase.block_number AND transfer.tx_hash = purchase.tx_hash
      AND sync.address_or_null(transfer.from_) IS NULL
      AND CASE
          WHEN coalesce(purchase.token, purchase.token_address) IS NULL THEN transfer.to_ = purchase.purchaser
          ELSE transfer.address IN (purchase.token, purchase.token_address)
      END
) AS minted ON true
LEFT JOIN LATERAL (
    SELECT bool_or(transfer.log_index < purchase.opening) AS ahead,
        sum(transfer.value) FILTER (
            WHERE transfer.log_index > purchase.earlier AND transfer.log_index < purchase.log_index
        ) AS before,
        sum(transfer.value) FILTER (
            WHERE transfer.log_index > purchase.log_index AND transfer.log_index < purchase.later
        ) AS after
    FROM event.erc20_transfer AS transfer
    WHERE transfer.chain_id = $1 AND transfer.block_number = purchase.block_number AND transfer.tx_hash = purchase.tx_hash
      AND transfer.address = purchase.payment_token
      AND sync.address_or_null(transfer.from_) IS NOT NULL AND transfer.from_ <> purchase.diamond
      AND transfer.to_ IN (purchase.diamond, purchase.payee, purchase.owner)
) AS payment ON true;

WITH said AS MATERIALIZED (
    SELECT address AS diamond, token_sale_id AS sale_id, settings, block_number, log_index, true AS created
    FROM event.multi_sale_created
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_sale_id, token_sale, block_number, log_index, false
    FROM event.multi_sale_updated
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), judged AS (
    SELECT said.*,
        CASE
            WHEN said.created AND (live.created_block IS NOT NULL OR count(*) FILTER (WHERE said.created) OVER along > 1)
                THEN 'created again'
            WHEN NOT said.created AND live.chain_id IS NULL AND row_number() OVER along = 1
                THEN 'updated before its MultiSaleCreated'
        END AS reason
    FROM said
    LEFT JOIN (SELECT * FROM state.multi_sale WHERE chain_id = $1) AS live USING (diamond, sale_id)
    WINDOW along AS (PARTITION BY said.diamond, said.sale_id ORDER BY said.block_number, said.log_index)
), summed AS (
    SELECT diamond, sale_id,
        min(block_number) FILTER (WHERE created) AS created_block,
        (array_agg(reason ORDER BY block_number, log_index) FILTER (WHERE reason IS NOT NULL))[1] AS reason
    FROM judged
    GROUP BY diamond, sale_id
), last_said AS (
    SELECT DISTINCT ON (diamond, sale_id) diamond, sale_id, settings, settings -> 'price' AS pricing, block_number
    FROM said
    ORDER BY diamond, sale_id, block_number DESC, log_index DESC
)
INSERT INTO state.multi_sale AS live (
    chain_id, diamond, sale_id, token_type, token, token_hash, whitelist_hash, whitelist_only, payment_method, payment_token,
    owner, payee, symbol, name, description, open_state, start_time, end_time, max_quantity, max_quantity_per_sale,
    min_quantity_per_sale, max_quantity_per_account, payment_type, token_address, next_sale_id, price, price_modifier,
    price_modifier_factor, max_price, created_block, inconsistent, inconsistency, updated_block
)
SELECT $1, diamond, sale_id,
    (settings ->> 'tokenType')::integer,
    sync.address_or_null(sync.hex_bytes(settings ->> 'token')),
    (settings ->> 'tokenHash')::numeric,
    (settings ->> 'whitelistHash')::numeric,
    (settings ->> 'whitelistOnly')::boolean,
    (settings ->> 'paymentMethod')::integer,
    sync.address_or_null(sync.hex_bytes(settings ->> 'paymentToken')),
    sync.address_or_null(sync.hex_bytes(settings ->> 'owner')),
    sync.address_or_null(sync.hex_bytes(settings ->> 'payee')),
    settings ->> 'symbol',
    settings ->> 'name',
    settings ->> 'description',
    (settings ->> 'openState')::boolean,
    (settings ->> 'startTime')::numeric,
    (settings ->> 'endTime')::numeric,
    (settings ->> 'maxQuantity')::numeric,
    (settings ->> 'maxQuantityPerSale')::numeric,
    (settings ->> 'minQuantityPerSale')::numeric,
    (settings ->> 'maxQuantityPerAccount')::numeric,
    (settings ->> 'paymentType')::integer,
    sync.address_or_null(sync.hex_bytes(settings ->> 'tokenAddress')),
    (settings ->> 'nextSaleId')::numeric,
    (pricing ->> 'price')::numeric,
    (pricing ->> 'priceModifier')::integer,
    (pricing ->> 'priceModifierFactor')::numeric,
    (pricing ->> 'maxPrice')::numeric,
    summed.created_block, summed.reason IS NOT NULL, summed.reason, last_said.block_number
FROM last_said
JOIN summed USING (diamond, sale_id)
ON CONFLICT (chain_id, diamond, sale_id) DO UPDATE
SET token_type = excluded.token_type,
    token = excluded.token,
    token_hash = excluded.token_hash,
    whitelist_hash = excluded.whitelist_hash,
    whitelist_only = excluded.whitelist_only,
    payment_method = excluded.payment_method,
    payment_token = excluded.payment_token,
    owner = excluded.owner,
    payee = excluded.payee,
    symbol = excluded.symbol,
    name = excluded.name,
    description = excluded.description,
    open_state = excluded.open_state,
    start_time = excluded.start_time,
    end_time = excluded.end_time,
    max_quantity = excluded.max_quantity,
    max_quantity_per_sale = excluded.max_quantity_per_sale,
    min_quantity_per_sale = excluded.min_quantity_per_sale,
    max_quantity_per_account = excluded.max_quantity_per_account,
    payment_type = excluded.payment_type,
    token_address = excluded.token_address,
    next_sale_id = excluded.next_sale_id,
    price = excluded.price,
    price_modifier = excluded.price_modifier,
    price_modifier_factor = excluded.price_modifier_factor,
    max_price = excluded.max_price,
    created_block = coalesce(live.created_block, excluded.created_block),
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = excluded.updated_block;
