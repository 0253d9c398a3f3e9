-- Classes as the platform's existing user interfaces query them. Names and columns are theirs; addresses are lower-case hex,
-- amounts in the smallest unit. A class for each event name (<EventName>__e) is written from the event tables.

CREATE OR REPLACE VIEW parity."Token" AS
SELECT nft.chain_id AS "chainId", analytics.hex(nft.contract) AS "contractAddress", nft.token_id AS "tokenId",
    analytics.hex(nft.owner) AS owner, offered.price, credit.remaining AS "existingCredits",
    project.value AS "projectId", analytics.hex(minted.tx_hash) AS "transactionHash", nft.minted_block AS "blockNumber",
    nft.burned
FROM state.nft AS nft
LEFT JOIN LATERAL (
    SELECT listing.price FROM state.listing AS listing
    WHERE listing.chain_id = nft.chain_id AND listing.diamond = nft.contract AND listing.token_id = nft.token_id
      AND listing.status = 'open'
    ORDER BY listing.opened_block DESC, listing.opened_log_index DESC LIMIT 1
) AS offered ON true
LEFT JOIN state.carbon_credit AS credit
    ON credit.chain_id = nft.chain_id AND credit.contract = nft.contract AND credit.token_id = nft.token_id
LEFT JOIN state.token_attribute AS project ON project.chain_id = nft.chain_id AND project.contract = nft.contract
    AND project.token_id = nft.token_id AND project.key = 'projectId' AND NOT project.removed
LEFT JOIN LATERAL (
    SELECT moved.tx_hash FROM event.erc721_transfer AS moved
    WHERE moved.chain_id = nft.chain_id AND moved.address = nft.contract AND moved.token_id = nft.token_id
      AND moved.block_number = nft.minted_block
    ORDER BY moved.log_index LIMIT 1
) AS minted ON true;
COMMENT ON VIEW parity."Token" IS 'Tokens of diamonds and other ERC-721 contracts.';
COMMENT ON COLUMN parity."Token".owner IS 'The owner; NULL when burned.';
COMMENT ON COLUMN parity."Token".price IS 'Price of the open listing; NULL when it is not for sale.';
COMMENT ON COLUMN parity."Token"."existingCredits" IS 'Carbon credits left; NULL when it never had any.';
COMMENT ON COLUMN parity."Token"."projectId" IS 'Attribute projectId; NULL when events told none.';
COMMENT ON COLUMN parity."Token"."transactionHash" IS 'Transaction that minted it; NULL when that was not seen.';
COMMENT ON COLUMN parity."Token"."blockNumber" IS 'Block that minted it.';
COMMENT ON COLUMN parity."Token".burned IS 'Whether it was burned.';

CREATE OR REPLACE VIEW parity."TokenListing" AS
SELECT listing.chain_id AS "chainId", analytics.hex(listing.diamond) AS "contractAddress", listing.token_id AS "tokenId",
    analytics.hex(listing.seller) AS seller, analytics.hex(listing.receiver) AS receiver, listing.price,
    analytics.hex(listing.payment_token) AS "paymentToken", listing.status = 'sold' AS sold, listing.status,
    analytics.hex(listing.buyer) AS buyer, analytics.hex(opened.tx_hash) AS "transactionHash",
    listing.opened_block AS "blockNumber", listing.opened_log_index AS "logIndex"
FROM state.listing AS listing
LEFT JOIN event.marketplace_listings AS opened ON opened.chain_id = listing.chain_id
    AND opened.block_number = listing.opened_block AND opened.log_index = listing.opened_log_index;
COMMENT ON VIEW parity."TokenListing" IS 'Listings of marketplaces.';
COMMENT ON COLUMN parity."TokenListing".seller IS 'Who listed it.';
COMMENT ON COLUMN parity."TokenListing".receiver IS 'Who is paid.';
COMMENT ON COLUMN parity."TokenListing".price IS 'The price.';
COMMENT ON COLUMN parity."TokenListing"."paymentToken" IS 'The token paid with; NULL for the native coin.';
COMMENT ON COLUMN parity."TokenListing".sold IS 'Whether it was sold.';
COMMENT ON COLUMN parity."TokenListing".status IS 'open, sold, delisted or superseded.';
COMMENT ON COLUMN parity."TokenListing".buyer IS 'Who owned the token after the sale; NULL unless sold.';

CREATE OR REPLACE VIEW parity."TokenSale" AS
SELECT sale.chain_id AS "chainId", analytics.hex(sale.diamond) AS "contractAddress", sale.token_id AS "tokenId",
    analytics.hex(sale.buyer) AS buyer, analytics.hex(sale.seller) AS seller, sale.price,
    analytics.hex(sale.payment_token) AS "paymentToken", sale.fee_total AS fee, sale.seller_net AS "sellerNet",
    analytics.hex(sale.tx_hash) AS "transactionHash", sale.block_number AS "blockNumber", sale.block_time AS "blockTime",
    sale.log_index AS "logIndex"
FROM state.sale AS sale;
COMMENT ON VIEW parity."TokenSale" IS 'Sales of marketplaces.';
COMMENT ON COLUMN parity."TokenSale".buyer IS 'Who owned the token after the sale.';
COMMENT ON COLUMN parity."TokenSale".seller IS 'Seller of the listing; NULL when none was open.';
COMMENT ON COLUMN parity."TokenSale".price IS 'Price of the listing; NULL when none was open.';
COMMENT ON COLUMN parity."TokenSale"."paymentToken" IS 'The token paid with; NULL for the native coin and when unknown.';
COMMENT ON COLUMN parity."TokenSale".fee IS 'Payouts to fee receivers.';
COMMENT ON COLUMN parity."TokenSale"."sellerNet" IS 'Payout to the seller''s receiver.';

CREATE OR REPLACE VIEW parity."TokenDeposit" AS
SELECT made.chain_id AS "chainId", analytics.hex(made.address) AS "contractAddress",
    (part.deposit ->> 'tokenId')::numeric AS "tokenId", (part.deposit ->> 'amount')::numeric AS amount,
    analytics.hex(made.tx_hash) AS "transactionHash", made.block_number AS "blockNumber", made.block_time AS "blockTime",
    made.log_index AS "logIndex", part.place - 1 AS "position"
FROM event.treasury_deposited AS made
CROSS JOIN LATERAL jsonb_array_elements(made.deposits) WITH ORDINALITY AS part (deposit, place);
COMMENT ON VIEW parity."TokenDeposit" IS 'Deposits in treasuries, one row for each token of a TreasuryDeposited event.';
COMMENT ON COLUMN parity."TokenDeposit".amount IS 'The amount.';
COMMENT ON COLUMN parity."TokenDeposit"."position" IS 'Place in the event, from 0.';

CREATE OR REPLACE VIEW parity."TokenWithdrawal" AS
SELECT made.chain_id AS "chainId", analytics.hex(made.address) AS "contractAddress", part.token_id AS "tokenId",
    made.amount AS "totalAmount", analytics.hex(made.tx_hash) AS "transactionHash", made.block_number AS "blockNumber",
    made.block_time AS "blockTime", made.log_index AS "logIndex", part.place - 1 AS "position"
FROM event.treasury_withdrawn AS made
CROSS JOIN LATERAL unnest(made.token_ids) WITH ORDINALITY AS part (token_id, place);
COMMENT ON VIEW parity."TokenWithdrawal" IS 'Withdrawals from treasuries, one row for each token of a TreasuryWithdrawn event.';
COMMENT ON COLUMN parity."TokenWithdrawal"."totalAmount" IS 'What the event says was withdrawn for all of its tokens together.';
COMMENT ON COLUMN parity."TokenWithdrawal"."position" IS 'Place in the event, from 0.';

CREATE OR REPLACE VIEW parity."TreasuryClaim" AS
SELECT made.chain_id AS "chainId", analytics.hex(made.address) AS "contractAddress", made.token_ids AS "tokenIds", made.amount,
    analytics.hex(made.tx_hash) AS "transactionHash", made.block_number AS "blockNumber", made.block_time AS "blockTime",
    made.log_index AS "logIndex"
FROM event.treasury_withdrawn AS made;
COMMENT ON VIEW parity."TreasuryClaim" IS 'Withdrawals from treasuries, one row for each TreasuryWithdrawn event.';
COMMENT ON COLUMN parity."TreasuryClaim"."tokenIds" IS 'The tokens.';
COMMENT ON COLUMN parity."TreasuryClaim".amount IS 'What was withdrawn.';

CREATE OR REPLACE VIEW parity."TradeDealUSDCDeposit" AS
SELECT flow.chain_id AS "chainId", analytics.hex(flow.diamond) AS "contractAddress", flow.deal_id AS "tradeDealId",
    analytics.hex(flow.party) AS "ownerAddress", flow.usdc_amount AS amount, analytics.hex(flow.tx_hash) AS "transactionHash",
    flow.block_number AS "blockNumber", flow.block_time AS "blockTime", flow.log_index AS "logIndex"
FROM state.trade_deal_cashflow AS flow
WHERE flow.kind = 'deposit';
COMMENT ON VIEW parity."TradeDealUSDCDeposit" IS 'Deposits in trade deals.';
COMMENT ON COLUMN parity."TradeDealUSDCDeposit"."ownerAddress" IS 'The depositor; NULL when unknown.';
COMMENT ON COLUMN parity."TradeDealUSDCDeposit".amount IS 'The amount.';

CREATE OR REPLACE VIEW parity."VABBTokensRedeemed" AS
SELECT flow.chain_id AS "chainId", analytics.hex(flow.diamond) AS "contractAddress", flow.deal_id AS "tradeDealId",
    analytics.hex(flow.party) AS "ownerAddress", flow.collateral_amount AS "vabbAmount", flow.usdc_amount AS "usdcAmount",
    analytics.hex(flow.tx_hash) AS "transactionHash", flow.block_number AS "blockNumber", flow.block_time AS "blockTime",
    flow.log_index AS "logIndex"
FROM state.trade_deal_cashflow AS flow
WHERE flow.kind = 'redeem';
COMMENT ON VIEW parity."VABBTokensRedeemed" IS 'Redemptions of collateral tokens, which older builds call VABB.';
COMMENT ON COLUMN parity."VABBTokensRedeemed"."ownerAddress" IS 'The redeemer.';
COMMENT ON COLUMN parity."VABBTokensRedeemed"."vabbAmount" IS 'Collateral tokens redeemed.';
COMMENT ON COLUMN parity."VABBTokensRedeemed"."usdcAmount" IS 'What was paid for them.';

CREATE OR REPLACE VIEW parity."ClaimTopic" AS
SELECT topic.chain_id AS "chainId", analytics.hex(topic.diamond) AS "contractAddress", topic.claim_topic AS topic, topic.active,
    analytics.enum_label('ClaimTopic', topic.claim_topic) AS "displayName", topic.since AS "blockNumber"
FROM state.claim_topic AS topic;
COMMENT ON VIEW parity."ClaimTopic" IS 'Claim topics of diamonds.';
COMMENT ON COLUMN parity."ClaimTopic".topic IS 'The topic.';
COMMENT ON COLUMN parity."ClaimTopic".active IS 'Whether it is registered.';
COMMENT ON COLUMN parity."ClaimTopic"."displayName" IS 'Its name, if analytics.enum_name has one of enum ClaimTopic, else the number.';
COMMENT ON COLUMN parity."ClaimTopic"."blockNumber" IS 'Block from which on it has been there.';

CREATE OR REPLACE VIEW parity."TrustedIssuer" AS
SELECT trusted.chain_id AS "chainId", trusted.diamond AS "contractAddress", trusted.issuer, trusted.active,
    coalesce(trusted.claim_topics, '{}') AS "claimTopics", trusted.since AS "blockNumber"
FROM analytics.trusted_issuer AS trusted;
COMMENT ON VIEW parity."TrustedIssuer" IS 'Issuers that diamonds trust.';
COMMENT ON COLUMN parity."TrustedIssuer".issuer IS 'The issuer.';
COMMENT ON COLUMN parity."TrustedIssuer".active IS 'Whether it is trusted.';
COMMENT ON COLUMN parity."TrustedIssuer"."claimTopics" IS 'Topics it may speak on.';
COMMENT ON COLUMN parity."TrustedIssuer"."blockNumber" IS 'Block from which on it has been trusted.';

CREATE OR REPLACE VIEW parity."Identity" AS
SELECT wallet.chain_id AS "chainId", wallet.announcer AS "contractAddress", wallet.identity, wallet.wallet AS address,
    coalesce(wallet.claim_topics, '{}') AS claims, wallet.removed_block IS NULL AS active,
    coalesce(wallet.registered_block, wallet.factory_created_block) AS "blockNumber"
FROM analytics.identity AS wallet;
COMMENT ON VIEW parity."Identity" IS 'Identities of wallets, by factory and by diamond.';
COMMENT ON COLUMN parity."Identity"."contractAddress" IS 'The factory or diamond.';
COMMENT ON COLUMN parity."Identity".address IS 'The wallet.';
COMMENT ON COLUMN parity."Identity".claims IS 'Topics of its claims in the registry.';
COMMENT ON COLUMN parity."Identity".active IS 'Whether it was not removed.';
COMMENT ON COLUMN parity."Identity"."blockNumber" IS 'Block in which it was registered, or created where it is not.';

CREATE OR REPLACE VIEW parity."TokenProject" AS
SELECT project.chain_id AS "chainId", analytics.hex(project.contract) AS "contractAddress", project.value AS "projectId",
    count(*) AS tokens, min(invoice.deal_id) AS "tradeDealId", sum(credit.remaining) AS "existingCredits",
    sum(credit.total_retired) AS "retiredCredits"
FROM state.token_attribute AS project
LEFT JOIN state.trade_deal_invoice AS invoice ON invoice.chain_id = project.chain_id AND invoice.diamond = project.contract
    AND invoice.token_id = project.token_id AND invoice.active
LEFT JOIN state.carbon_credit AS credit ON credit.chain_id = project.chain_id AND credit.contract = project.contract
    AND credit.token_id = project.token_id
WHERE project.key = 'projectId' AND NOT project.removed
GROUP BY project.chain_id, project.contract, project.value;
COMMENT ON VIEW parity."TokenProject" IS 'Projects, as far as the chain knows them: the tokens whose attribute projectId is the same.';
COMMENT ON COLUMN parity."TokenProject"."projectId" IS 'The attribute.';
COMMENT ON COLUMN parity."TokenProject".tokens IS 'How many tokens.';
COMMENT ON COLUMN parity."TokenProject"."tradeDealId" IS 'The lowest trade deal that holds one of them as an invoice; NULL when none does.';
COMMENT ON COLUMN parity."TokenProject"."existingCredits" IS 'Carbon credits left.';
COMMENT ON COLUMN parity."TokenProject"."retiredCredits" IS 'Carbon credits retired.';

CREATE OR REPLACE VIEW parity."CustomerPortfolioSnapshot" AS
SELECT held.chain_id AS "chainId", analytics.hex(held.contract) AS "contractAddress", analytics.hex(held.owner) AS "ownerAddress",
    count(*) AS tokens, sum(credit.remaining) AS "existingCredits",
    (SELECT sum(retired.amount) FROM state.carbon_retirement AS retired
     WHERE retired.chain_id = held.chain_id AND retired.retired_by = held.owner AND retired.contract = held.contract) AS "retiredCredits",
    (SELECT sum(flow.usdc_amount) FROM state.trade_deal_cashflow AS flow
     WHERE flow.chain_id = held.chain_id AND flow.party = held.owner AND flow.diamond = held.contract AND flow.kind = 'deposit')
        AS "depositedAmount"
FROM state.nft AS held
LEFT JOIN state.carbon_credit AS credit ON credit.chain_id = held.chain_id AND credit.contract = held.contract
    AND credit.token_id = held.token_id
WHERE held.owner IS NOT NULL
GROUP BY held.chain_id, held.contract, held.owner;
COMMENT ON VIEW parity."CustomerPortfolioSnapshot" IS 'What each owner of tokens has of a contract now.';
COMMENT ON COLUMN parity."CustomerPortfolioSnapshot"."ownerAddress" IS 'The owner.';
COMMENT ON COLUMN parity."CustomerPortfolioSnapshot".tokens IS 'How many tokens.';
COMMENT ON COLUMN parity."CustomerPortfolioSnapshot"."existingCredits" IS 'Carbon credits left in them.';
COMMENT ON COLUMN parity."CustomerPortfolioSnapshot"."retiredCredits" IS 'Carbon credits the owner retired.';
COMMENT ON COLUMN parity."CustomerPortfolioSnapshot"."depositedAmount" IS 'What the owner deposited in trade deals.';

CREATE OR REPLACE VIEW parity."Event" AS
SELECT said.chain_id AS "chainId", said.event, said.contract AS "contractAddress",
    coalesce(said.args ->> 'token_id', said.args ->> 'item_id', said.args ->> 'id') AS "tokenId",
    coalesce(said.args ->> 'amount', said.args ->> 'value', said.args ->> 'price', said.args ->> 'initial_balance') AS amount,
    said.args, said.tx_hash AS "transactionHash", said.block_number AS "blockNumber", said.block_time AS "blockTime",
    said.log_index AS "logIndex"
FROM analytics.activity AS said;
COMMENT ON VIEW parity."Event" IS 'One feed of all events.';
COMMENT ON COLUMN parity."Event".event IS 'Name of the event.';
COMMENT ON COLUMN parity."Event"."tokenId" IS 'The token it is about, as a string of digits; NULL where there is none.';
COMMENT ON COLUMN parity."Event".amount IS 'The amount, value or price in it, as text; NULL where there is none.';
COMMENT ON COLUMN parity."Event".args IS 'All arguments by the names of the event table''s columns.';
