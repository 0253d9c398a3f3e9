-- The marketplace: listings, sales, payouts, prices and volume by day, fees.

CREATE OR REPLACE VIEW analytics.listing AS
SELECT listing.chain_id, analytics.hex(listing.diamond) AS diamond, listing.token_id, listing.opened_block,
    listing.opened_log_index, listing.status, analytics.hex(listing.seller) AS seller,
    analytics.hex(listing.receiver) AS receiver,
    analytics.scaled(listing.price, CASE WHEN listing.payment_token IS NULL THEN 18 ELSE token.decimals END) AS price,
    listing.price AS price_raw, analytics.hex(listing.payment_token) AS payment_token, token.symbol AS payment_symbol,
    listing.escrowed, analytics.hex(listing.buyer) AS buyer, listing.closed_block, listing.closed_log_index,
    listing.diamond AS diamond_bytes
FROM state.listing AS listing
LEFT JOIN state.token AS token ON token.chain_id = listing.chain_id AND token.contract = listing.payment_token;
COMMENT ON VIEW analytics.listing IS 'Listings of marketplaces, open and closed.';
COMMENT ON COLUMN analytics.listing.opened_block IS 'Block of the Listings event.';
COMMENT ON COLUMN analytics.listing.opened_log_index IS 'Log index of that event.';
COMMENT ON COLUMN analytics.listing.status IS 'open, sold, delisted, or superseded by a newer listing of the token.';
COMMENT ON COLUMN analytics.listing.seller IS 'Who listed it.';
COMMENT ON COLUMN analytics.listing.receiver IS 'Who is paid.';
COMMENT ON COLUMN analytics.listing.price IS 'Price in whole units of the payment token (native coin: 18 decimals); NULL while its decimals are not known.';
COMMENT ON COLUMN analytics.listing.price_raw IS 'Price in the smallest unit.';
COMMENT ON COLUMN analytics.listing.escrowed IS 'Whether the listing handed the token to the diamond.';
COMMENT ON COLUMN analytics.listing.buyer IS 'Who owned the token after the sale; NULL unless sold.';
COMMENT ON COLUMN analytics.listing.closed_block IS 'Block that closed it; NULL while open.';
COMMENT ON COLUMN analytics.listing.closed_log_index IS 'Log index of the event that closed it.';
COMMENT ON COLUMN analytics.listing.diamond_bytes IS 'The diamond as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.sale AS
SELECT sale.chain_id, sale.block_number, sale.log_index, sale.block_time, analytics.hex(sale.tx_hash) AS tx_hash,
    analytics.hex(sale.diamond) AS diamond, sale.token_id, analytics.hex(sale.buyer) AS buyer,
    analytics.hex(sale.seller) AS seller, analytics.scaled(sale.price, paid.decimals) AS price, sale.price AS price_raw,
    analytics.hex(sale.payment_token) AS payment_token, paid.symbol AS payment_symbol,
    analytics.scaled(sale.fee_total, paid.decimals) AS fee_total, sale.fee_total AS fee_total_raw,
    analytics.scaled(sale.seller_net, paid.decimals) AS seller_net, sale.seller_net AS seller_net_raw,
    sale.listing_block, sale.inconsistent, sale.inconsistency, sale.diamond AS diamond_bytes
FROM state.sale AS sale
LEFT JOIN state.token AS token ON token.chain_id = sale.chain_id AND token.contract = sale.payment_token
CROSS JOIN LATERAL (
    SELECT CASE WHEN sale.payment_token IS NULL THEN 18 ELSE token.decimals END AS decimals, token.symbol
) AS paid;
COMMENT ON VIEW analytics.sale IS 'Sales of marketplaces with price, fees and what the seller got.';
COMMENT ON COLUMN analytics.sale.buyer IS 'Who owned the token after the sale.';
COMMENT ON COLUMN analytics.sale.seller IS 'Seller of the listing; NULL when none was open.';
COMMENT ON COLUMN analytics.sale.price IS 'Price in whole units of the payment token (native coin: 18 decimals); NULL when unknown.';
COMMENT ON COLUMN analytics.sale.price_raw IS 'Price in the smallest unit.';
COMMENT ON COLUMN analytics.sale.payment_token IS 'The token paid with; NULL for the native coin and when unknown.';
COMMENT ON COLUMN analytics.sale.fee_total IS 'Payouts to fee receivers, in whole units.';
COMMENT ON COLUMN analytics.sale.fee_total_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.sale.seller_net IS 'Payout to the seller''s receiver, in whole units.';
COMMENT ON COLUMN analytics.sale.seller_net_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.sale.listing_block IS 'Block of the listing that was sold; NULL when none was open.';
COMMENT ON COLUMN analytics.sale.diamond_bytes IS 'The diamond as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.market_day AS
SELECT summed.chain_id, analytics.hex(summed.diamond) AS diamond, analytics.hex(summed.payment_token) AS payment_token,
    token.symbol AS payment_symbol, summed.day, summed.sales, summed.buyers,
    analytics.scaled(summed.volume, paid.decimals) AS volume, summed.volume AS volume_raw,
    analytics.scaled(summed.lowest, paid.decimals) AS lowest_price, analytics.scaled(summed.highest, paid.decimals) AS highest_price,
    analytics.scaled(summed.average, paid.decimals) AS average_price, analytics.scaled(summed.median, paid.decimals) AS median_price,
    analytics.scaled(summed.fees, paid.decimals) AS fees, summed.fees AS fees_raw
FROM (
    SELECT sale.chain_id, sale.diamond, sale.payment_token, (sale.block_time AT TIME ZONE 'UTC')::date AS day, count(*) AS sales,
        count(DISTINCT sale.buyer) AS buyers, sum(sale.price) AS volume, min(sale.price) AS lowest, max(sale.price) AS highest,
        round(avg(sale.price)) AS average, percentile_disc(0.5) WITHIN GROUP (ORDER BY sale.price) AS median,
        sum(sale.fee_total) AS fees
    FROM state.sale AS sale
    GROUP BY sale.chain_id, sale.diamond, sale.payment_token, (sale.block_time AT TIME ZONE 'UTC')::date
) AS summed
LEFT JOIN state.token AS token ON token.chain_id = summed.chain_id AND token.contract = summed.payment_token
CROSS JOIN LATERAL (
    SELECT CASE WHEN summed.payment_token IS NULL THEN 18 ELSE token.decimals END AS decimals
) AS paid;
COMMENT ON VIEW analytics.market_day IS 'Sales, volume, prices and fees of marketplaces by day and payment token.';
COMMENT ON COLUMN analytics.market_day.sales IS 'How many sales.';
COMMENT ON COLUMN analytics.market_day.buyers IS 'How many different buyers.';
COMMENT ON COLUMN analytics.market_day.volume IS 'Sum of prices in whole units of the payment token; sales without a known price do not count.';
COMMENT ON COLUMN analytics.market_day.volume_raw IS 'The same in the smallest unit.';
COMMENT ON COLUMN analytics.market_day.lowest_price IS 'Lowest price.';
COMMENT ON COLUMN analytics.market_day.highest_price IS 'Highest price.';
COMMENT ON COLUMN analytics.market_day.average_price IS 'Average price, to the smallest unit.';
COMMENT ON COLUMN analytics.market_day.median_price IS 'Median price: one that was paid.';
COMMENT ON COLUMN analytics.market_day.fees IS 'Payouts to fee receivers in whole units.';
COMMENT ON COLUMN analytics.market_day.fees_raw IS 'The same in the smallest unit.';

CREATE OR REPLACE VIEW analytics.sale_payout AS
SELECT payout.chain_id, payout.block_number, payout.log_index, payout.block_time, analytics.hex(payout.tx_hash) AS tx_hash,
    analytics.hex(payout.diamond) AS diamond, payout.sale_log_index, payout.kind, analytics.hex(payout.receiver) AS receiver,
    analytics.scaled(payout.amount, CASE WHEN payout.token IS NULL THEN 18 ELSE token.decimals END) AS amount,
    payout.amount AS amount_raw, analytics.hex(payout.token) AS payment_token, token.symbol AS payment_symbol
FROM state.sale_payout AS payout
LEFT JOIN state.token AS token ON token.chain_id = payout.chain_id AND token.contract = payout.token;
COMMENT ON VIEW analytics.sale_payout IS 'What marketplaces paid out for sales, to fee receivers and sellers.';
COMMENT ON COLUMN analytics.sale_payout.sale_log_index IS 'Log index of the Sales event it belongs to, in the same block; NULL when none follows.';
COMMENT ON COLUMN analytics.sale_payout.kind IS 'fee or seller; NULL without a sale.';
COMMENT ON COLUMN analytics.sale_payout.receiver IS 'Who was paid.';
COMMENT ON COLUMN analytics.sale_payout.amount IS 'Amount in whole units of the token paid; NULL while its decimals are not known.';
COMMENT ON COLUMN analytics.sale_payout.amount_raw IS 'Amount in the smallest unit.';

CREATE OR REPLACE VIEW analytics.fee_receiver AS
SELECT share.chain_id, analytics.hex(share.contract) AS contract, share.source, share."position",
    analytics.hex(share.receiver) AS receiver, share.weight, share.basis,
    round(100 * share.weight / nullif(share.basis, 0), 6) AS percent
FROM state.fee_receiver AS share;
COMMENT ON VIEW analytics.fee_receiver IS 'Who gets which part of the fees of marketplaces and fee distributors.';
COMMENT ON COLUMN analytics.fee_receiver.source IS 'marketplace or distributor.';
COMMENT ON COLUMN analytics.fee_receiver."position" IS 'Place in the list of receivers, from 0.';
COMMENT ON COLUMN analytics.fee_receiver.receiver IS 'Who gets it.';
COMMENT ON COLUMN analytics.fee_receiver.weight IS 'Its part, in units of the basis.';
COMMENT ON COLUMN analytics.fee_receiver.basis IS 'What the parts are parts of; NULL when unknown.';
COMMENT ON COLUMN analytics.fee_receiver.percent IS 'The part in percent; NULL when the basis is unknown.';
