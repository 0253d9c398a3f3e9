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

WITH step AS (
    SELECT
        address AS diamond, token_id, true AS opens, block_number, log_index, tx_index,
        seller, price, payment_token
    FROM event.marketplace_listings
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, false, block_number, log_index, tx_index, NULL, NULL, NULL
    FROM event.marketplace_sales
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, item_id, false, block_number, log_index, tx_index, NULL, NULL, NULL
    FROM event.marketplace_delisted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), walk AS (
    SELECT
        diamond, token_id, block_number, log_index,
        row_number() OVER token AS turn,
        lag(opens) OVER token AS listed,
        lag(seller) OVER token AS seller,
        lag(price) OVER token AS price,
        lag(payment_token) OVER token AS payment_token,
        lag(block_number) OVER token AS listing_block,
        lag(log_index) OVER token AS listing_log_index,
        lag(log_index) OVER (PARTITION BY diamond, token_id, block_number, tx_index ORDER BY log_index) AS after_log,
        lead(log_index) OVER (PARTITION BY diamond, token_id, block_number, tx_index ORDER BY log_index) AS before_log
    FROM step
    WINDOW token AS (PARTITION BY diamond, token_id ORDER BY block_number, log_index)
), sold AS MATERIALIZED (
    SELECT
        log.block_number, log.log_index, log.block_time, log.tx_hash, log.tx_index, log.address AS diamond,
        log.token_address, log.token_id, log.owner AS caller, walk.after_log, walk.before_log,
        sync.address_or_null(CASE WHEN walk.listed THEN walk.seller ELSE live.seller END) AS seller,
        CASE WHEN walk.listed THEN walk.price ELSE live.price END AS price,
        sync.address_or_null(CASE WHEN walk.listed THEN walk.payment_token ELSE live.payment_token END) AS payment_token,
        CASE WHEN walk.listed THEN walk.listing_block ELSE live.opened_block END AS listing_block,
        CASE WHEN walk.listed THEN walk.listing_log_index ELSE live.opened_log_index END AS listing_log_index
    FROM event.marketplace_sales AS log
    JOIN walk
        ON walk.diamond = log.address AND walk.token_id = log.token_id
        AND walk.block_number = log.block_number AND walk.log_index = log.log_index
    LEFT JOIN state.listing AS live
        ON walk.turn = 1 AND live.chain_id = $1 AND live.diamond = log.address AND live.token_id = log.token_id
        AND live.status = 'open'
    WHERE log.chain_id = $1 AND log.block_number BETWEEN $2 AND $3
), moved AS (
    SELECT
        sold.block_number, sold.log_index, transfer.from_, transfer.to_,
        transfer.log_index AS moved_log,
        transfer.log_index < sold.log_index AS earlier
    FROM sold
    JOIN event.erc721_transfer AS transfer
        ON transfer.chain_id = $1 AND transfer.block_number BETWEEN $2 AND $3
        AND transfer.block_number = sold.block_number AND transfer.tx_index = sold.tx_index
        AND transfer.token_id = sold.token_id AND transfer.address IN (sold.diamond, sold.token_address)
        AND transfer.log_index > coalesce(sold.after_log, -1)
        AND (sold.before_log IS NULL OR transfer.log_index < sold.before_log)
), handed AS (
    SELECT DISTINCT ON (block_number, log_index) block_number, log_index, to_
    FROM moved
    WHERE earlier
    ORDER BY block_number, log_index, moved_log DESC
), handed_on AS (
    SELECT DISTINCT ON (block_number, log_index) block_number, log_index, from_, to_
    FROM moved
    WHERE NOT earlier
    ORDER BY block_number, log_index, moved_log
), flow AS (
    SELECT
        block_number, log_index, token, amount,
        min(sale_log_index) OVER (
            PARTITION BY block_number, tx_index, address ORDER BY log_index DESC ROWS UNBOUNDED PRECEDING
        ) AS sale_log_index
    FROM (
        SELECT address, block_number, tx_index, log_index, token, amount, NULL::integer AS sale_log_index
        FROM event.marketplace_payment_distributed
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
        UNION ALL
        SELECT address, block_number, tx_index, log_index, NULL, NULL, log_index
        FROM event.marketplace_sales
        WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ) AS said
), paid AS (
    SELECT
        block_number, sale_log_index, sum(amount) AS total, (array_agg(token))[1] AS token,
        (array_agg(amount ORDER BY log_index DESC))[1] AS last_amount
    FROM flow
    WHERE amount IS NOT NULL AND sale_log_index IS NOT NULL
    GROUP BY block_number, sale_log_index
), shares AS MATERIALIZED (
    SELECT init.address, init.block_number, init.log_index, init.fee_receivers
    FROM event.marketplace_initialized AS init
    WHERE init.chain_id = $1 AND init.block_number <= $3 AND init.address IN (SELECT diamond FROM sold)
), settled AS (
    SELECT
        sold.*, paid.total, paid.last_amount, paid.token AS paid_token,
        sold.price > 0 AND coalesce(due.fees >= sold.price, false) AS nothing_left
    FROM sold
    LEFT JOIN paid ON paid.block_number = sold.block_number AND paid.sale_log_index = sold.log_index
    LEFT JOIN LATERAL (
        SELECT fee_receivers
        FROM shares
        WHERE shares.address = sold.diamond
          AND (shares.block_number, shares.log_index) < (sold.block_number, sold.log_index)
        ORDER BY shares.block_number DESC, shares.log_index DESC
        LIMIT 1
    ) AS config ON true
    LEFT JOIN LATERAL (
        SELECT sum(div(sold.price * (share ->> 'sharePerMillion')::numeric, 1000000)) AS fees
        FROM jsonb_array_elements(config.fee_receivers) AS share
    ) AS due ON true
)
INSERT INTO state.sale (
    chain_id, block_number, log_index, block_time, tx_hash, diamond, token_id, buyer, seller, price, payment_token,
    fee_total, seller_net, listing_block, listing_log_index, inconsistent, inconsistency, updated_block
)
SELECT
    $1, block_number, log_index, settled.block_time, settled.tx_hash, settled.diamond, settled.token_id,
    sync.address_or_null(CASE
        WHEN handed.to_ <> settled.diamond THEN handed.to_
        WHEN handed.to_ IS NULL OR handed_on.from_ = settled.diamond
            THEN coalesce(handed_on.to_, handed.to_, settled.caller)
        ELSE handed.to_
    END),
    settled.seller,
    settled.price,
    CASE WHEN settled.listing_block IS NULL THEN sync.address_or_null(settled.paid_token) ELSE settled.payment_token END,
    coalesce(settled.total, 0) - CASE WHEN settled.nothing_left THEN 0 ELSE coalesce(settled.last_amount, 0) END,
    CASE WHEN settled.nothing_left THEN 0 ELSE coalesce(settled.last_amount, 0) END,
    settled.listing_block,
    settled.listing_log_index,
    settled.listing_block IS NULL OR coalesce(handed.to_, handed_on.to_) IS NULL,
    nullif(concat_ws(
        '; ',
        CASE WHEN settled.listing_block IS NULL THEN 'no open listing' END,
        CASE WHEN coalesce(handed.to_, handed_on.to_) IS NULL THEN 'no transfer of the token in its transaction' END
    ), ''),
    block_number
FROM settled
LEFT JOIN handed USING (block_number, log_index)
LEFT JOIN handed_on USING (block_number, log_index);

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

WITH step AS (
    SELECT
        address AS diamond, token_id, 'superseded' AS ends_as, block_number, log_index, tx_index,
        nft_contract, seller, receiver, price, payment_token
    FROM event.marketplace_listings
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, 'sold', block_number, log_index, tx_index, NULL, NULL, NULL, NULL, NULL
    FROM event.marketplace_sales
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, item_id, 'delisted', block_number, log_index, tx_index, NULL, NULL, NULL, NULL, NULL
    FROM event.marketplace_delisted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), walk AS (
    SELECT
        step.*,
        sale.buyer,
        row_number() OVER token AS turn,
        lead(ends_as) OVER token AS next_ends_as,
        lead(step.block_number) OVER token AS next_block,
        lead(step.log_index) OVER token AS next_log,
        lead(sale.buyer) OVER token AS next_buyer,
        lag(step.log_index) OVER same_tx AS after_log,
        lead(step.log_index) OVER same_tx AS before_log
    FROM step
    LEFT JOIN state.sale AS sale
        ON step.ends_as = 'sold' AND sale.chain_id = $1
        AND sale.block_number = step.block_number AND sale.log_index = step.log_index
    WINDOW
        token AS (PARTITION BY step.diamond, step.token_id ORDER BY step.block_number, step.log_index),
        same_tx AS (
            PARTITION BY step.diamond, step.token_id, step.block_number, step.tx_index ORDER BY step.log_index
        )
), moved AS (
    SELECT DISTINCT ON (walk.block_number, walk.log_index)
        walk.block_number, walk.log_index, transfer.to_ = walk.diamond AS to_diamond
    FROM walk
    JOIN event.erc721_transfer AS transfer
        ON transfer.chain_id = $1 AND transfer.block_number BETWEEN $2 AND $3
        AND transfer.block_number = walk.block_number AND transfer.tx_index = walk.tx_index
        AND transfer.token_id = walk.token_id AND transfer.address IN (walk.diamond, walk.nft_contract)
        AND transfer.log_index > coalesce(walk.after_log, -1)
        AND (walk.before_log IS NULL OR transfer.log_index < walk.before_log)
    WHERE walk.ends_as = 'superseded'
    ORDER BY
        walk.block_number, walk.log_index, transfer.log_index > walk.log_index,
        abs(transfer.log_index - walk.log_index)
), closed AS (
    UPDATE state.listing AS live
    SET status = walk.ends_as,
        buyer = walk.buyer,
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
    coalesce(moved.to_diamond, false),
    next_buyer,
    next_block,
    next_log,
    coalesce(next_block, block_number)
FROM walk
LEFT JOIN moved USING (block_number, log_index)
WHERE ends_as = 'superseded';
