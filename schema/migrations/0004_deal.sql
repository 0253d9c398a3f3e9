-- State of trade deals, collateral tokens, carbon credits and multi-token sales.
--
-- Ledgers (trade_deal_cashflow, trade_deal_invoice_move, carbon_retirement, multi_sale_purchase) have a row for each log and
-- carry the transaction and the time, so that each row proves itself. Where events contradict each other, a row keeps what is
-- certain and says so in inconsistent and inconsistency.


CREATE TABLE state.trade_deal (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    name text,
    symbol text,
    interest_rate_bps numeric,
    ratio numeric,
    active boolean,
    operation_mode integer,
    collateral_address bytea,
    interest_address bytea,
    usdc_address bytea,
    status text NOT NULL CHECK (status IN ('created', 'funding', 'funded', 'withdrawn', 'repaying', 'repaid')),
    funded_at timestamp with time zone,
    funded_block bigint,
    target numeric,
    usdc_balance numeric NOT NULL,
    total_debt numeric,
    repaid_amount numeric NOT NULL,
    created_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, deal_id)
);
COMMENT ON TABLE state.trade_deal IS 'Trade deals of diamonds: their terms, and where they stand as far as events tell.';
COMMENT ON COLUMN state.trade_deal.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal.name IS 'Name in the last TradeDealCreated or TradeDealUpdated; NULL when neither was seen.';
COMMENT ON COLUMN state.trade_deal.symbol IS 'Symbol, likewise.';
COMMENT ON COLUMN state.trade_deal.interest_rate_bps IS 'Interest rate in hundredths of a percent, likewise.';
COMMENT ON COLUMN state.trade_deal.ratio IS 'Collateral tokens for one interest token (in older builds VABB for one VABI), likewise.';
COMMENT ON COLUMN state.trade_deal.active IS 'Whether it is active: a new deal is at once.';
COMMENT ON COLUMN state.trade_deal.operation_mode IS 'Number of the operation mode; NULL in builds whose event has none.';
COMMENT ON COLUMN state.trade_deal.collateral_address IS 'The collateral token (in older builds VABB); NULL when unset. Older builds change addresses without an event.';
COMMENT ON COLUMN state.trade_deal.interest_address IS 'The interest token (in older builds VABI); NULL when unset.';
COMMENT ON COLUMN state.trade_deal.usdc_address IS 'The token that is paid in; NULL when unset.';
COMMENT ON COLUMN state.trade_deal.status IS 'created, funding (money came in), funded (its balance reaches its target, or the event said so and the target is unknown since), withdrawn, repaying or repaid; funded and funding turn into each other as invoices move.';
COMMENT ON COLUMN state.trade_deal.funded_at IS 'Timestamp of the block of its last TradeDealFullyFunded; NULL when there was none, as when the money came before the invoice.';
COMMENT ON COLUMN state.trade_deal.funded_block IS 'Block of that event.';
COMMENT ON COLUMN state.trade_deal.target IS 'Funding target: what the last TradeDealFullyFunded said, plus invoices deposited and less invoices withdrawn since; NULL while an amount is unknown.';
COMMENT ON COLUMN state.trade_deal.usdc_balance IS 'Deposits and repayments less withdrawals, principals of fund withdrawals and redemptions.';
COMMENT ON COLUMN state.trade_deal.total_debt IS 'Target and interest at the rate of the time, as of its last TradeDealFullyFunded; 0 before the first, NULL where the rate is unknown.';
COMMENT ON COLUMN state.trade_deal.repaid_amount IS 'Sum of all repayments.';
COMMENT ON COLUMN state.trade_deal.created_block IS 'Block of TradeDealCreated; NULL when it was not seen.';
COMMENT ON COLUMN state.trade_deal.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.trade_deal.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.trade_deal.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal');


CREATE TABLE state.trade_deal_participant (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    account bytea NOT NULL,
    source text CHECK (source IN ('explicit', 'depositor')),
    active boolean NOT NULL,
    added_block bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, deal_id, account)
);
CREATE INDEX trade_deal_participant_account ON state.trade_deal_participant (chain_id, account);
COMMENT ON TABLE state.trade_deal_participant IS 'Accounts that were added to a trade deal, or that deposited without being in it; who takes part by claims is not here.';
COMMENT ON COLUMN state.trade_deal_participant.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_participant.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal_participant.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal_participant.account IS 'The participant.';
COMMENT ON COLUMN state.trade_deal_participant.source IS 'explicit when an event added it, depositor when a deposit did; NULL when it was only seen to be removed.';
COMMENT ON COLUMN state.trade_deal_participant.active IS 'Whether it takes part now.';
COMMENT ON COLUMN state.trade_deal_participant.added_block IS 'Block since which it takes part, or last took part; NULL when that was not seen.';
COMMENT ON COLUMN state.trade_deal_participant.removed_block IS 'Block of its removal; NULL while active.';
COMMENT ON COLUMN state.trade_deal_participant.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.trade_deal_participant.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.trade_deal_participant.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_participant');


CREATE TABLE state.trade_deal_invoice (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    token_id numeric NOT NULL,
    depositor bytea,
    amount numeric,
    active boolean NOT NULL,
    deposited_block bigint,
    withdrawn_block bigint,
    withdrawn_to bytea,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, deal_id, token_id)
);
COMMENT ON TABLE state.trade_deal_invoice IS 'Invoices (tokens of the diamond itself) that were deposited to trade deals.';
COMMENT ON COLUMN state.trade_deal_invoice.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_invoice.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal_invoice.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal_invoice.token_id IS 'The invoice.';
COMMENT ON COLUMN state.trade_deal_invoice.depositor IS 'The sender of the token''s transfer in the transaction of the last deposit; NULL when that was not seen.';
COMMENT ON COLUMN state.trade_deal_invoice.amount IS 'By how much the last deposit raised the target: the digits of the attribute totalAmount, else amount, at that log; NULL when no event told the attribute.';
COMMENT ON COLUMN state.trade_deal_invoice.active IS 'Whether it is deposited now.';
COMMENT ON COLUMN state.trade_deal_invoice.deposited_block IS 'Block of the last deposit; NULL when it was not seen.';
COMMENT ON COLUMN state.trade_deal_invoice.withdrawn_block IS 'Block of the withdrawal; NULL while deposited.';
COMMENT ON COLUMN state.trade_deal_invoice.withdrawn_to IS 'The receiver of the token in that transaction, which need not be the depositor; NULL when that was not seen.';
COMMENT ON COLUMN state.trade_deal_invoice.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.trade_deal_invoice.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.trade_deal_invoice.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_invoice');


CREATE TABLE state.trade_deal_invoice_move (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    token_id numeric NOT NULL,
    deposited boolean NOT NULL,
    amount numeric,
    party bytea,
    tx_hash bytea NOT NULL,
    block_time timestamp with time zone NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX trade_deal_invoice_move_deal ON state.trade_deal_invoice_move (chain_id, diamond, deal_id);
COMMENT ON TABLE state.trade_deal_invoice_move IS 'Every deposit and withdrawal of an invoice, with the amount that moved the target of its trade deal.';
COMMENT ON COLUMN state.trade_deal_invoice_move.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_invoice_move.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.trade_deal_invoice_move.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.trade_deal_invoice_move.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal_invoice_move.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal_invoice_move.token_id IS 'The invoice.';
COMMENT ON COLUMN state.trade_deal_invoice_move.deposited IS 'Whether it came into the deal; false when it left.';
COMMENT ON COLUMN state.trade_deal_invoice_move.amount IS 'The digits of the attribute totalAmount, else amount, at that log; NULL when no event told the attribute.';
COMMENT ON COLUMN state.trade_deal_invoice_move.party IS 'Who gave it or received it, by the token''s transfer in the same transaction; NULL when that was not seen.';
COMMENT ON COLUMN state.trade_deal_invoice_move.tx_hash IS 'Transaction of the event.';
COMMENT ON COLUMN state.trade_deal_invoice_move.block_time IS 'Timestamp of its block.';
COMMENT ON COLUMN state.trade_deal_invoice_move.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_invoice_move');


CREATE TABLE state.trade_deal_invoice_value (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    total_amount text,
    amount text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id)
);
COMMENT ON TABLE state.trade_deal_invoice_value IS 'Tokens whose attributes say an invoice amount, as last told by events.';
COMMENT ON COLUMN state.trade_deal_invoice_value.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_invoice_value.contract IS 'The token contract.';
COMMENT ON COLUMN state.trade_deal_invoice_value.token_id IS 'The token.';
COMMENT ON COLUMN state.trade_deal_invoice_value.total_amount IS 'The attribute totalAmount; NULL when it has none.';
COMMENT ON COLUMN state.trade_deal_invoice_value.amount IS 'The attribute amount; NULL when it has none.';
COMMENT ON COLUMN state.trade_deal_invoice_value.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_invoice_value');


CREATE TABLE state.trade_deal_cashflow (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    kind text NOT NULL CHECK (kind IN ('deposit', 'withdraw', 'fund_withdrawal', 'repay', 'redeem', 'fee')),
    party bytea,
    usdc_amount numeric,
    net_amount numeric,
    collateral_amount numeric,
    fully_repaid boolean,
    tx_hash bytea NOT NULL,
    block_time timestamp with time zone NOT NULL,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX trade_deal_cashflow_deal ON state.trade_deal_cashflow (chain_id, diamond, deal_id);
CREATE INDEX trade_deal_cashflow_party ON state.trade_deal_cashflow (chain_id, party);
COMMENT ON TABLE state.trade_deal_cashflow IS 'The ledger of trade deals: one row for each log that moved money.';
COMMENT ON COLUMN state.trade_deal_cashflow.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_cashflow.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.trade_deal_cashflow.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.trade_deal_cashflow.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal_cashflow.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal_cashflow.kind IS 'deposit, withdraw, fund_withdrawal, repay, redeem or fee; fees are part of the principal of the fund withdrawal in the same transaction.';
COMMENT ON COLUMN state.trade_deal_cashflow.party IS 'Depositor, receiver of a withdrawal, payer of a repayment (the sender of the transfer, whoever the event names), redeemer, or the only receiver of a fee; NULL when unknown or several.';
COMMENT ON COLUMN state.trade_deal_cashflow.usdc_amount IS 'Amount in the smallest unit of the token paid; of a fund withdrawal the principal, of a fee the sum over its receivers. NULL when unknown.';
COMMENT ON COLUMN state.trade_deal_cashflow.net_amount IS 'What a fund withdrawal paid to its receiver after fees; NULL for other kinds.';
COMMENT ON COLUMN state.trade_deal_cashflow.collateral_amount IS 'Collateral tokens minted by a deposit (in the same transaction) or burned by a redemption; NULL when none were seen.';
COMMENT ON COLUMN state.trade_deal_cashflow.fully_repaid IS 'Whether a repayment was the last one; NULL for other kinds.';
COMMENT ON COLUMN state.trade_deal_cashflow.tx_hash IS 'Transaction of the event.';
COMMENT ON COLUMN state.trade_deal_cashflow.block_time IS 'Timestamp of its block.';
COMMENT ON COLUMN state.trade_deal_cashflow.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.trade_deal_cashflow.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.trade_deal_cashflow.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_cashflow');


CREATE TABLE state.trade_deal_claim_topic (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    deal_id numeric NOT NULL,
    claim_topic numeric NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, deal_id, claim_topic)
);
COMMENT ON TABLE state.trade_deal_claim_topic IS 'Claim topics that make an identity a participant of a trade deal, as last set.';
COMMENT ON COLUMN state.trade_deal_claim_topic.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trade_deal_claim_topic.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trade_deal_claim_topic.deal_id IS 'The trade deal; ids start at 0.';
COMMENT ON COLUMN state.trade_deal_claim_topic.claim_topic IS 'The claim topic.';
COMMENT ON COLUMN state.trade_deal_claim_topic.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trade_deal_claim_topic');


CREATE TABLE state.collateral_token (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    diamond bytea,
    factory bytea,
    deal_id numeric NOT NULL,
    name text NOT NULL,
    symbol text NOT NULL,
    created_block bigint NOT NULL,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, token)
);
CREATE INDEX collateral_token_deal ON state.collateral_token (chain_id, diamond, deal_id);
COMMENT ON TABLE state.collateral_token IS 'Collateral tokens that were made for trade deals.';
COMMENT ON COLUMN state.collateral_token.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.collateral_token.token IS 'The token contract.';
COMMENT ON COLUMN state.collateral_token.diamond IS 'The diamond of the deal, which said CollateralTokenCreated; NULL when only the factory spoke.';
COMMENT ON COLUMN state.collateral_token.factory IS 'The factory that said TokenCreated; NULL when none did.';
COMMENT ON COLUMN state.collateral_token.deal_id IS 'The trade deal it was made for; ids start at 0.';
COMMENT ON COLUMN state.collateral_token.name IS 'Name in the event.';
COMMENT ON COLUMN state.collateral_token.symbol IS 'Symbol in the event.';
COMMENT ON COLUMN state.collateral_token.created_block IS 'Block of the first of these events.';
COMMENT ON COLUMN state.collateral_token.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.collateral_token.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.collateral_token.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.collateral_token');


CREATE TABLE state.carbon_credit (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    initial_balance numeric,
    total_initialized numeric NOT NULL,
    total_retired numeric NOT NULL,
    remaining numeric NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'retired')),
    owner bytea,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id)
);
CREATE INDEX carbon_credit_owner ON state.carbon_credit (chain_id, owner);
COMMENT ON TABLE state.carbon_credit IS 'Carbon credits of tokens: what was initialised, what was retired, what remains.';
COMMENT ON COLUMN state.carbon_credit.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.carbon_credit.contract IS 'The diamond whose token carries the credits.';
COMMENT ON COLUMN state.carbon_credit.token_id IS 'The token; 0 is one like any other.';
COMMENT ON COLUMN state.carbon_credit.initial_balance IS 'Credits of the last CarbonCreditsInitialized; NULL when none was seen.';
COMMENT ON COLUMN state.carbon_credit.total_initialized IS 'Sum of all initialisations: credits may be initialised again once none remain.';
COMMENT ON COLUMN state.carbon_credit.total_retired IS 'Sum of all retirements.';
COMMENT ON COLUMN state.carbon_credit.remaining IS 'Credits left: what the last retirement or initialisation said.';
COMMENT ON COLUMN state.carbon_credit.status IS 'active while credits remain, else retired.';
COMMENT ON COLUMN state.carbon_credit.owner IS 'Owner of the token now; NULL when burned or never seen to move.';
COMMENT ON COLUMN state.carbon_credit.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.carbon_credit.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.carbon_credit.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.carbon_credit');


CREATE TABLE state.carbon_retirement (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    amount numeric NOT NULL,
    remaining_after numeric NOT NULL,
    retired_by bytea,
    tx_hash bytea NOT NULL,
    block_time timestamp with time zone NOT NULL,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX carbon_retirement_token ON state.carbon_retirement (chain_id, contract, token_id);
CREATE INDEX carbon_retirement_retired_by ON state.carbon_retirement (chain_id, retired_by);
COMMENT ON TABLE state.carbon_retirement IS 'The ledger of retired carbon credits: one row for each CarbonCreditsRetired.';
COMMENT ON COLUMN state.carbon_retirement.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.carbon_retirement.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.carbon_retirement.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.carbon_retirement.contract IS 'The diamond whose token carried the credits.';
COMMENT ON COLUMN state.carbon_retirement.token_id IS 'The token.';
COMMENT ON COLUMN state.carbon_retirement.amount IS 'Credits retired.';
COMMENT ON COLUMN state.carbon_retirement.remaining_after IS 'Credits left, as the event says.';
COMMENT ON COLUMN state.carbon_retirement.retired_by IS 'Owner of the token at that log, who alone can retire; NULL when the token was burned or never seen to move.';
COMMENT ON COLUMN state.carbon_retirement.tx_hash IS 'Transaction of the event.';
COMMENT ON COLUMN state.carbon_retirement.block_time IS 'Timestamp of its block.';
COMMENT ON COLUMN state.carbon_retirement.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.carbon_retirement.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.carbon_retirement.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.carbon_retirement');


CREATE TABLE state.multi_sale (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    sale_id numeric NOT NULL,
    token_type integer,
    token bytea,
    token_hash numeric,
    whitelist_hash numeric,
    whitelist_only boolean,
    payment_method integer,
    payment_token bytea,
    owner bytea,
    payee bytea,
    symbol text,
    name text,
    description text,
    open_state boolean,
    start_time numeric,
    end_time numeric,
    max_quantity numeric,
    max_quantity_per_sale numeric,
    min_quantity_per_sale numeric,
    max_quantity_per_account numeric,
    payment_type integer,
    token_address bytea,
    next_sale_id numeric,
    price numeric,
    price_modifier integer,
    price_modifier_factor numeric,
    max_price numeric,
    created_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, sale_id)
);
COMMENT ON TABLE state.multi_sale IS 'Multi-token sales with all their settings, as last created or updated; opening and closing show in no other event.';
COMMENT ON COLUMN state.multi_sale.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.multi_sale.diamond IS 'The diamond.';
COMMENT ON COLUMN state.multi_sale.sale_id IS 'The sale.';
COMMENT ON COLUMN state.multi_sale.token_type IS 'Number of the token type sold (ERC-20, ERC-721, ERC-1155 in the source).';
COMMENT ON COLUMN state.multi_sale.token IS 'The token sold; NULL when unset.';
COMMENT ON COLUMN state.multi_sale.token_hash IS 'Hash or id of the token sold.';
COMMENT ON COLUMN state.multi_sale.whitelist_hash IS 'Root of the whitelist''s Merkle tree.';
COMMENT ON COLUMN state.multi_sale.whitelist_only IS 'Whether only the whitelist may buy; plain purchases do not look at it.';
COMMENT ON COLUMN state.multi_sale.payment_method IS 'Number of the payment method (native coin, ERC-20 in the source).';
COMMENT ON COLUMN state.multi_sale.payment_token IS 'The token paid with; NULL when unset.';
COMMENT ON COLUMN state.multi_sale.owner IS 'Owner of the sale; NULL when unset.';
COMMENT ON COLUMN state.multi_sale.payee IS 'Who is paid; NULL when unset.';
COMMENT ON COLUMN state.multi_sale.symbol IS 'Symbol.';
COMMENT ON COLUMN state.multi_sale.name IS 'Name.';
COMMENT ON COLUMN state.multi_sale.description IS 'Description.';
COMMENT ON COLUMN state.multi_sale.open_state IS 'The open flag, which purchases do not look at.';
COMMENT ON COLUMN state.multi_sale.start_time IS 'Unix time in seconds at which it starts.';
COMMENT ON COLUMN state.multi_sale.end_time IS 'Unix time in seconds at which it ends.';
COMMENT ON COLUMN state.multi_sale.max_quantity IS 'Most that may be sold.';
COMMENT ON COLUMN state.multi_sale.max_quantity_per_sale IS 'Most that one purchase may take.';
COMMENT ON COLUMN state.multi_sale.min_quantity_per_sale IS 'Least that one purchase may take.';
COMMENT ON COLUMN state.multi_sale.max_quantity_per_account IS 'Most that one account may buy.';
COMMENT ON COLUMN state.multi_sale.payment_type IS 'Number of the payment type.';
COMMENT ON COLUMN state.multi_sale.token_address IS 'Token address of the payment settings; NULL when unset.';
COMMENT ON COLUMN state.multi_sale.next_sale_id IS 'Id of the sale that follows.';
COMMENT ON COLUMN state.multi_sale.price IS 'Price of one.';
COMMENT ON COLUMN state.multi_sale.price_modifier IS 'Number of the rule by which the price changes (none, fixed, exponential, inverse logarithmic in the source).';
COMMENT ON COLUMN state.multi_sale.price_modifier_factor IS 'Factor of that rule.';
COMMENT ON COLUMN state.multi_sale.max_price IS 'Highest price.';
COMMENT ON COLUMN state.multi_sale.created_block IS 'Block of MultiSaleCreated; NULL when it was not seen.';
COMMENT ON COLUMN state.multi_sale.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.multi_sale.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.multi_sale.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.multi_sale');


CREATE TABLE state.multi_sale_purchase (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    diamond bytea NOT NULL,
    sale_id numeric NOT NULL,
    purchaser_or_receiver bytea,
    token_ids numeric[] NOT NULL,
    quantity numeric,
    paid numeric,
    payment_token bytea,
    tx_hash bytea NOT NULL,
    block_time timestamp with time zone NOT NULL,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX multi_sale_purchase_sale ON state.multi_sale_purchase (chain_id, diamond, sale_id);
CREATE INDEX multi_sale_purchase_purchaser ON state.multi_sale_purchase (chain_id, purchaser_or_receiver);
COMMENT ON TABLE state.multi_sale_purchase IS 'The ledger of multi-token sales: one row for each MultiSaleSold.';
COMMENT ON COLUMN state.multi_sale_purchase.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.multi_sale_purchase.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.multi_sale_purchase.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.multi_sale_purchase.diamond IS 'The diamond.';
COMMENT ON COLUMN state.multi_sale_purchase.sale_id IS 'The sale.';
COMMENT ON COLUMN state.multi_sale_purchase.purchaser_or_receiver IS 'The account in the event: the receiver on the plain path, the purchaser on the path with a proof.';
COMMENT ON COLUMN state.multi_sale_purchase.token_ids IS 'The tokens sold; empty when an ERC-20 token was sold.';
COMMENT ON COLUMN state.multi_sale_purchase.quantity IS 'How many tokens, or how much of an ERC-20 token was minted in the transaction; NULL when no mint was seen.';
COMMENT ON COLUMN state.multi_sale_purchase.paid IS 'What was transferred of the payment token in the transaction; NULL when no transfer was seen, as when native coin was paid.';
COMMENT ON COLUMN state.multi_sale_purchase.payment_token IS 'The payment token of the sale at that log; NULL when unset or unknown.';
COMMENT ON COLUMN state.multi_sale_purchase.tx_hash IS 'Transaction of the event.';
COMMENT ON COLUMN state.multi_sale_purchase.block_time IS 'Timestamp of its block.';
COMMENT ON COLUMN state.multi_sale_purchase.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.multi_sale_purchase.inconsistency IS 'The first contradiction that was seen; NULL when there is none.';
COMMENT ON COLUMN state.multi_sale_purchase.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.multi_sale_purchase');
