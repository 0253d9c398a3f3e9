-- State of the marketplace, its fees and payouts, tokens and their attributes, treasuries, SVG templates, and who may do what:
-- owners, roles and pause flags of any contract.
--
-- Ledgers (sale, sale_payout, fee_distribution) have a row for each log and carry the transaction and the time, so that each
-- row proves itself. Where events contradict each other, a row keeps what is certain and says so in inconsistent and
-- inconsistency.


-- A B-tree entry has to fit a third of a page. What contracts call a string has no bound, so a text in a key needs one: without
-- it a single event could stop every fold after it.
CREATE FUNCTION sync.key_text(whole text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN octet_length(whole) <= 1024 THEN whole
        ELSE left(whole, 200) || '…' || encode(sha256(convert_to(whole, 'UTF8')), 'hex') END
$$;
COMMENT ON FUNCTION sync.key_text(text) IS
    'A text as part of a key: as it is up to 1,024 bytes, else its first 200 characters, an ellipsis and the SHA-256 of all of it.';


-- ERC-721: what transfers say of their senders ----------------------------------------------------------------------------

ALTER TABLE state.nft
    ADD COLUMN inconsistent boolean NOT NULL DEFAULT false,
    ADD COLUMN inconsistency text;
COMMENT ON COLUMN state.nft.inconsistent IS 'Whether a transfer of the token named a sender that did not own it, as the forced transfer of every delisting does.';
COMMENT ON COLUMN state.nft.inconsistency IS 'The kind of contradiction; NULL when there is none.';


-- Marketplace -------------------------------------------------------------------------------------------------------------

CREATE TABLE state.listing (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    token_id numeric NOT NULL,
    opened_block bigint NOT NULL,
    opened_log_index integer NOT NULL,
    seller bytea,
    receiver bytea,
    price numeric NOT NULL,
    payment_token bytea,
    status text NOT NULL CHECK (status IN ('open', 'sold', 'delisted', 'superseded')),
    escrowed boolean NOT NULL,
    buyer bytea,
    closed_block bigint,
    closed_log_index integer,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, token_id, opened_block, opened_log_index)
);
COMMENT ON TABLE state.listing IS 'Listings of diamonds'' marketplaces, one row for each Listings event; of one token at most the newest is open.';
COMMENT ON COLUMN state.listing.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.listing.diamond IS 'The diamond, which is marketplace and token contract in one.';
COMMENT ON COLUMN state.listing.token_id IS 'The token.';
COMMENT ON COLUMN state.listing.opened_block IS 'Block of the Listings event.';
COMMENT ON COLUMN state.listing.opened_log_index IS 'Log index of that event.';
COMMENT ON COLUMN state.listing.seller IS 'Who listed it; NULL when the event named the zero address.';
COMMENT ON COLUMN state.listing.receiver IS 'Who is paid; NULL when the event named the zero address.';
COMMENT ON COLUMN state.listing.price IS 'Price in the smallest unit of the payment token.';
COMMENT ON COLUMN state.listing.payment_token IS 'The ERC-20 token to pay with; NULL for the native coin.';
COMMENT ON COLUMN state.listing.status IS 'open, sold, delisted, or superseded by a newer listing of the token.';
COMMENT ON COLUMN state.listing.escrowed IS 'Whether the transaction of the listing handed the token to the diamond, as older builds do.';
COMMENT ON COLUMN state.listing.buyer IS 'Who owned the token after the sale; NULL unless sold.';
COMMENT ON COLUMN state.listing.closed_block IS 'Block of the Sales, Delisted or newer Listings event that closed it; NULL while open.';
COMMENT ON COLUMN state.listing.closed_log_index IS 'Log index of that event; NULL while open.';
COMMENT ON COLUMN state.listing.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.listing');


CREATE TABLE state.sale (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    block_time timestamp with time zone NOT NULL,
    tx_hash bytea NOT NULL,
    diamond bytea NOT NULL,
    token_id numeric NOT NULL,
    buyer bytea,
    seller bytea,
    price numeric,
    payment_token bytea,
    fee_total numeric NOT NULL,
    seller_net numeric NOT NULL,
    listing_block bigint,
    listing_log_index integer,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
COMMENT ON TABLE state.sale IS 'Sales of diamonds'' marketplaces, one row for each Sales event, with what the listing, the transfer and the payouts say.';
COMMENT ON COLUMN state.sale.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.sale.block_number IS 'Block of the Sales event.';
COMMENT ON COLUMN state.sale.log_index IS 'Log index of that event.';
COMMENT ON COLUMN state.sale.block_time IS 'Timestamp of the block.';
COMMENT ON COLUMN state.sale.tx_hash IS 'Hash of the transaction.';
COMMENT ON COLUMN state.sale.diamond IS 'The diamond.';
COMMENT ON COLUMN state.sale.token_id IS 'The token.';
COMMENT ON COLUMN state.sale.buyer IS 'Who owned the token after the sale by the transfer in its transaction; the account that Sales names where there was no transfer.';
COMMENT ON COLUMN state.sale.seller IS 'Seller of the open listing; NULL without one.';
COMMENT ON COLUMN state.sale.price IS 'Price of the open listing; NULL without one.';
COMMENT ON COLUMN state.sale.payment_token IS 'Payment token of the open listing, or of the payouts without one; NULL for the native coin and when unknown.';
COMMENT ON COLUMN state.sale.fee_total IS 'Payouts to fee receivers.';
COMMENT ON COLUMN state.sale.seller_net IS 'Payout to the seller''s receiver.';
COMMENT ON COLUMN state.sale.listing_block IS 'Block of the listing that was sold; NULL when none was open.';
COMMENT ON COLUMN state.sale.listing_log_index IS 'Log index of that listing.';
COMMENT ON COLUMN state.sale.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.sale.inconsistency IS 'What contradicts or is missing; NULL when nothing does.';
COMMENT ON COLUMN state.sale.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.sale');


CREATE TABLE state.sale_payout (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    block_time timestamp with time zone NOT NULL,
    tx_hash bytea NOT NULL,
    diamond bytea NOT NULL,
    sale_log_index integer,
    receiver bytea,
    token bytea,
    amount numeric NOT NULL,
    kind text CHECK (kind IN ('fee', 'seller')),
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
COMMENT ON TABLE state.sale_payout IS 'What marketplaces paid out for sales, one row for each PaymentDistributed event.';
COMMENT ON COLUMN state.sale_payout.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.sale_payout.block_number IS 'Block of the event, and of its sale.';
COMMENT ON COLUMN state.sale_payout.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.sale_payout.block_time IS 'Timestamp of the block.';
COMMENT ON COLUMN state.sale_payout.tx_hash IS 'Hash of the transaction.';
COMMENT ON COLUMN state.sale_payout.diamond IS 'The diamond.';
COMMENT ON COLUMN state.sale_payout.sale_log_index IS 'Log index of the Sales event it belongs to: the next one in its transaction; NULL when none follows.';
COMMENT ON COLUMN state.sale_payout.receiver IS 'Who was paid; NULL for the zero address.';
COMMENT ON COLUMN state.sale_payout.token IS 'The ERC-20 token it was paid in; NULL for the native coin.';
COMMENT ON COLUMN state.sale_payout.amount IS 'Amount in the smallest unit of the token.';
COMMENT ON COLUMN state.sale_payout.kind IS 'seller for the last payout before the sale, fee for those before it; fee for all of them where the diamond''s fees leave the seller nothing; NULL without a sale.';
COMMENT ON COLUMN state.sale_payout.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.sale_payout.inconsistency IS 'What contradicts or is missing; NULL when nothing does.';
COMMENT ON COLUMN state.sale_payout.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.sale_payout');


-- Fees --------------------------------------------------------------------------------------------------------------------

CREATE TABLE state.fee_receiver (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    source text NOT NULL CHECK (source IN ('marketplace', 'distributor')),
    receiver bytea NOT NULL,
    "position" integer NOT NULL,
    weight numeric NOT NULL,
    basis numeric,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, source, receiver)
);
COMMENT ON TABLE state.fee_receiver IS 'Who gets which part of the fees of marketplaces and fee distributors.';
COMMENT ON COLUMN state.fee_receiver.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.fee_receiver.contract IS 'The diamond.';
COMMENT ON COLUMN state.fee_receiver.source IS 'marketplace (set once by MarketplaceInitialized) or distributor (all replaced by each FeeReceiversSet).';
COMMENT ON COLUMN state.fee_receiver.receiver IS 'Who gets it.';
COMMENT ON COLUMN state.fee_receiver."position" IS 'First place of the receiver in the event''s list, from 0.';
COMMENT ON COLUMN state.fee_receiver.weight IS 'Its part in units of the basis; of a receiver listed twice the sum.';
COMMENT ON COLUMN state.fee_receiver.basis IS 'What the parts are parts of: 1,000,000 for marketplaces, the total weight of the last FeeDistributorInitialized for distributors; NULL while that was not seen.';
COMMENT ON COLUMN state.fee_receiver.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.fee_receiver.inconsistency IS 'What contradicts or is missing; NULL when nothing does.';
COMMENT ON COLUMN state.fee_receiver.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.fee_receiver');


CREATE TABLE state.fee_distribution (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    block_time timestamp with time zone NOT NULL,
    tx_hash bytea NOT NULL,
    contract bytea NOT NULL,
    token bytea,
    principal_receiver bytea,
    principal_amount numeric NOT NULL,
    adjusted_receiver bytea,
    adjusted_amount numeric NOT NULL,
    receivers bytea[] NOT NULL,
    amounts numeric[] NOT NULL,
    fee_total numeric NOT NULL,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
COMMENT ON TABLE state.fee_distribution IS 'What fee distributors paid out, one row for each AmountsDistributed event.';
COMMENT ON COLUMN state.fee_distribution.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.fee_distribution.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.fee_distribution.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.fee_distribution.block_time IS 'Timestamp of the block.';
COMMENT ON COLUMN state.fee_distribution.tx_hash IS 'Hash of the transaction.';
COMMENT ON COLUMN state.fee_distribution.contract IS 'The diamond.';
COMMENT ON COLUMN state.fee_distribution.token IS 'The token of the last FeeDistributorInitialized before the event; NULL for the native coin, which is paid before there was one.';
COMMENT ON COLUMN state.fee_distribution.principal_receiver IS 'Receiver of the principal amount; NULL for the zero address.';
COMMENT ON COLUMN state.fee_distribution.principal_amount IS 'The principal amount.';
COMMENT ON COLUMN state.fee_distribution.adjusted_receiver IS 'Receiver of what the fees left; NULL for the zero address.';
COMMENT ON COLUMN state.fee_distribution.adjusted_amount IS 'What the fees left.';
COMMENT ON COLUMN state.fee_distribution.receivers IS 'The fee receivers, in the order of the event.';
COMMENT ON COLUMN state.fee_distribution.amounts IS 'Their amounts, in the same order.';
COMMENT ON COLUMN state.fee_distribution.fee_total IS 'Sum of the amounts.';
COMMENT ON COLUMN state.fee_distribution.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.fee_distribution.inconsistency IS 'What contradicts or is missing; NULL when nothing does.';
COMMENT ON COLUMN state.fee_distribution.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.fee_distribution');


-- Tokens ------------------------------------------------------------------------------------------------------------------

CREATE TABLE state.token (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('erc20', 'erc721', 'erc1155')),
    name text,
    symbol text,
    decimals integer,
    read_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract)
);
COMMENT ON TABLE state.token IS 'Token contracts, from the first transfer that was seen on.';
COMMENT ON COLUMN state.token.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.token.contract IS 'The token contract.';
COMMENT ON COLUMN state.token.kind IS 'erc20, erc721 or erc1155, by its first transfer.';
COMMENT ON COLUMN state.token.name IS 'Answer of name(), which no event carries; NULL until read, or when the contract has none.';
COMMENT ON COLUMN state.token.symbol IS 'Answer of symbol(), likewise.';
COMMENT ON COLUMN state.token.decimals IS 'Answer of decimals(), likewise.';
COMMENT ON COLUMN state.token.read_block IS 'Final block at which name, symbol and decimals were read; NULL until then.';
COMMENT ON COLUMN state.token.inconsistent IS 'Whether the contract also emits transfers of another token standard.';
COMMENT ON COLUMN state.token.inconsistency IS 'What contradicts; NULL when nothing does.';
COMMENT ON COLUMN state.token.updated_block IS 'Block of the first transfer, or of the first one of another standard.';
SELECT sync.attach_journal('state.token');


CREATE TABLE state.token_uri (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    uri text NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id)
);
COMMENT ON TABLE state.token_uri IS 'Metadata URIs of ERC-1155 tokens as last said by URI events.';
COMMENT ON COLUMN state.token_uri.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.token_uri.contract IS 'The token contract.';
COMMENT ON COLUMN state.token_uri.token_id IS 'The token.';
COMMENT ON COLUMN state.token_uri.uri IS 'The URI, verbatim: {id} stands for the token id in 64 hex digits.';
COMMENT ON COLUMN state.token_uri.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.token_uri');


CREATE TABLE state.metadata_refresh (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    first_token_id numeric NOT NULL,
    last_token_id numeric NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, first_token_id, last_token_id)
);
COMMENT ON TABLE state.metadata_refresh IS 'Ranges of tokens whose metadata changed by ERC-4906: what was read of them before is out of date.';
COMMENT ON COLUMN state.metadata_refresh.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.metadata_refresh.contract IS 'The token contract.';
COMMENT ON COLUMN state.metadata_refresh.first_token_id IS 'First token of the range; the only one of a MetadataUpdate.';
COMMENT ON COLUMN state.metadata_refresh.last_token_id IS 'Last token of the range.';
COMMENT ON COLUMN state.metadata_refresh.updated_block IS 'Newest block that said so.';
SELECT sync.attach_journal('state.metadata_refresh');


CREATE TABLE state.token_attribute (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    key text NOT NULL,
    attribute_type smallint NOT NULL,
    value text NOT NULL,
    set_block bigint NOT NULL,
    removed boolean NOT NULL,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id, key)
);
COMMENT ON TABLE state.token_attribute IS 'Attributes of Gemforce tokens as far as events carry them; those of token 0 are the metadata of the contract, too.';
COMMENT ON COLUMN state.token_attribute.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.token_attribute.contract IS 'The diamond.';
COMMENT ON COLUMN state.token_attribute.token_id IS 'The token; 0 is the first token and the contract itself.';
COMMENT ON COLUMN state.token_attribute.key IS 'The attribute''s key; one of more than 1,024 bytes is cut and ends in the SHA-256 of all of it.';
COMMENT ON COLUMN state.token_attribute.attribute_type IS 'Number of the attribute''s type, as the event gave it.';
COMMENT ON COLUMN state.token_attribute.value IS 'The value last set; kept when removed.';
COMMENT ON COLUMN state.token_attribute.set_block IS 'Block in which it was last set.';
COMMENT ON COLUMN state.token_attribute.removed IS 'Whether it was removed since.';
COMMENT ON COLUMN state.token_attribute.removed_block IS 'Block of the first event that removed it since; NULL while it is set.';
COMMENT ON COLUMN state.token_attribute.inconsistent IS 'Whether the events behind the row contradict each other; the row keeps what is certain.';
COMMENT ON COLUMN state.token_attribute.inconsistency IS 'What contradicts; NULL when nothing does.';
COMMENT ON COLUMN state.token_attribute.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.token_attribute');


CREATE TABLE state.treasury_balance (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    token_id numeric NOT NULL,
    balance numeric NOT NULL,
    total_deposited numeric NOT NULL,
    total_withdrawn numeric NOT NULL,
    last_withdrawal_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, token_id)
);
COMMENT ON TABLE state.treasury_balance IS 'What treasuries hold for each token: deposits add, a withdrawal takes all of every token it lists.';
COMMENT ON COLUMN state.treasury_balance.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.treasury_balance.contract IS 'The treasury.';
COMMENT ON COLUMN state.treasury_balance.token_id IS 'The token.';
COMMENT ON COLUMN state.treasury_balance.balance IS 'Deposits since the last withdrawal of the token; 0 stays as 0.';
COMMENT ON COLUMN state.treasury_balance.total_deposited IS 'Sum of all deposits.';
COMMENT ON COLUMN state.treasury_balance.total_withdrawn IS 'Sum of the balances that withdrawals took.';
COMMENT ON COLUMN state.treasury_balance.last_withdrawal_block IS 'Block of the last withdrawal of the token; NULL when there was none.';
COMMENT ON COLUMN state.treasury_balance.inconsistent IS 'Whether a withdrawal paid another amount than the balances of the tokens it lists.';
COMMENT ON COLUMN state.treasury_balance.inconsistency IS 'The first such withdrawal; NULL when there was none.';
COMMENT ON COLUMN state.treasury_balance.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.treasury_balance');


CREATE TABLE state.svg_template (
    chain_id bigint NOT NULL,
    manager bytea NOT NULL,
    name text NOT NULL,
    template bytea,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, manager, name)
);
COMMENT ON TABLE state.svg_template IS 'SVG templates by name, from SVGTemplateCreated.';
COMMENT ON COLUMN state.svg_template.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.svg_template.manager IS 'The contract that announced it: a diamond or an SVG manager.';
COMMENT ON COLUMN state.svg_template.name IS 'Name of the template; one of more than 1,024 bytes is cut and ends in the SHA-256 of all of it.';
COMMENT ON COLUMN state.svg_template.template IS 'The template contract last announced under the name; NULL for the zero address.';
COMMENT ON COLUMN state.svg_template.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.svg_template');


-- Who may do what ---------------------------------------------------------------------------------------------------------

CREATE TABLE state.ownership (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    owner bytea,
    pending_owner bytea,
    owner_since_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract)
);
COMMENT ON TABLE state.ownership IS 'Owners of contracts (EIP-173 and the two-step transfer).';
COMMENT ON COLUMN state.ownership.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.ownership.contract IS 'The contract.';
COMMENT ON COLUMN state.ownership.owner IS 'The new owner of its last OwnershipTransferred; NULL when renounced, or when none was seen.';
COMMENT ON COLUMN state.ownership.pending_owner IS 'Who may accept the ownership, by an OwnershipTransferStarted since; NULL when nobody may.';
COMMENT ON COLUMN state.ownership.owner_since_block IS 'Block of the last OwnershipTransferred; NULL when none was seen.';
COMMENT ON COLUMN state.ownership.inconsistent IS 'Whether the last OwnershipTransferred named a previous owner other than the one before it made.';
COMMENT ON COLUMN state.ownership.inconsistency IS 'What contradicts; NULL when nothing does.';
COMMENT ON COLUMN state.ownership.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.ownership');


CREATE TABLE state.role_member (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    role bytea NOT NULL,
    account bytea NOT NULL,
    active boolean NOT NULL,
    granted_block bigint,
    granted_by bytea,
    revoked_block bigint,
    revoked_by bytea,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, role, account)
);
COMMENT ON TABLE state.role_member IS 'Members of roles (AccessControl) of contracts; those that left stay as inactive.';
COMMENT ON COLUMN state.role_member.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.role_member.contract IS 'The contract.';
COMMENT ON COLUMN state.role_member.role IS 'The role, 32 bytes; zeros are the default admin role.';
COMMENT ON COLUMN state.role_member.account IS 'The member.';
COMMENT ON COLUMN state.role_member.active IS 'Whether the last word was a grant.';
COMMENT ON COLUMN state.role_member.granted_block IS 'Block of the last RoleGranted; NULL when none was seen.';
COMMENT ON COLUMN state.role_member.granted_by IS 'Who granted it.';
COMMENT ON COLUMN state.role_member.revoked_block IS 'Block of the last RoleRevoked since; NULL while active.';
COMMENT ON COLUMN state.role_member.revoked_by IS 'Who revoked it; the member itself when it renounced.';
COMMENT ON COLUMN state.role_member.inconsistent IS 'Whether it was revoked although no grant was seen.';
COMMENT ON COLUMN state.role_member.inconsistency IS 'What contradicts; NULL when nothing does.';
COMMENT ON COLUMN state.role_member.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.role_member');


CREATE TABLE state.role_admin (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    role bytea NOT NULL,
    admin_role bytea NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract, role)
);
COMMENT ON TABLE state.role_admin IS 'Which role administers a role (AccessControl), where an event said so; else it is the default admin role.';
COMMENT ON COLUMN state.role_admin.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.role_admin.contract IS 'The contract.';
COMMENT ON COLUMN state.role_admin.role IS 'The role, 32 bytes.';
COMMENT ON COLUMN state.role_admin.admin_role IS 'The role whose members grant and revoke it.';
COMMENT ON COLUMN state.role_admin.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.role_admin');


CREATE TABLE state.pause_flag (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    paused boolean NOT NULL,
    account bytea,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract)
);
COMMENT ON TABLE state.pause_flag IS 'Whether contracts are paused (Pausable).';
COMMENT ON COLUMN state.pause_flag.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.pause_flag.contract IS 'The contract.';
COMMENT ON COLUMN state.pause_flag.paused IS 'Whether the last word was Paused.';
COMMENT ON COLUMN state.pause_flag.account IS 'Who said so; NULL for the zero address.';
COMMENT ON COLUMN state.pause_flag.updated_block IS 'Block of the last Paused or Unpaused.';
SELECT sync.attach_journal('state.pause_flag');
