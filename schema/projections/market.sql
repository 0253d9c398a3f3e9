-- projection: market
-- tables: state.listing, state.sale, state.sale_payout
-- reads: event.marketplace_listings, event.marketplace_sales, event.marketplace_delisted, event.marketplace_payment_distributed, event.marketplace_initialized, event.erc721_transfer
--
-- A listing is open until the next Sales, Delisted or Listings of its token. Sales says neither price nor seller (they are
-- the open listing's), and names the caller, who may be the diamond itself (a purchase that comes in through it); the new
-- owner is the receiver of the token's Transfer in the same transaction. Payouts come before their Sales in the same
-- transaction and do not say what they are for: they belong to the next Sales of the diamond there, and the last of them is
-- the seller's. Payouts of nothing are not emitted, so where the diamond's shares of this price leave the seller nothing, the
-- last one is a fee as well.
--
-- What lies around a log is looked at with windows over one stream of logs rather than with joins: joins of streams that the
-- planner knows nothing about turn quadratic in a backfill.

WITH stream AS (
    SELECT
        address AS diamond, token_id, 'listed' AS kind, block_number, tx_index, log_index, NULL::bytea AS from_, NULL::bytea AS to_,
        seller, price, payment_token, NULL::timestamptz AS block_time, NULL::bytea AS tx_hash
    FROM event.marketplace_listings
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, 'sold', block_number, tx_index, log_index, NULL, owner, NULL, NULL, NULL, block_time, tx_hash
    FROM event.marketplace_sales
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, item_id, 'delisted', block_number, tx_index, log_index, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM event.marketplace_delisted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, 'moved', block_number, tx_index, log_index, from_, to_, NULL, NULL, NULL, NULL, NULL
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), neighbours AS (
    SELECT
        *,
        CASE WHEN lag(kind) OVER same_tx = 'moved' THEN lag(to_) OVER same_tx END AS handed_to,
        CASE WHEN lead(kind) OVER same_tx = 'moved' THEN lead(to_) OVER same_tx END AS then_to,
        CASE WHEN lead(kind) OVER same_tx = 'moved' THEN lead(from_) OVER same_tx END AS then_from
    FROM stream
    WINDOW same_tx AS (PARTITION BY diamond, token_id, block_number, tx_index ORDER BY log_index)
), walk AS (
    SELECT
        *,
        row_number() OVER token AS turn,
        lag(kind) OVER token = 'listed' AS listed,
        lag(seller) OVER token AS listing_seller,
        lag(price) OVER token AS listing_price,
        lag(payment_token) OVER token AS listing_token,
        lag(block_number) OVER token AS listing_block,
        lag(log_index) OVER token AS listing_log_index
    FROM neighbours
    WHERE kind <> 'moved'
    WINDOW token AS (PARTITION BY diamond, token_id ORDER BY block_number, log_index)
), flow AS (
    SELECT
        walk.*, NULL::numeric AS amount, true AS is_sale
    FROM walk
    WHERE kind = 'sold'
    UNION ALL
    SELECT
        address, NULL, NULL, block_number, tx_index, log_index, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, amount, false
    FROM event.marketplace_payment_distributed
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), summed AS (
    SELECT
        *,
        coalesce(sum(amount) OVER same_tx, 0) AS paid_so_far,
        lag(amount) OVER same_tx AS last_amount,
        lag(log_index) OVER same_tx AS last_log
    FROM flow
    WINDOW same_tx AS (PARTITION BY diamond, block_number, tx_index ORDER BY log_index ROWS UNBOUNDED PRECEDING)
), sold AS (
    SELECT
        summed.*,
        paid_so_far - lag(paid_so_far, 1, 0) OVER (PARTITION BY diamond, block_number, tx_index ORDER BY log_index) AS total
    FROM summed
    WHERE is_sale
), priced AS MATERIALIZED (
    SELECT
        sold.block_number, sold.log_index, sold.block_time, sold.tx_hash, sold.diamond, sold.token_id,
        sold.to_ AS caller, sold.handed_to, sold.then_from, sold.then_to, sold.total, sold.last_amount, sold.last_log,
        sync.address_or_null(CASE WHEN listed THEN listing_seller ELSE live.seller END) AS seller,
        CASE WHEN listed THEN listing_price ELSE live.price END AS price,
        sync.address_or_null(CASE WHEN listed THEN listing_token ELSE live.payment_token END) AS payment_token,
        CASE WHEN listed THEN listing_block ELSE live.opened_block END AS listing_block,
        CASE WHEN listed THEN listing_log_index ELSE live.opened_log_index END AS listing_log_index
    FROM sold
    LEFT JOIN state.listing AS live
        ON sold.turn = 1 AND live.chain_id = $1 AND live.diamond = sold.diamond AND live.token_id = sold.token_id
        AND live.status = 'open'
), shares AS MATERIALIZED (
    SELECT address, block_number, log_index, fee_receivers
    FROM event.marketplace_initialized
    WHERE chain_id = $1 AND block_number <= $3
), settled AS (
    SELECT
        priced.*,
        CASE WHEN priced.price > 0 AND due.fees >= priced.price THEN 0 ELSE coalesce(priced.last_amount, 0) END AS seller_net
    FROM priced
    CROSS JOIN LATERAL (
        SELECT sum(div(priced.price * (share.value ->> 'sharePerMillion')::numeric, 1000000)) AS fees
        FROM (
            SELECT fee_receivers
            FROM shares
            WHERE shares.address = priced.diamond
              AND (shares.block_number, shares.log_index) < (priced.block_number, priced.log_index)
            ORDER BY shares.block_number DESC, shares.log_index DESC
            LIMIT 1
        ) AS config
        CROSS JOIN jsonb_array_elements(config.fee_receivers) AS share (value)
    ) AS due
)
INSERT INTO state.sale (
    chain_id, block_number, log_index, block_time, tx_hash, diamond, token_id, buyer, seller, price, payment_token,
    fee_total, seller_net, listing_block, listing_log_index, inconsistent, inconsistency, updated_block
)
SELECT
    $1, block_number, log_index, block_time, tx_hash, diamond, token_id,
    sync.address_or_null(CASE
        WHEN handed_to IS NULL THEN coalesce(then_to, caller)
        WHEN handed_to = diamond AND then_from = diamond THEN then_to
        ELSE handed_to
    END),
    seller,
    price,
    CASE WHEN listing_block IS NOT NULL THEN payment_token
        ELSE (
            SELECT sync.address_or_null(payout.token)
            FROM event.marketplace_payment_distributed AS payout
            WHERE payout.chain_id = $1 AND payout.block_number = settled.block_number
              AND payout.log_index = settled.last_log AND settled.last_amount IS NOT NULL
        ) END,
    total - seller_net,
    seller_net,
    listing_block,
    listing_log_index,
    listing_block IS NULL OR coalesce(handed_to, then_to) IS NULL,
    nullif(concat_ws(
        '; ',
        CASE WHEN listing_block IS NULL THEN 'no open listing' END,
        CASE WHEN coalesce(handed_to, then_to) IS NULL THEN 'no transfer of the token in its transaction' END
    ), ''),
    block_number
FROM settled;

WITH flow AS (
    SELECT
        *,
        min(of_sale) OVER (
            PARTITION BY block_number, tx_index, address ORDER BY log_index DESC ROWS UNBOUNDED PRECEDING
        ) AS sale_log_index,
        lead(amount IS NULL, 1, true) OVER (PARTITION BY block_number, tx_index, address ORDER BY log_index) AS is_last
    FROM (
        SELECT
            address, block_number, block_time, tx_hash, tx_index, log_index, token, receiver, amount,
            NULL::integer AS of_sale
        FROM event.marketplace_payment_distributed
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT address, block_number, block_time, tx_hash, tx_index, log_index, NULL, NULL, NULL, log_index
        FROM event.marketplace_sales
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ) AS said
)
INSERT INTO state.sale_payout (
    chain_id, block_number, log_index, block_time, tx_hash, diamond, sale_log_index, receiver, token, amount, kind,
    inconsistent, inconsistency, updated_block
)
SELECT
    $1, flow.block_number, flow.log_index, flow.block_time, flow.tx_hash, flow.address, flow.sale_log_index,
    sync.address_or_null(flow.receiver),
    sync.address_or_null(flow.token),
    flow.amount,
    CASE
        WHEN sale.log_index IS NULL THEN NULL
        WHEN flow.is_last AND flow.amount = sale.seller_net THEN 'seller'
        ELSE 'fee'
    END,
    sale.log_index IS NULL,
    CASE WHEN sale.log_index IS NULL THEN 'no sale follows in its transaction' END,
    flow.block_number
FROM flow
LEFT JOIN state.sale AS sale
    ON sale.chain_id = $1 AND sale.block_number = flow.block_number AND sale.log_index = flow.sale_log_index
WHERE flow.amount IS NOT NULL;

WITH stream AS (
    SELECT
        address AS diamond, token_id, 'superseded' AS ends_as, block_number, tx_index, log_index, NULL::bytea AS to_,
        seller, receiver, price, payment_token
    FROM event.marketplace_listings
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT
        log.address, log.token_id, 'sold', log.block_number, log.tx_index, log.log_index, sale.buyer, NULL, NULL, NULL, NULL
    FROM event.marketplace_sales AS log
    LEFT JOIN state.sale AS sale
        ON sale.chain_id = $1 AND sale.block_number = log.block_number AND sale.log_index = log.log_index
    WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, item_id, 'delisted', block_number, tx_index, log_index, NULL, NULL, NULL, NULL, NULL
    FROM event.marketplace_delisted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, 'moved', block_number, tx_index, log_index, to_, NULL, NULL, NULL, NULL
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), neighbours AS (
    SELECT
        *,
        CASE
            WHEN lag(ends_as) OVER same_tx = 'moved' THEN lag(to_) OVER same_tx
            WHEN lead(ends_as) OVER same_tx = 'moved' THEN lead(to_) OVER same_tx
        END AS holder
    FROM stream
    WINDOW same_tx AS (PARTITION BY diamond, token_id, block_number, tx_index ORDER BY log_index)
), walk AS (
    SELECT
        *,
        row_number() OVER token AS turn,
        lead(ends_as) OVER token AS next_ends_as,
        lead(block_number) OVER token AS next_block,
        lead(log_index) OVER token AS next_log,
        lead(to_) OVER token AS next_buyer
    FROM neighbours
    WHERE ends_as <> 'moved'
    WINDOW token AS (PARTITION BY diamond, token_id ORDER BY block_number, log_index)
), closed AS (
    UPDATE state.listing AS live
    SET status = walk.ends_as,
        buyer = walk.to_,
        closed_block = walk.block_number,
        closed_log_index = walk.log_index,
        updated_block = walk.block_number
    FROM walk
    WHERE live.chain_id = $1 AND live.diamond = walk.diamond AND live.token_id = walk.token_id
      AND live.status = 'open' AND walk.turn = 1
)
INSERT INTO state.listing (
    chain_id, diamond, token_id, opened_block, opened_log_index, seller, receiver, price, payment_token, status,
    escrowed, buyer, closed_block, closed_log_index, updated_block
)
SELECT
    $1, diamond, token_id, block_number, log_index,
    sync.address_or_null(seller),
    sync.address_or_null(receiver),
    price,
    sync.address_or_null(payment_token),
    coalesce(next_ends_as, 'open'),
    coalesce(holder = diamond, false),
    next_buyer,
    next_block,
    next_log,
    coalesce(next_block, block_number)
FROM walk
WHERE ends_as = 'superseded';
